import { ConnectionTo } from "@sluice/session/builder";

/** What a proxy has of its connection. Its peers are `Client`, before it, and `Agent`, behind it. */
export class ConnectionToConductor extends ConnectionTo {}
