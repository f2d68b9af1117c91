// What a client over Streamable HTTP does, whoever makes its requests: one list of cases, run over every HttpClient.
import { staging, type Fault } from "./cases.testing.ts";
import { messageCases } from "./message-cases.testing.ts";
import { redirectCases } from "./redirect-cases.testing.ts";
import { repeatCases } from "./repeat-cases.testing.ts";
import { sessionCases } from "./session-cases.testing.ts";
import { streamCases } from "./stream-cases.testing.ts";
import type { MakePlace } from "./stage.testing.ts";

export function mcpCases(name: string, make: MakePlace, faults: readonly Fault[] = []): void {
  const all = staging(name, make, faults);
  messageCases(all);
  repeatCases(all);
  sessionCases(all);
  streamCases(all);
  redirectCases(all);
}
