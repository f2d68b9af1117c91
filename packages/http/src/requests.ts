import type { DialOptions, Fetch } from "./options.ts";

/** Sends requests to one URL, with the headers the user wants on each. */
export class Requests {
  readonly #url: string;
  readonly #fetch: Fetch;
  readonly #headers: DialOptions["headers"];

  constructor(url: URL, options: DialOptions) {
    this.#url = url.href;
    this.#fetch = options.fetch ?? ((url, init) => fetch(url, init));
    this.#headers = options.headers;
  }

  /**
   * Rejects where `fetch` does, and where the user's `headers` throw. Redirects are not followed: a header that names a
   * session would go wherever they lead.
   */
  async send(init: RequestInit, headers: Readonly<Record<string, string>>): Promise<Response> {
    const all = new Headers(typeof this.#headers === "function" ? await this.#headers() : this.#headers);
    for (const [name, value] of Object.entries(headers)) all.set(name, value);
    return this.#fetch(this.#url, { redirect: "manual", cache: "no-store", ...init, headers: all });
  }
}
