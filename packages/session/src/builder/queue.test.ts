import { expect, it } from "vitest";
import { Item, type Intake } from "./item.ts";
import { Queue } from "./queue.ts";
import { quiet } from "./raw-peer.testing.ts";

const log: string[] = [];

class Logged extends Item {
  readonly label: string;
  readonly #work: (() => Promise<void>) | undefined;

  constructor(intake: Intake, label: string, work?: () => Promise<void>) {
    super(intake, 1);
    this.label = label;
    this.#work = work;
  }

  run(): Promise<void> | undefined {
    log.push(this.label);
    return this.#work?.();
  }
  override abandon(): void {
    log.push(`${this.label} abandoned`);
  }
  protected override over(): void {
    log.push(`${this.label} over`);
  }
}

function queue(): Queue {
  log.length = 0;
  return new Queue({
    waiting: 100,
    waitingBytes: 100,
    holding: Number.POSITIVE_INFINITY,
    pause: () => {},
    enter: (work) => work(),
    stalled: () => {},
  });
}

it("runs an item at once where nothing holds it up, and those behind it in order, what is put in front first", async () => {
  const items = queue();
  items.push(new Logged(items, "a"));
  expect(log).toEqual(["a", "a over"]);
  log.length = 0;
  items.push(new Logged(items, "b", () => quiet(2)));
  items.push(new Logged(items, "c"));
  items.unshift(new Logged(items, "front 1", () => quiet(2)));
  items.unshift(new Logged(items, "front 2"));
  expect([log, items.length]).toEqual([["b"], 3]);
  await quiet(8);
  const both = (name: string): string[] => [name, `${name} over`];
  expect(log).toEqual(["b", "front 1", "front 2", "c"].flatMap(both));
});

it("once closed runs nothing: it gives back what waits, and abandons what still comes", async () => {
  const items = queue();
  items.push(new Logged(items, "a", () => quiet(1)));
  const waiting = [new Logged(items, "b"), new Logged(items, "front")];
  items.push(waiting[0]!);
  items.unshift(waiting[1]!);
  expect(items.close()).toEqual([waiting[1], waiting[0]]);
  items.push(new Logged(items, "c"));
  await quiet(3);
  expect(log).toEqual(["a", "c abandoned", "a over"]);
});

it("an item that lets go is followed by the next, in a microtask, and is over when it has settled", async () => {
  const items = queue();
  const first = new Logged(items, "a", () => quiet(2));
  items.push(first);
  items.push(new Logged(items, "b"));
  first.letGo();
  first.letGo();
  expect([first.state, log]).toEqual(["let go", ["a"]]);
  await Promise.resolve();
  expect(log).toEqual(["a", "b", "b over"]);
  await quiet(5);
  expect([first.state, log.at(-1)]).toEqual(["settled", "a over"]);
});
