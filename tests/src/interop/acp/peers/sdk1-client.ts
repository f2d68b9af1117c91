import { main } from "../program.ts";
import { sdk19Client } from "../sdk.ts";

await main(sdk19Client);
