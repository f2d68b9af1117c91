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
export type { TraceContext } from "./http-trace.ts";
export { HttpError } from "./http-error.ts";
export type { HttpErrorKind } from "./http-error.ts";
export { createFetch } from "./create-fetch.ts";
export type { CreateFetchOptions } from "./create-fetch.ts";

// A client of an executor.
export { connect } from "./client.ts";
export type { ConnectOptions, ExecClient, ExecStats } from "./client.ts";
export { ExecError } from "./client-error.ts";
export type { ExecErrorKind } from "./client-error.ts";
export type { Dial } from "./client-handshake.ts";
export { EXEC_LIMITS } from "./client-limits.ts";
export type { ExecLimits } from "./client-limits.ts";
export type { FilePath } from "./client-path.ts";
export type { OnPolicyRequest, PolicyDecision, PolicyRequest } from "./client-policy.ts";
export type { ClientState } from "./client-state.ts";
export type { DirectoryEntry, EnvironmentInfo, FileMetadata, Walk } from "./client-wire.ts";
export type { RecoveryOptions } from "./recovery.ts";
export type { FileCallOptions, RemoteFiles, WalkOptions } from "./remote-files.ts";
export type { ProcessExit, RemoteProcess } from "./remote-process.ts";
export type { RemoteHttpLimits } from "./remote-http.ts";
export type { RemoteProcesses, StartOptions } from "./remote-processes.ts";
