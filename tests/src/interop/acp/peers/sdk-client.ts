import { main } from "../program.ts";
import { sdk24Client } from "../sdk.ts";

await main(sdk24Client);
