/** Whether this runs on Node itself: what is tuned to V8 or to Node's own streams means nothing to the others. */
export const ON_NODE: boolean = !("Deno" in globalThis) && !("Bun" in globalThis);
