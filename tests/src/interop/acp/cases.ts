// What every client and every agent of the Agent Client Protocol must do with one another, whoever wrote them. An agent
// of the script "words" does in a turn what the prompt says:
//
//   echo X       says X                                   permission   asks for permission, says what came of it
//   updates N    says 1 to N, a chunk each                fs           reads line 2 of in.txt, writes it to out.txt, says it
//   large N      says N letters in one chunk              terminal     runs `print` in a terminal, says what it put out
//   meta         says "meta", with the prompt's _meta,    ext          sends _test/note, asks _test/echo, says its value
//                which goes on the answer, too            notes        says how many _test/note it has got
//   wait         says "waiting", until it is cancelled    error        fails with code 1234
//
// It answers session/new whose `_meta.test` is "refuse" with error 1235, and `_test/echo` with the value. A load replays
// what the session's prompts and turns have said. "example" is the one turn of the SDK's example agent.
import assert from "node:assert/strict";
import type { AcpBench } from "./bench.ts";
import type { AcpCase, Script } from "./case.ts";

const MiB = 1024 * 1024;
const META = {
  "test/a": { deep: [1, null, { b: "é" }] },
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
};

function words(name: string, run: (bench: AcpBench) => Promise<void>): AcpCase {
  return { name, script: "words", run };
}

function example(name: string, run: (bench: AcpBench) => Promise<void>): AcpCase {
  return { name, script: "example", run };
}

/** The cases for agents of a script. */
export function casesOf(script: Script): readonly AcpCase[] {
  return cases.filter((one) => one.script === script);
}

