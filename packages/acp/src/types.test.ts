// What the types say; tsc is what checks most of it.
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { describe, expect, expectTypeOf, it } from "vitest";
import * as acp from "./index.ts";
import * as unstable from "./unstable.ts";
import * as v2 from "./v2.ts";

describe("types", () => {
  it("comparing with a listed name narrows, whatever else may come", () => {
    const describeUpdate = (update: acp.SessionUpdate): string => {
      switch (update.sessionUpdate) {
        case "agent_message_chunk":
          expectTypeOf(update.content).toEqualTypeOf<acp.ContentBlock>();
          return update.content.type === "text" ? update.content.text : update.content.type;
        case "plan":
          expectTypeOf(update.entries).toEqualTypeOf<acp.PlanEntry[]>();
          return `${update.entries.length} entries`;
        case "_mine":
          expectTypeOf(update["anything"]).toEqualTypeOf<unknown>();
          return "mine";
        default:
          expectTypeOf(update.sessionUpdate).toExtend<string>();
          return update.sessionUpdate;
      }
    };
    const text: acp.ContentBlock = { type: "text", text: "hello" };
    expect(describeUpdate({ sessionUpdate: "agent_message_chunk", content: text })).toBe("hello");
    expect(describeUpdate({ sessionUpdate: "plan", entries: [] })).toBe("0 entries");
    expect(describeUpdate({ sessionUpdate: "_mine", anything: 5 })).toBe("mine");
    expect(describeUpdate({ sessionUpdate: "_yours" })).toBe("_yours");
  });

  it("a form without a tag is found by leaving out the others", () => {
    const command = (server: acp.McpServer): string => {
      if (server.type === "http" || server.type === "sse") return server.url;
      if (server.type === undefined || server.type === "stdio") {
        expectTypeOf(server).toExtend<acp.McpServerStdio>();
        return server.command;
      }
      return server.type;
    };
    expect(command({ name: "a", command: "/bin/a", args: [], env: [] })).toBe("/bin/a");
    expect(command({ type: "_mine", x: 1 })).toBe("_mine");
  });

  it("a listed name with what does not belong to it does not compile", () => {
    // @ts-expect-error -- a chunk has content
    const noContent: acp.SessionUpdate = { sessionUpdate: "agent_message_chunk" };
    // @ts-expect-error -- a name that is neither listed nor an extension's
    const typo: acp.SessionUpdate = { sessionUpdate: "agent_mesage_chunk", content: {} };
    // @ts-expect-error -- a title is a string
    const title: acp.SessionUpdate = { sessionUpdate: "tool_call", toolCallId: "c", title: 5 };
    // @ts-expect-error -- only in the unstable edition
    const subagent: acp.SessionUpdate = { sessionUpdate: "plan_removed", planId: "p" };
    const removed: unstable.SessionUpdate = { sessionUpdate: "plan_removed", planId: "p" };
    expect([noContent, typo, title, subagent, removed]).toHaveLength(5);
  });

  it("words are open: the listed ones are known, any other is a string", () => {
    const kind: acp.ToolKind = "read";
    const other: acp.ToolKind = "dream";
    expectTypeOf<acp.StopReason>().toExtend<string>();
    expectTypeOf<string>().toExtend<acp.StopReason>();
    expect([kind, other]).toEqual(["read", "dream"]);
  });

  it("a request's value knows what it takes and gives", () => {
    expectTypeOf(acp.PromptRequest).toEqualTypeOf<acp.RequestType<acp.PromptRequest, acp.PromptResponse>>();
    expectTypeOf(acp.SessionNotification).toEqualTypeOf<acp.NotificationType<acp.SessionNotification>>();
    expectTypeOf(acp.agentMethods["session/prompt"]).toEqualTypeOf(acp.PromptRequest);
    expectTypeOf(acp.ContentBlock).toExtend<StandardSchemaV1<unknown, acp.ContentBlock>>();
    expectTypeOf(unstable.PromptRequest).toEqualTypeOf<
      acp.RequestType<unstable.PromptRequest, unstable.PromptResponse>
    >();
    expect(acp.PromptRequest).toMatchObject({ kind: "request", method: "session/prompt" });
    expect(acp.SessionNotification).toMatchObject({ kind: "notification", method: "session/update" });
  });

  it("what is the same in the unstable edition is the same value; what is not has its own", () => {
    expect(unstable.ContentBlock).toBe(acp.ContentBlock);
    expect(unstable.ReadTextFileRequest).toBe(acp.ReadTextFileRequest);
    expect(unstable.SessionUpdate).not.toBe(acp.SessionUpdate);
    expect(unstable.SessionNotification).not.toBe(acp.SessionNotification);
    expectTypeOf<unstable.ContentBlock>().toEqualTypeOf<acp.ContentBlock>();
    expect([acp.PROTOCOL_VERSION, unstable.PROTOCOL_VERSION, v2.PROTOCOL_VERSION]).toEqual([1, 1, 2]);
  });
});

describe("the editions", () => {
  const validate = (schema: StandardSchemaV1 | undefined, value: unknown): unknown => {
    const result = schema!["~standard"].validate(value) as StandardSchemaV1.Result<unknown>;
    if (result.issues === undefined) return result.value;
    return result.issues.map(({ path }) => (path ?? []).map(String).join("."));
  };
  const update = { sessionUpdate: "plan_removed", planId: 5 };

  it("the unstable one knows what the stable one keeps unread", () => {
    const value = { sessionId: "s", update };
    expect(validate(acp.SessionNotification.params, value)).toBe(value);
    expect(validate(unstable.SessionNotification.params, value)).toEqual(["update.planId"]);
  });

  it("the unstable one has what proxies say", () => {
    expect(Object.keys(unstable.proxyRequests)).toEqual(["proxy/initialize", "proxy/successor"]);
    expect(Object.keys(unstable.proxyNotifications)).toEqual(["proxy/successor"]);
    expect(validate(unstable.ProxySuccessorRequest.params, { params: {} })).toEqual(["method"]);
  });

  it("the second version asks members even of what it does not list", () => {
    const method = { type: "_mine", methodId: "m", name: "M", more: 1 };
    expect(validate(v2.AuthMethod, method)).toBe(method);
    expect(validate(v2.AuthMethod, { type: "_mine" })).toEqual(["methodId"]);
  });

  it("the second version wants lists with something in them", () => {
    const request = { sessionId: "s", title: "Run it?", subject: { type: "_mine" } };
    const options = [{ optionId: "y", name: "Yes", kind: "allow_once" }];
    const { params } = v2.RequestPermissionRequest;
    expect(validate(params, { ...request, options })).toMatchObject({ options });
    expect(validate(params, { ...request, options: [] })).toEqual(["options"]);
  });

  it("the second version lets a form be of a session or of a request, not of both", () => {
    const form = { mode: "url", message: "?", elicitationId: "e", url: "https://a.test" };
    const { params } = v2.CreateElicitationRequest;
    expect(validate(params, { ...form, sessionId: "s" })).toMatchObject({ sessionId: "s" });
    expect(validate(params, { ...form, sessionId: "s", requestId: 5 })).toEqual([""]);
    expect(validate(params, form)).toEqual([""]);
  });
});
