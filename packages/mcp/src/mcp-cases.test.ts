import { direct } from "./direct.testing.ts";
import { mcpCases } from "./mcp-cases.testing.ts";

mcpCases("a fetch", direct);
