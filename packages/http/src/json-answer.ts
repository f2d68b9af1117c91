import { refusal } from "./refusal.ts";

/** The answer to one request as the JSON body of its response, which waits for it. */
export class JsonAnswer {
  readonly response: Promise<Response>;
  readonly #headers: Readonly<Record<string, string>>;
  #resolve!: (response: Response) => void;

  constructor(headers: Readonly<Record<string, string>>) {
    this.#headers = headers;
    this.response = new Promise((resolve) => (this.#resolve = resolve));
  }

  answer(text: string): void {
    const headers = { ...this.#headers, "Content-Type": "application/json", "Cache-Control": "no-store" };
    this.#resolve(new Response(text, { headers }));
  }

  /** The session ended, and no answer will come. */
  end(): void {
    this.#resolve(refusal(404, "the session ended before this request was answered"));
  }
}
