// One step of a random program.
import type { End } from "./end.ts";
import type { Random } from "./random.ts";
import { Reader } from "./reader.ts";
import type { World } from "./world.ts";

export function step(world: World, random: Random, at?: End): void {
  const end = at ?? random.pick(world.ends);
  const what = random.below(100);
  if (what < 45) end.requester.call(random);
  else if (what < 60) end.requester.notify(random);
  else if (what < 70) {
    if (world.setup.kind === "calls") end.requester.cancelOne(random);
    else end.requester.call(random);
  } else if (what < 76) giveUp(end, random);
  else if (what < 85) stall(world, end, random);
  else if (what < 95) burst(end, random);
  else if (what < 97 && random.chance(20)) drain(world, end);
  else if (what < 98 && random.chance(20)) close(world, end);
  else end.requester.call(random);
}

function giveUp(end: End, random: Random): void {
  const open = end.actors.filter((actor) => !actor.isOver);
  if (open.length === 0) return;
  const actor = random.pick(open);
  if (actor instanceof Reader) actor.stop();
  else actor.reset();
}

function stall(world: World, end: End, random: Random): void {
  end.note("stalls");
  end.out.stall();
  world.clock.after(random.between(1, 60), () => end.out.flow());
}

function burst(end: End, random: Random): void {
  for (let n = random.between(2, 5); n > 0; n--)
    if (random.chance(70)) end.requester.call(random);
    else end.requester.notify(random);
}

function drain(world: World, end: End): void {
  world.mayEnd();
  end.enter("drain", 0, () => end.core.drain("enough", world.clock.now));
}

function close(world: World, end: End): void {
  world.mayEnd();
  end.enter("close", 0, () => end.core.close("enough"));
}
