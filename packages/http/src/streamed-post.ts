// The upward direction as one POST whose body lasts as long as the session: no wait for an answer between messages, but
// nothing can be sent again. Its answer comes at its end.
import { RecordBody } from "./record-body.ts";
import type { Upload, UploadOwner } from "./upload.ts";

/** How often a quiet body says that it is still there, in ms: well below the time a server waits for. */
const KEEP_ALIVE = 10_000;

export class StreamedPost implements Upload {
  readonly #owner: UploadOwner;
  readonly #abort = new AbortController();
  readonly #body: RecordBody;
  #state: "open" | "sent" | "over" = "open";

  constructor(owner: UploadOwner, highWater: number) {
    this.#owner = owner;
    const cancelled = new Error("the server wanted no more");
    this.#body = new RecordBody(
      {
        onDrain: () => owner.onDrain(),
        onEnded: () => void (this.#state = "sent"),
        onCancel: () => this.#fail(() => owner.failed(cancelled)),
      },
      { highWater, keepAlive: KEEP_ALIVE, grace: 0 },
    );
  }

  write(chunks: readonly Uint8Array[]): boolean {
    return this.#body.write(chunks);
  }

  first(): undefined {
    return undefined;
  }

  begin(): void {
    void this.#run();
  }

  end(): void {
    this.#body.end();
  }

  stop(): void {
    this.#state = "over";
    this.#abort.abort();
    this.#body.cut();
  }

  async #run(): Promise<void> {
    try {
      const response = await this.#owner.post(this.#body.stream, 0, this.#abort.signal);
      response.body?.cancel().catch(() => {});
      if (this.#state === "over") return;
      // An answer before the end says that the server has given up on the body.
      if (response.status !== 204 || this.#state === "open") {
        this.#fail(() => this.#owner.refused(response));
        return;
      }
      this.#state = "over";
      this.#owner.onEnded();
    } catch (cause) {
      this.#fail(() => this.#owner.failed(cause));
    }
  }

  #fail(why: () => ReturnType<UploadOwner["failed"]>): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#owner.onFailure(why());
  }
}
