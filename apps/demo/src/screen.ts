// What a person sees. With --json nobody does: then every line is kept back.
import process from "node:process";
import { styleText } from "node:util";
import { Presets, SingleBar } from "cli-progress";

type Style = Parameters<typeof styleText>[0];

export interface Bar {
  update(done: number): void;
  stop(): void;
}

export class Screen {
  readonly #silent: boolean;
  readonly #color: boolean;

  constructor(silent: boolean) {
    this.#silent = silent;
    this.#color = isTerminal() && process.env["NO_COLOR"] === undefined;
  }

  title(text: string): void {
    this.#print(`\n${this.#style("bold", text)}`);
  }

  line(text: string): void {
    this.#print(`  ${text}`);
  }

  result(ok: boolean, text: string): void {
    this.#print(`  ${ok ? this.#style("green", "ok") : this.#style("red", "failed")}  ${text}`);
  }

  /** A progress bar over `total` MiB, where there is a terminal to draw it on. */
  bar(total: number): Bar {
    if (this.#silent || !isTerminal()) return { update: () => {}, stop: () => {} };
    const format = "  {bar} {percentage} %  {value}/{total} MiB  {speed} MiB/s";
    const bar = new SingleBar({ format, hideCursor: true, clearOnComplete: true }, Presets.shades_classic);
    const begun = performance.now();
    bar.start(Math.round(total), 0, { speed: 0 });
    return {
      update: (done) => {
        const speed = Math.round((done * 1000) / Math.max(1, performance.now() - begun));
        bar.update(Math.round(done), { speed });
      },
      stop: () => bar.stop(),
    };
  }

  #print(text: string): void {
    if (!this.#silent) console.log(text);
  }

  #style(style: Style, text: string): string {
    return this.#color ? styleText(style, text, { validateStream: false }) : text;
  }
}

// Undefined on some runtimes, whatever the types say.
function isTerminal(): boolean {
  return process.stdout.isTTY;
}
