// The 64-byte descriptor in front of every payload, and what stands in it. All numbers are little-endian.
//
//   0 u64 msg_id        12 u32 method_id        24 u32 payload_offset   36 u32 credit_grant
//   8 u32 channel_id    16 u32 payload_slot     28 u32 payload_len      40 u64 deadline_ns
//                       20 u32 payload_generation  32 u32 flags         48 16 B inline payload

/** Bytes. */
export const DESCRIPTOR: number = 64;
/** Bytes of the length in front of a frame, where the transport carries a run of bytes. */
export const PREFIX: number = 4;
/** Payloads of up to so many bytes stand in the descriptor, too. */
export const INLINE: number = 16;
/** `payload_slot` of a payload that stands in the descriptor. */
export const INLINE_SLOT: number = 0xffff_ffff;

export const FLAG: {
  readonly data: 0x01;
  readonly control: 0x02;
  readonly eos: 0x04;
  readonly error: 0x10;
  readonly credits: 0x40;
  readonly noReply: 0x100;
} = { data: 0x01, control: 0x02, eos: 0x04, error: 0x10, credits: 0x40, noReply: 0x100 };

/** What is said in a descriptor and behind it. */
export interface Frame {
  /** Counts the sender's frames; 0 in answers. Above 2^53 it is rounded. */
  readonly message: number;
  /** 0: control and notifications. */
  readonly channel: number;
  /** A method's hash in requests, a verb in control frames, 0 in answers and chunks. */
  readonly method: number;
  /** Of `FLAG`; unknown ones are kept and mean nothing. */
  readonly flags: number;
  /** Bytes granted; means something with `FLAG.credits`. */
  readonly credit: number;
  /** ns of the sender's clock; undefined where there is none. */
  readonly deadline: bigint | undefined;
  readonly payload: Uint8Array;
}
