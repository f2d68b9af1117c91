/**
 * JSON-RPC 2.0 section 6: the answers to one batch, sent as one array once all are there and its notifications have been
 * run, so that whoever reads the array knows that the whole batch has been dealt with.
 */
export class BatchAnswer {
  readonly #send: (text: string) => void;
  readonly #answers: string[] = [];
  #missing = 0;
  #closed = false;

  constructor(send: (text: string) => void) {
    this.#send = send;
  }

  /** One more answer will come. */
  expect(): void {
    this.#missing++;
  }

  add(answer: string): void {
    this.#answers.push(answer);
    this.#missing--;
    this.#check();
  }

  /** What was expected brings no answer: a notification, which has been run. */
  without(): void {
    this.#missing--;
    this.#check();
  }

  /** The whole batch has been read. */
  close(): void {
    this.#closed = true;
    this.#check();
  }

  // Notifications alone get no answer at all.
  #check(): void {
    if (!this.#closed || this.#missing > 0 || this.#answers.length === 0) return;
    this.#send(`[${this.#answers.join(",")}]`);
    this.#answers.length = 0;
  }
}
