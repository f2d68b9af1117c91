// For programs that have requests made: here, by a fetch, or by the other end of a session.
export { fetchClient } from "./fetch-client.ts";
export type { Fetch, FetchClientOptions } from "./fetch-client.ts";
export type {
  BufferedResponse,
  HttpClient,
  HttpHeader,
  HttpRequest,
  HttpResponse,
  HttpTimeouts,
  StreamedResponse,
} from "./http-client.ts";
export { HttpError } from "./http-error.ts";
export type { HttpErrorKind } from "./http-error.ts";
