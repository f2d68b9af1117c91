import { run, shrink } from "./run.ts";
const n = Number(process.argv[2] ?? 100), from = Number(process.argv[3] ?? 1);
const t = performance.now(); let events = 0, bytes = 0; const rules = new Map<string, number[]>();
for (let s = from; s < from + n; s++) { const o = run(s); events += o.events; bytes += o.bytes; if (o.violation) { const k = o.violation.message.slice(0, 110).replace(/\d+/g, "N"); rules.set(k, [...(rules.get(k) ?? []), s]); } }
const ms = performance.now() - t;
console.log(n / ms * 1000, "seeds/s", events / n, "events", bytes / n, "bytes");
for (const [k, v] of [...rules].sort((x, y) => y[1].length - x[1].length)) console.log(v.length, k, v.slice(0, 5).join(" "));
