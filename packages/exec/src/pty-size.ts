/** Of every terminal: the wire cannot change it. As codex has it. */
export const TERMINAL_SIZE: { readonly cols: number; readonly rows: number } = { cols: 80, rows: 24 };
