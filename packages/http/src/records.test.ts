import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeRecord, endRecord, RECORD_LIMIT, RecordDecoder, stillHere } from "./records.ts";

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(pieces.flatMap((piece) => [...piece]));
}

function head(length: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, length);
  return bytes;
}

/** Decodes bytes cut at these places. */
function decodeCut(bytes: Uint8Array, cuts: readonly number[]): { payload: Uint8Array; state: string } {
  const decoder = new RecordDecoder();
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  const slices = places
    .slice(1)
    .flatMap((end, at) => decoder.decode(bytes.subarray(places[at] as number, end)));
  expect(slices.every((slice) => slice.length > 0)).toBe(true);
  return { payload: joined(slices), state: decoder.state };
}

const chunk = fc.uint8Array({ maxLength: 40 });

describe("records", () => {
  it("P1: whatever a body is cut into, what it carries is the same", () => {
    fc.assert(
      fc.property(fc.array(fc.array(chunk, { maxLength: 4 })), fc.array(fc.nat()), (records, cuts) => {
        const pieces = records.flatMap((chunks) => [...encodeRecord(chunks), stillHere()]);
        const whole = decodeCut(joined([...pieces, endRecord()]), cuts);
        expect(whole.payload).toEqual(joined(records.flat()));
        expect(whole.state).toBe("ended");
        // Without its last byte it has not ended, so a cut is never taken for an end.
        const cut = decodeCut(joined([...pieces, endRecord().subarray(1)]), cuts);
        expect(cut.payload).toEqual(joined(records.flat()));
        expect(cut.state).toBe("head");
      }),
    );
  });

  it("P1: any other length above 16 MiB is refused before anything of it is read", () => {
    const lengths = fc.integer({ min: RECORD_LIMIT + 1, max: 0xffff_fffe });
    fc.assert(
      fc.property(lengths, (length) => {
        const decoder = new RecordDecoder();
        expect(decoder.decode(joined([head(length), new Uint8Array(8)]))).toEqual([]);
        expect(decoder.state).toBe("broken");
        expect(decoder.problem).toMatch(/^P1: .*16 MiB/);
        expect(decoder.decode(endRecord())).toEqual([]);
        expect(decoder.state).toBe("broken");
      }),
      { examples: [[RECORD_LIMIT + 1], [0xffff_fffe]] },
    );
  });

  it("P1: a record of exactly 16 MiB is taken", () => {
    const decoder = new RecordDecoder();
    expect(decoder.decode(head(RECORD_LIMIT))).toEqual([]);
    const [slice] = decoder.decode(new Uint8Array(RECORD_LIMIT));
    expect(slice?.length).toBe(RECORD_LIMIT);
    expect(decoder.state).toBe("between");
  });

  it("P1: bytes after the record that ends the direction are refused", () => {
    const decoder = new RecordDecoder();
    expect(decoder.decode(joined([endRecord(), stillHere()]))).toEqual([]);
    expect(decoder.state).toBe("broken");
  });

  it("passes on views of what it was given and copies nothing", () => {
    const bytes = joined(encodeRecord([new Uint8Array([1, 2, 3])]));
    const [slice] = new RecordDecoder().decode(bytes);
    expect(slice?.buffer).toBe(bytes.buffer);
  });

  it("small chunks leave in one piece behind their head, large ones by reference", () => {
    const small = [new Uint8Array([1]), new Uint8Array([2, 3])];
    expect(encodeRecord(small)).toEqual([new Uint8Array([0, 0, 0, 3, 1, 2, 3])]);
    const large = new Uint8Array(100_000);
    const pieces = encodeRecord([large]);
    expect(pieces[0]).toEqual(head(100_000));
    expect(pieces[1]).toBe(large);
    expect(encodeRecord([new Uint8Array(0)])).toEqual([]);
  });
});
