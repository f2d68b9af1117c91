// What the agent can be asked for.
import { setTimeout as sleep } from "node:timers/promises";
import { TurnCancelled, type Command } from "./turn.ts";

export const COMMANDS: readonly Command[] = [
  {
    name: "read",
    hint: "FILE",
    description: "show the first lines of a file",
    async run(turn, [path]) {
      if (path === undefined) return turn.say("Read what? `read FILE`\n");
      const text = await turn.tool(`Read ${path}`, "read", async () => {
        const content = await turn.readFile(path);
        return { value: content, content: [] };
      });
      const lines = text.split("\n");
      await turn.say(`\`\`\`\n${lines.slice(0, 20).join("\n")}\n\`\`\`\n`);
      if (lines.length > 20) await turn.say(`and ${lines.length - 20} lines more\n`);
    },
  },
  {
    name: "replace",
    hint: "FILE OLD NEW",
    description: "replace a word in a file, after asking",
    async run(turn, [path, old, now]) {
      if (path === undefined || old === undefined || now === undefined)
        return turn.say("Replace what? `replace FILE OLD NEW`\n");
      const count = await turn.tool(`Replace ${old} in ${path}`, "edit", async (call) => {
        const oldText = await turn.readFile(path);
        const newText = oldText.replaceAll(old, now);
        const diff = { type: "diff" as const, path: turn.absolute(path), oldText, newText };
        await turn.show(call, [diff]);
        if (newText !== oldText) {
          await turn.permit(call, `Write ${path}`);
          await turn.writeFile(path, newText);
        }
        return { value: oldText.split(old).length - 1, content: [diff] };
      });
      await turn.say(count === 0 ? `There is no ${old} in ${path}.\n` : `Replaced ${count} times.\n`);
    },
  },
  {
    name: "run",
    hint: "PROGRAM ARGUMENTS…",
    description: "run a program in a terminal, after asking",
    async run(turn, [program, ...args]) {
      if (program === undefined) return turn.say("Run what? `run PROGRAM ARGUMENTS…`\n");
      const title = [program, ...args].join(" ");
      const { exitCode, output } = await turn.tool(`Run ${title}`, "execute", async (call) => {
        await turn.permit(call, `Run ${title}`);
        let terminal = "";
        const ran = await turn.run(program, args, (terminalId) => {
          terminal = terminalId;
          return turn.show(call, [{ type: "terminal", terminalId }]);
        });
        return { value: ran, content: [{ type: "terminal", terminalId: terminal }] };
      });
      await turn.say(`${output}\n${program} ended with ${exitCode ?? "a signal"}.\n`);
    },
  },
  {
    name: "count",
    hint: "NUMBER",
    description: "count slowly, to be cancelled",
    async run(turn, [words = "10"]) {
      for (let n = 1; n <= Number(words); n++) {
        await turn.say(`${n} `);
        await sleep(100, undefined, { signal: turn.signal }).catch(() => {
          throw new TurnCancelled("the turn was cancelled");
        });
      }
      await turn.say("\n");
    },
  },
];

export const HELP: string = [
  "I have no model, and know these words:",
  ...COMMANDS.map(({ name, hint, description }) => `- \`${name} ${hint}\`: ${description}`),
  "",
].join("\n");
