// Runs the steps of a CI run one after the other, whatever fails, and tells how each went.
import { spawn } from "node:child_process";
import { delimiter } from "node:path";
import { closingLine, type Counts } from "./report.ts";

export interface Step {
  readonly name: string;
  /** A command, run without a shell. */
  readonly run: readonly string[];
  readonly minutes?: number;
  /** Says why the step is left out here, if it is. Asked right before the step. */
  readonly skip?: () => string | undefined;
  /** Reads how many tests ran from what the step printed, or from a report it wrote. */
  readonly counts?: (output: string) => Counts | undefined;
}

export interface Result {
  readonly name: string;
  readonly status: "ok" | "failed" | "left out";
  readonly seconds: number;
  readonly note: string;
  readonly counts?: Counts;
  /** What it printed last. */
  readonly tail?: string;
}

/** Lines of it. */
const TAIL = 60;

/** Without the workspace's own tools, so that npm runs on the machine's Node, as it does for a person. */
const PATH = (process.env["PATH"] ?? "")
  .split(delimiter)
  .filter((folder) => !/node_modules[\\/]\.bin$/.test(folder))
  .join(delimiter);

/** Runs in a process group of its own, which goes as a whole when the time is up. */
function execute({
  run: [command = "", ...args],
  minutes = 10,
}: Step): Promise<{ output: string; why: string }> {
  return new Promise((done) => {
    const child = spawn(command, args, {
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
      env: { ...process.env, PATH, NO_COLOR: "1" },
    });
    let output = "";
    let late = false;
    const clock = setTimeout(() => {
      late = true;
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    }, minutes * 60_000);
    const show = (data: Buffer): void => {
      output += data.toString();
      process.stdout.write(data);
    };
    child.stdout.on("data", show);
    child.stderr.on("data", show);
    child.once("error", (error) => {
      clearTimeout(clock);
      done({ output, why: error.message });
    });
    child.once("close", (code, signal) => {
      clearTimeout(clock);
      done({
        output,
        why: late ? `still running after ${minutes} min` : code === 0 ? "" : `exit ${code ?? signal}`,
      });
    });
  });
}

export async function runStep(step: Step): Promise<Result> {
  const { name } = step;
  console.log(`\n━━ ${name}: ${step.run.join(" ")}`);
  const started = Date.now();
  const reason = step.skip?.();
  if (reason !== undefined) {
    console.log(`left out: ${reason}`);
    return { name, status: "left out", seconds: 0, note: reason };
  }
  const { output, why } = await execute(step);
  const seconds = (Date.now() - started) / 1000;
  const status = why === "" ? "ok" : "failed";
  console.log(`━━ ${name}: ${status} after ${seconds.toFixed(1)} s${why === "" ? "" : ` (${why})`}`);
  const counts = step.counts?.(output);
  const note = [counts === undefined ? "" : closingLine(counts), why]
    .filter((part) => part !== "")
    .join("; ");
  const tail = output.trimEnd().split("\n").slice(-TAIL).join("\n");
  return { name, status, seconds, note, tail, ...(counts === undefined ? {} : { counts }) };
}

/** Tests count one by one; a step that fails without naming a failed test counts as one failure. */
export function total(results: readonly Result[]): Counts {
  let [passed, failed, skipped] = [0, 0, 0];
  for (const { status, counts } of results) {
    passed += counts?.passed ?? 0;
    skipped += counts?.skipped ?? 0;
    failed += status === "failed" ? Math.max(1, counts?.failed ?? 0) : (counts?.failed ?? 0);
  }
  return { passed, failed, skipped };
}

/** The ends of what failed steps printed, which otherwise lie far above. */
export function failures(results: readonly Result[]): string {
  return results
    .filter(({ status }) => status === "failed")
    .map(({ name, tail = "" }) => `━━ ${name} failed; it printed last:\n${tail}\n`)
    .join("\n");
}

export function table(results: readonly Result[]): string {
  const width = Math.max(...results.map(({ name }) => name.length));
  return results
    .map(({ name, status, seconds, note }) =>
      `${name.padEnd(width)}  ${status.padEnd(8)}  ${seconds.toFixed(1).padStart(6)} s  ${note}`.trimEnd(),
    )
    .join("\n");
}
