// A Sluice transport as one of the MCP SDK's.
import type { JSONRPCMessage, Transport as SdkTransport } from "@modelcontextprotocol/client";
import type { Transport } from "@sluice/transport";

export function sdkTransport(transport: Transport): SdkTransport {
  const made: SdkTransport = {
    async start() {
      transport.start({
        onData: (chunk) => {
          const text = typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk);
          made.onmessage?.(JSON.parse(text) as JSONRPCMessage);
        },
        onDrain() {},
        onEnd: () => transport.close(),
        onClose: (error) => {
          if (error !== undefined) made.onerror?.(error);
          made.onclose?.();
        },
      });
    },
    async send(message) {
      transport.write([JSON.stringify(message)]);
    },
    async close() {
      transport.close();
    },
  };
  return made;
}
