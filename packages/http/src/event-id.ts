// An event's id says where it stands: `sluice.<stream>_<seq>`. `stream` 0 is the one that GET opens, the others belong to
// one request each, and are looked up within their session only. `seq` counts the messages of the whole session: so a
// client of ours, which reads several streams at once, can put them back into the order in which they were sent; a
// foreign one takes the id as what it is to MCP, a cursor.

/** A place in a stream: behind its message `seq`, or at its beginning where that is 0. */
export interface Cursor {
  readonly stream: number;
  readonly seq: number;
}

export function formatEventId(stream: number, seq: number): string {
  return `sluice.${stream}_${seq}`;
}

/** undefined where the text is no id of ours. */
export function parseEventId(id: string): Cursor | undefined {
  const match = /^sluice\.(0|[1-9]\d{0,14})_(0|[1-9]\d{0,14})$/.exec(id);
  return match === null ? undefined : { stream: Number(match[1]), seq: Number(match[2]) };
}
