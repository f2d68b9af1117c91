// A message too long or too deep to be read still shows at its start what it was, where encoders write the id first.
// Without this a call whose answer cannot be read would wait for ever, and a stream would silently miss an item.
import type { DataFrame, Id } from "@sluice/codec";

export type Salvaged = { readonly kind: "request" | "answer"; readonly id: Id } | DataFrame;

const CALL =
  /^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(\d{1,15}|"[\w.:-]{1,40}")\s*,\s*"(method|result|error)"/;
const ITEM = /^\{"jsonrpc":"2\.0","method":"\$\/stream\/data","params":\{"id":(\d{1,10}),"item":/;
const SIZE = /,"size":(\d{1,10})(,"end":true)?\}\}\s*$/;
const NO_JSON = new Uint8Array(0);

/** @param text the message, or as much of its start as there is */
export function salvage(text: string): Salvaged | undefined {
  const [, stream] = ITEM.exec(text) ?? [];
  const [, size, end] = SIZE.exec(text.slice(-40)) ?? [];
  if (stream !== undefined && size !== undefined)
    // An item that is not JSON: its reader gets it in its turn, as the error that it is (S7).
    return {
      type: "data",
      id: Number(stream),
      size: Number(size),
      payload: NO_JSON,
      item: true,
      more: false,
      end: end !== undefined,
    };
  const [, id, kind] = CALL.exec(text) ?? [];
  if (id === undefined) return undefined;
  return { kind: kind === "method" ? "request" : "answer", id: JSON.parse(id) as Id };
}
