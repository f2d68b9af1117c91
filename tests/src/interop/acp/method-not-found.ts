/** Thrown by a host that does not know the method: the client answers -32601. */
export class MethodNotFound extends Error {
  constructor(method: string) {
    super(`this host has no ${method}`);
  }
}
