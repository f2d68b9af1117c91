//! What both versions need: the numbers of methods, and the little of postcard that is spoken here.
//!
//! | method | takes | gives |
//! |---|---|---|
//! | Adder.add | i32, i32 | their sum |
//! | Echo.echo | bytes as they are | the same |
//! | Fail.fail | | InvalidArgument "test error message" |
//! | Panic.panic | | panics |
//! | Range.range | u32 | a stream of so many u32 |
//! | Range.torn | | a stream of one item and an error |
//! | Pipe.open | | the channel of a tunnel: reads to its end, then says it again with a "!" and ends |
//! | Pipe.flood | u32 | the channel of a tunnel that has so many bytes to say |
//! | Back.call | bytes as they are | what the other end's Values.get makes of them, twice |
//! | Drive.run | | what was seen when the other end was called |

/// FNV-1a of 64 bits, its halves folded.
pub const fn method_id(name: &str) -> u32 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut i = 0;
    while i < name.len() {
        hash ^= name.as_bytes()[i] as u64;
        hash = hash.wrapping_mul(0x0000_0100_0000_01b3);
        i += 1;
    }
    (hash as u32) ^ ((hash >> 32) as u32)
}

pub const ADD: u32 = method_id("Adder.add");
pub const ECHO: u32 = method_id("Echo.echo");
pub const FAIL: u32 = method_id("Fail.fail");
pub const PANIC: u32 = method_id("Panic.panic");
pub const RANGE: u32 = method_id("Range.range");
pub const TORN: u32 = method_id("Range.torn");
pub const OPEN: u32 = method_id("Pipe.open");
pub const FLOOD: u32 = method_id("Pipe.flood");
pub const BACK: u32 = method_id("Back.call");
pub const GET: u32 = method_id("Values.get");
pub const DRIVE: u32 = method_id("Drive.run");

pub fn put_u32(mut value: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

pub fn put_i32(value: i32) -> Vec<u8> {
    put_u32(((value << 1) ^ (value >> 31)) as u32)
}

/// The value, and what is behind it.
pub fn take_u32(bytes: &[u8]) -> (u32, &[u8]) {
    let mut value = 0;
    for (i, byte) in bytes.iter().enumerate() {
        value |= u32::from(byte & 0x7f) << (7 * i);
        if *byte < 0x80 {
            return (value, &bytes[i + 1..]);
        }
    }
    (value, &[])
}

pub fn take_i32(bytes: &[u8]) -> (i32, &[u8]) {
    let (zigzag, rest) = take_u32(bytes);
    (((zigzag >> 1) as i32) ^ -((zigzag & 1) as i32), rest)
}

pub fn add(payload: &[u8]) -> Vec<u8> {
    let (a, rest) = take_i32(payload);
    put_i32(a + take_i32(rest).0)
}

/// Bytes that differ from place to place.
pub fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i * 31) as u8).collect()
}
