import { LOST, raised } from "./close-codes.ts";
import { StandardSocket } from "./standard-socket.ts";

/**
 * The server's side of Deno's WebSocket, which may send any code. Once it has sent a Close it drops the connection at the
 * next message that comes, and with it what it has not sent (Deno 2.9): so Close waits until everything has left.
 */
export class DenoSocket extends StandardSocket {
  override close(code: number, reason: string): void {
    if (this.buffered === 0 || code === raised(LOST)) this.socket.close(code, reason);
    else this.whenBelow(1, () => this.socket.close(code, reason));
  }
}