const cases: readonly AcpCase[] = [
  words("initialize tells the version and the capabilities", async (bench) => {
    const { protocolVersion, agentCapabilities } = await bench.initialize();
    assert.equal(protocolVersion, 1);
    assert.equal((agentCapabilities as { loadSession?: boolean }).loadSession, true);
  }),
  words("a prompt is answered after its updates, which come in order", async (bench) => {
    const sessionId = await bench.session();
    const { stopReason, texts } = await bench.prompt(sessionId, "updates 5");
    assert.equal(stopReason, "end_turn");
    assert.deepEqual(
      texts,
      ["1", "2", "3", "4", "5"].map((text) => bench.said(text)),
    );
  }),
  words("two sessions have turns at the same time", async (bench) => {
    const one = await bench.session();
    const other = await bench.newSession();
    const waiting = bench.prompt(one, "wait");
    await bench.saw({ text: "waiting" });
    const { texts } = await bench.prompt(other, "echo beside it");
    assert.deepEqual(texts, [bench.said("beside it")]);
    await bench.connection.notify("session/cancel", { sessionId: one });
    assert.equal((await waiting).stopReason, "cancelled");
    assert.deepEqual(bench.texts(one), [bench.said("waiting")]);
  }),
  words("a permission is asked for, and what is selected comes back", async (bench) => {
    const sessionId = await bench.session();
    bench.answers.set("session/request_permission", ({ options }) => {
      const [, { optionId }] = options as [{ optionId: string }, { optionId: string }];
      return { outcome: { outcome: "selected", optionId } };
    });
    const { stopReason, texts } = await bench.prompt(sessionId, "permission");
    assert.deepEqual([stopReason, texts], ["end_turn", [bench.said("selected reject")]]);
  }),
  words("a turn is cancelled while a permission is asked for, which is answered cancelled", async (bench) => {
    const sessionId = await bench.session();
    const cancelled = Promise.withResolvers<unknown>();
    bench.answers.set("session/request_permission", () => cancelled.promise);
    const turn = bench.prompt(sessionId, "permission");
    await bench.saw({ method: "session/request_permission" });
    await bench.connection.notify("session/cancel", { sessionId });
    cancelled.resolve({ outcome: { outcome: "cancelled" } });
    const { stopReason, texts } = await turn;
    assert.deepEqual([stopReason, texts], ["cancelled", [bench.said("cancelled")]]);
  }),
  words("a turn is cancelled in the middle, and the next one runs", async (bench) => {
    const sessionId = await bench.session();
    const turn = bench.prompt(sessionId, "wait");
    await bench.saw({ text: "waiting" });
    await bench.connection.notify("session/cancel", { sessionId });
    assert.equal((await turn).stopReason, "cancelled");
    assert.equal((await bench.prompt(sessionId, "echo next")).stopReason, "end_turn");
  }),
  words("a prompt is given up by $/cancel_request, and the next one runs", async (bench) => {
    const sessionId = await bench.session();
    const controller = new AbortController();
    const turn = bench.prompt(sessionId, "wait", { signal: controller.signal });
    const refusal = bench.refusal(turn);
    await bench.saw({ text: "waiting" });
    controller.abort();
    assert.equal((await refusal).code, -32800);
    assert.equal((await bench.prompt(sessionId, "echo next")).stopReason, "end_turn");
  }),
  words("a file is read and written through the client", async (bench) => {
    const sessionId = await bench.session();
    const { folder } = bench;
    const calls: unknown[] = [];
    bench.answers.set("fs/read_text_file", ({ path, line, limit }) => {
      calls.push([path, line, limit]);
      return { content: "the second — ü\n" };
    });
    bench.answers.set("fs/write_text_file", ({ path, content }) => {
      calls.push([path, content]);
      return {};
    });
    const { texts } = await bench.prompt(sessionId, "fs");
    assert.deepEqual(calls, [
      [`${folder}/in.txt`, 2, 1],
      [`${folder}/out.txt`, "the second — ü\n"],
    ]);
    assert.deepEqual(texts, [bench.said("the second — ü\n")]);
  }),
  words("a file the client does not have is an error of the turn alone", async (bench) => {
    const sessionId = await bench.session();
    bench.answers.set("fs/read_text_file", () => {
      throw Object.assign(new Error("Resource not found"), { code: -32002 });
    });
    assert.notEqual((await bench.refusal(bench.prompt(sessionId, "fs"))).code, 0);
    assert.deepEqual((await bench.prompt(sessionId, "echo up")).texts, [bench.said("up")]);
  }),
  words("a command runs in a terminal of the client's", async (bench) => {
    const sessionId = await bench.session();
    let created: unknown;
    bench.answers.set("terminal/create", ({ command, args, env, cwd }) => {
      created = { command, args, env, cwd };
      return { terminalId: "terminal 1" };
    });
    const known = (answer: unknown) => (params: Readonly<Record<string, unknown>>) => {
      assert.deepEqual([params["sessionId"], params["terminalId"]], [sessionId, "terminal 1"]);
      return answer;
    };
    bench.answers.set("terminal/wait_for_exit", known({ exitCode: 3 }));
    bench.answers.set("terminal/output", known({ output: "a b c", truncated: false }));
    bench.answers.set("terminal/release", known({}));
    const { texts } = await bench.prompt(sessionId, "terminal");
    assert.deepEqual(created, {
      command: "print",
      args: ["a b", "c"],
      env: [{ name: "NAME", value: "value" }],
      cwd: bench.folder,
    });
    assert.deepEqual(texts, [bench.said("a b c false 3")]);
    assert.deepEqual(bench.asked, [
      "terminal/create",
      "terminal/wait_for_exit",
      "terminal/output",
      "terminal/release",
    ]);
  }),
  words("a load replays the session before it is answered", async (bench) => {
    const sessionId = await bench.session();
    await bench.prompt(sessionId, "echo one");
    await bench.prompt(sessionId, "updates 2");
    const from = bench.updates.length;
    await bench.connection.request("session/load", { sessionId, cwd: bench.folder, mcpServers: [] });
    const replayed = bench.updates.slice(from).map(({ update }) => {
      assert(update.sessionUpdate === "user_message_chunk" || update.sessionUpdate === "agent_message_chunk");
      assert(update.content.type === "text");
      return `${update.sessionUpdate === "user_message_chunk" ? "user" : "agent"} ${update.content.text}`;
    });
    assert.deepEqual(replayed, [
      "user echo one",
      `agent ${bench.said("one")}`,
      "user updates 2",
      `agent ${bench.said("1")}`,
      `agent ${bench.said("2")}`,
    ]);
  }),
  words("a load of a session that is not there is refused, and the connection stays up", async (bench) => {
    const sessionId = await bench.session();
    const params = { sessionId: "none", cwd: bench.folder, mcpServers: [] };
    assert.equal((await bench.refusal(bench.connection.request("session/load", params))).code, -32002);
    assert.deepEqual((await bench.prompt(sessionId, "echo up")).texts, [bench.said("up")]);
  }),
  words("a mode is set, which an update tells before the answer", async (bench) => {
    const sessionId = await bench.session();
    await bench.connection.request("session/set_mode", { sessionId, modeId: "code" });
    const [notice] = bench.updates;
    assert.deepEqual(notice, {
      sessionId,
      update: { sessionUpdate: "current_mode_update", currentModeId: "code" },
    });
  }),
  words("an error answer to a prompt leaves the connection up", async (bench) => {
    const sessionId = await bench.session();
    assert.deepEqual(await bench.refusal(bench.prompt(sessionId, "error")), {
      code: 1234,
      message: "asked to fail",
      data: { word: "error" },
    });
    assert.deepEqual((await bench.prompt(sessionId, "echo up")).texts, [bench.said("up")]);
  }),
  words("an error answer to session/new leaves the connection up", async (bench) => {
    await bench.initialize();
    const params = { cwd: bench.folder, mcpServers: [], _meta: { test: "refuse" } };
    const { code, message } = await bench.refusal(bench.connection.request("session/new", params));
    assert.deepEqual([code, message], [1235, "asked to refuse"]);
    const { texts } = await bench.prompt(await bench.newSession(), "echo up");
    assert.deepEqual(texts, [bench.said("up")]);
  }),
  words("a method that nobody has is refused on both sides, and the connection stays up", async (bench) => {
    const sessionId = await bench.session();
    const unknown = bench.connection.request("_test/unknown", { sessionId });
    assert.equal((await bench.refusal(unknown)).code, -32601);
    // This case's host answers no terminal/create.
    await bench.refusal(bench.prompt(sessionId, "terminal"));
    assert.deepEqual(bench.asked, ["terminal/create"]);
    assert.deepEqual((await bench.prompt(sessionId, "echo up")).texts, [bench.said("up")]);
  }),
  words("extension methods and notifications go both ways", async (bench) => {
    const sessionId = await bench.session();
    bench.answers.set("_test/echo", ({ value }) => ({ value: `${String(value)} and back` }));
    const { texts } = await bench.prompt(sessionId, "ext there");
    assert.deepEqual([texts, bench.notes], [[bench.said("there and back")], [{ value: "there" }]]);
    assert.deepEqual(await bench.connection.request("_test/echo", { value: "here" }), { value: "here" });
    await bench.connection.notify("_test/note", { value: "1" });
    await bench.connection.notify("_test/note", { value: "2" });
    assert.deepEqual((await bench.prompt(sessionId, "notes")).texts, [bench.said("2")]);
  }),
  words("unknown members in _meta survive, both ways", async (bench) => {
    const sessionId = await bench.session();
    const { meta } = await bench.prompt(sessionId, "meta", { meta: META });
    assert.deepEqual(meta, META);
    const { _meta: told } = bench.updates.at(-1) ?? {};
    assert.deepEqual(told, META);
  }),
  words("an update of 1 MiB comes whole", async (bench) => {
    const sessionId = await bench.session();
    const { texts } = await bench.prompt(sessionId, `large ${MiB}`);
    assert(texts.length === 1 && texts[0] === bench.said("x".repeat(MiB)));
  }),
  words("a prompt of 1 MiB comes whole", async (bench) => {
    const sessionId = await bench.session();
    const text = "ü".repeat(MiB / 2);
    const { texts } = await bench.prompt(sessionId, `echo ${text}`);
    assert(texts.length === 1 && texts[0] === bench.said(text));
  }),
  words("10,000 updates come in order, and before the answer", async (bench) => {
    const sessionId = await bench.session();
    const { texts } = await bench.prompt(sessionId, "updates 10000");
    // One by one: the difference of two such lists takes minutes to tell.
    for (const [n, text] of texts.entries()) assert.equal(text, bench.said(String(n + 1)));
    assert.equal(texts.length, 10_000);
  }),

  example("the example's turn runs to its end where what it asks for is allowed", async (bench) => {
    const sessionId = await bench.session();
    bench.answers.set("session/request_permission", () => ({
      outcome: { outcome: "selected", optionId: "allow" },
    }));
    assert.equal((await bench.prompt(sessionId, "go")).stopReason, "end_turn");
    assert.deepEqual(kinds(bench), [...ASKING, "tool_call_update", "agent_message_chunk"]);
  }),
  example("the example's turn ends without the edit where that is rejected", async (bench) => {
    const sessionId = await bench.session();
    bench.answers.set("session/request_permission", () => ({
      outcome: { outcome: "selected", optionId: "reject" },
    }));
    assert.equal((await bench.prompt(sessionId, "go")).stopReason, "end_turn");
    assert.deepEqual(kinds(bench), [...ASKING, "agent_message_chunk"]);
  }),
  example("the example's turn is cancelled in the middle", async (bench) => {
    const sessionId = await bench.session();
    const turn = bench.prompt(sessionId, "go");
    await bench.saw({ text: FIRST });
    await bench.connection.notify("session/cancel", { sessionId });
    assert.equal((await turn).stopReason, "cancelled");
    assert.deepEqual(kinds(bench), ["agent_message_chunk"]);
  }),
  example("the example's error for a session it does not know leaves the connection up", async (bench) => {
    await bench.initialize();
    assert.equal((await bench.refusal(bench.prompt("none", "go"))).code, -32603);
    assert.match(await bench.newSession(), /^[0-9a-f]{32}$/);
  }),
];

/** The updates of the example's turn until it asks for permission. */
const ASKING = ["agent_message_chunk", "tool_call", "tool_call_update", "agent_message_chunk", "tool_call"];
const FIRST =
  "I'll help you with that. Let me start by reading some files to understand the current situation.";

function kinds(bench: AcpBench): readonly string[] {
  return bench.updates.map(({ update }) => update.sessionUpdate);
}
