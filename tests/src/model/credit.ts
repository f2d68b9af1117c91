// Credit as numbers, with everything that takes no time left out: the writer sends all it may, the reader reads all it
// can. What is left is whether the two go on for ever.

export interface Flow {
  readonly window: number;
  /** Bytes of each item; a reader can only read whole ones. */
  readonly items: readonly number[];
  /** S6: parts of an unfinished item count as read when they arrive. */
  readonly countsParts: boolean;
}

/** How many bytes get through. */
export function flow({ window, items, countsParts }: Flow): number {
  const ends: number[] = [];
  let total = 0;
  for (const size of items) ends.push((total += size));
  let sent = 0;
  let read = 0;
  let granted = window;
  for (let moved = true; moved;) {
    const before = sent + read + granted;
    sent = Math.min(total, granted);
    const next = ends.find((end) => end > read);
    if (next !== undefined && sent >= next) read = next;
    // Parts count once everything before them has been read.
    const done = ends.findLast((end) => end <= sent) ?? 0;
    const counted = countsParts && read === done ? sent : read;
    if (counted + window - granted >= window / 2) granted = counted + window;
    moved = sent + read + granted > before;
  }
  return read;
}

/**
 * S6a: one stream lies full and unread while another is read. Returns how much of ten windows the other gets through.
 * @param cap bytes of a session that may lie unread
 * @param growthOnly the cap limits how windows grow, and not a stream's first window
 */
export function beside(window: number, cap: number, growthOnly: boolean): number {
  const unreadBeside = window;
  const total = 10 * window;
  let sent = 0;
  let read = 0;
  let granted = window;
  for (let moved = true; moved;) {
    const before = sent + read + granted;
    sent = Math.min(granted, total);
    read = sent;
    const mayGrant = growthOnly || unreadBeside + window <= cap;
    if (mayGrant && read + window - granted >= window / 2) granted = read + window;
    moved = sent + read + granted > before;
  }
  return read;
}
