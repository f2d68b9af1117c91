// npm run bench -- core|stdio|ws|exec|rapace|acp [--json]
import process from "node:process";
import { parseArgs } from "node:util";
import { acp } from "./acp.ts";
import { core } from "./core.ts";
import { exec } from "./exec.ts";
import { rapace } from "./rapace.ts";
import { print, type Section } from "./report.ts";
import { stdio } from "./stdio.ts";
import { ws } from "./ws.ts";

const SECTIONS: Readonly<Record<string, (progress: (done: number) => void) => Promise<Section>>> = {
  core,
  stdio,
  ws,
  exec,
  rapace,
  acp,
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false } },
});
const names = positionals.length > 0 ? positionals : Object.keys(SECTIONS);
for (const name of names) {
  const section = SECTIONS[name];
  if (section === undefined) {
    console.error(`no section "${name}": there are ${Object.keys(SECTIONS).join(", ")}`);
    process.exit(2);
  }
}
if (values.json && names.length !== 1) {
  console.error(`--json prints one object: name one section of ${Object.keys(SECTIONS).join(", ")}`);
  process.exit(2);
}
for (const name of names) {
  const result = await SECTIONS[name]!((done) => showProgress(name, done));
  if (values.json) console.log(JSON.stringify(result));
  else print(result);
}
process.exit(0);

function showProgress(name: string, done: number): void {
  if (process.stderr.isTTY)
    process.stderr.write(done < 1 ? `\r${name} ${Math.round(done * 100)} %` : "\r\u001b[K");
}
