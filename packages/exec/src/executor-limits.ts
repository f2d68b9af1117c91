// Every bound of an executor, with what happens at it.

const KiB = 1024;
const MiB = 1024 * KiB;

export interface ExecutorLimits {
  /** Connections at once. Beyond: a new one is closed at once. */
  readonly connections: number;
  /** Sessions, those that wait to be resumed among them. Beyond: `initialize` is answered -32012. */
  readonly sessions: number;
  /** ms a session without a connection is kept, with its processes. Then it is forgotten and they are killed. */
  readonly detached: number;
  /** Bytes of one message. Above: refused before it is buffered (F4). */
  readonly message: number;
  /** Bytes of unsent answers. Beyond: the connection closes (L4). */
  readonly outbox: number;

  /** Calls of a connection that run at once; control calls are not counted. Beyond: they wait, in order. */
  readonly calls: number;
  /** Calls that wait. Beyond: answered -32012. */
  readonly waiting: number;
  /** Characters in the params of calls that run or wait, roughly. Beyond: answered -32012. */
  readonly callSize: number;

  /** HTTP requests of a connection, bodies under way included. Beyond: answered -32012. */
  readonly requests: number;
  /** Bytes of a response's body that goes into an answer whole. Above: answered -32603; a streamed one has no such bound. */
  readonly buffered: number;

  /** Processes of a session, those that have ended and are still remembered among them. Beyond: -32012. */
  readonly processes: number;
  /** Bytes, and pieces, of a process's output kept for `process/read`. Beyond: the oldest are forgotten. */
  readonly retainedBytes: number;
  readonly retainedChunks: number;
  /** ms a process is remembered after it and its output have ended. Then it is unknown. */
  readonly remembered: number;
  /** ms that what has left a terminated process's group may hold its output open. Then it is closed. */
  readonly lingering: number;
  /** `writeId`s remembered for each process. Beyond: the oldest is forgotten. */
  readonly writeIds: number;
  /** Writes to one process that wait for it to read. Beyond: answered -32012. */
  readonly writes: number;
  /** ms that `process/read` waits, however long it is asked to. Then it answers with what there is. */
  readonly wait: number;
  /** Bytes held for a connection that does not take them, where a terminal cannot be paused (Bun). Beyond: it is killed. */
  readonly terminalHeld: number;

  /** Bytes of a file that `fs/readFile` reads. Above: refused; `fs/open` and `fs/readBlock` have no such bound. */
  readonly file: number;
  /** Files a connection may have open. Beyond: refused. */
  readonly handles: number;
  /** Bytes of one block read or written. Above: refused. */
  readonly block: number;
  /** Entries of a directory that is read. Above: refused. */
  readonly entries: number;
  /** What one `fs/walk` may ask for at most. Above: refused. */
  readonly walkDepth: number;
  readonly walkDirectories: number;
  readonly walkEntries: number;
  /** Characters of the URIs that a walk finds. Beyond: it is `truncated`. */
  readonly walkSize: number;
}

export const EXECUTOR_LIMITS: ExecutorLimits = {
  connections: 256,
  sessions: 1024,
  detached: 30_000,
  message: 64 * MiB,
  outbox: 256 * MiB,
  calls: 64,
  waiting: 1024,
  callSize: 128 * MiB,
  requests: 1024,
  buffered: 32 * MiB,
  processes: 256,
  retainedBytes: MiB,
  retainedChunks: 50_000,
  remembered: 30_000,
  lingering: 2000,
  writeIds: 4096,
  writes: 64,
  wait: 300_000,
  terminalHeld: 16 * MiB,
  file: 32 * MiB,
  handles: 128,
  block: MiB,
  entries: 50_000,
  walkDepth: 64,
  walkDirectories: 10_000,
  walkEntries: 50_000,
  walkSize: 16 * MiB,
};

/** @throws RangeError that names the limit which is not a number above 0. */
export function executorLimits(given: Partial<ExecutorLimits> = {}): ExecutorLimits {
  const limits = { ...EXECUTOR_LIMITS, ...given };
  for (const [name, value] of Object.entries(limits))
    if (!(value > 0)) throw new RangeError(`limits.${name} must be above 0, not ${value}`);
  return limits;
}
