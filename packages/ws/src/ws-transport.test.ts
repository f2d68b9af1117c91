// The transport by itself, over a socket that does what each test says.
import { TransportError } from "@sluice/transport";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bytes, fake, FakeSocket, settled, type Fake } from "./fake-socket.testing.ts";
import type { Socket } from "./socket.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("W1: on sluice.v1", () => {
  it("messages are bytes, and frames from the first one (H4)", async () => {
    const one = fake("sluice.v1");
    one.start();
    expect(one.transport.encoding).toBe("frames");
    expect(one.transport.write([bytes("a"), bytes("b")])).toBe(true);
    one.bytes("c");
    await settled();
    expect([one.socket.did, one.told]).toEqual([["<a>", "<b>"], ["<c>"]]);
  });

  it("text is refused with 1003, and nothing that follows is passed on", async () => {
    const one = fake("sluice.v1");
    one.start();
    one.text("{}");
    one.bytes("late");
    await settled();
    expect(one.socket.did).toEqual(["close 1003 text where frames are spoken (W1)", "resume"]);
    one.transport.onClosed(1003, "");
    expect(one.told).toEqual(["closed: protocol"]);
    expect(one.errors[0]?.message).toBe("the far end sent text where frames are spoken (W1)");
  });

  it("text to be written is a mistake of ours, and nothing of that write is sent", () => {
    const one = fake("sluice.v1");
    one.start();
    expect(() => one.transport.write([bytes("a"), "text"])).toThrow(TypeError);
    expect(one.socket.did).toEqual([]);
  });
});

describe("W1: on jsonrpc, or without a subprotocol", () => {
  it.each(["jsonrpc", ""])(
    "text and bytes travel as what they are, empty ones too (%j)",
    async (protocol) => {
      const one = fake(protocol);
      one.start();
      expect(one.transport.encoding).toBeUndefined();
      one.transport.write(["a", bytes("b"), bytes(""), ""]);
      one.text("c");
      one.bytes("d");
      one.bytes("");
      await settled();
      expect([one.socket.did, one.told]).toEqual([
        ["a", "<b>", "<>", ""],
        ["c", "<d>", "<>"],
      ]);
    },
  );
});

describe("W2: an end", () => {
  it("is an empty message, after which the far end may go on", async () => {
    const one = fake("sluice.v1");
    one.start();
    one.transport.write([bytes("a"), bytes("")]);
    one.transport.close("enough");
    expect(one.transport.write([bytes("b")])).toBe(false);
    one.bytes("c");
    await settled();
    expect([one.socket.did, one.told]).toEqual([["<a>", "<>"], ["<c>"]]);
    one.bytes("");
    expect(one.socket.did.slice(2)).toEqual(["close 1000 enough", "resume"]);
    one.transport.onClosed(1000, "enough");
    expect([one.told, one.errors]).toEqual([["<c>", "end", "closed"], [undefined]]);
  });

  it("that was received first is answered by our own, and Close", async () => {
    const one = fake("sluice.v1");
    one.start();
    one.bytes("");
    await settled();
    expect(one.told).toEqual(["end"]);
    expect(one.transport.write([bytes("a")])).toBe(true);
    one.transport.close("done");
    expect(one.socket.did).toEqual(["<a>", "<>", "close 1000 done", "resume"]);
    one.transport.onClosed(1006, "");
    expect(one.told).toEqual(["end", "closed"]);
  });

  it("with Close alone ends both directions in order", async () => {
    const one = fake("sluice.v1");
    one.start();
    one.bytes("a");
    one.transport.onClosed(1000, "");
    await settled();
    expect(one.told).toEqual(["<a>", "end", "closed"]);
  });

  it("is Close itself, for both directions, where no frames are spoken", async () => {
    const one = fake("jsonrpc");
    one.start();
    one.transport.write(["a"]);
    one.transport.close("enough");
    expect(one.socket.did).toEqual(["a", "close 1000 enough", "resume"]);
    one.text("on its way");
    one.transport.onClosed(1000, "enough");
    await settled();
    expect(one.told).toEqual(["on its way", "end", "closed"]);
  });
});

describe("W3: closing", () => {
  it.each([
    ["protocol", 1002],
    ["limit", 1008],
    ["timeout", 1008],
    ["failed", 1011],
  ] as const)("for the cause %s says %i at once, on every subprotocol", async (cause, code) => {
    for (const protocol of ["sluice.v1", "jsonrpc"]) {
      const one = fake(protocol);
      one.start();
      one.transport.close("a reason", cause);
      expect(one.socket.did[0]).toBe(`close ${code} a reason`);
      one.transport.onClosed(code, "a reason");
      await settled();
      expect(one.told.at(-1)).toBe("closed");
    }
  });

  it("cuts the reason between characters", () => {
    const one = fake("jsonrpc");
    one.transport.close(`x${"ä".repeat(100)}`);
    expect(one.socket.did[0]).toBe(`close 1000 x${"ä".repeat(61)}`);
  });

  it("drops a far end that answers with nothing, and says so", () => {
    const one = fake("jsonrpc", { close: 100 });
    one.start();
    one.transport.close();
    vi.advanceTimersByTime(99);
    expect(one.socket.did).not.toContain("terminate");
    vi.advanceTimersByTime(1);
    expect(one.socket.did).toContain("terminate");
    one.transport.onClosed(1006, "");
    expect(one.errors[0]?.message).toBe("the far end did not answer Close within 100 ms (limits.close)");
  });

  it("waits for a far end that goes on taking what was sent before, and for no other", () => {
    const one = fake("jsonrpc", { close: 100 });
    one.start();
    one.socket.buffered = 1000;
    one.transport.close();
    for (const left of [999, 500, 1]) {
      one.socket.buffered = left;
      vi.advanceTimersByTime(100);
      expect(one.socket.did).not.toContain("terminate");
    }
    vi.advanceTimersByTime(100);
    expect(one.socket.did).toContain("terminate");
  });

  it("is over, too, where the runtime has nothing to say about a connection that was dropped", () => {
    const one = fake("sluice.v1", { close: 100 });
    one.start();
    one.transport.abort();
    vi.advanceTimersByTime(100);
    expect(one.told).toEqual(["closed"]);
  });

  it("says 4006 in place of dropping, where the socket cannot be dropped, and is over at once", async () => {
    const error = new TransportError("aborted", "enough");
    const one = fake("sluice.v1", {}, FakeSocket.plain());
    one.start();
    one.transport.abort(error);
    await settled();
    expect([one.socket.did, one.errors]).toEqual([["close 4006 aborted"], [error]]);
    one.transport.onClosed(1006, "");
    expect(one.told).toEqual(["closed: aborted"]);
  });

  it("of the server says 1001, and is an error of code aborted here", async () => {
    const one = fake("sluice.v1");
    one.start();
    one.transport.goAway("maintenance");
    expect(one.socket.did[0]).toBe("close 1001 maintenance");
    one.bytes("late");
    one.transport.onClosed(1001, "maintenance");
    await settled();
    expect([one.told, one.errors[0]?.message]).toEqual([
      ["closed: aborted"],
      "the server closed: maintenance",
    ]);
  });

  it("that the socket refuses ends the transport all the same", async () => {
    const one = fake("jsonrpc");
    one.start();
    one.socket.close = () => {
      throw new Error("too late");
    };
    one.transport.close("x", "failed");
    await settled();
    expect(one.told).toEqual(["closed: read"]);
  });
});

describe("W4: a message", () => {
  it("above limits.message is refused with 1009", async () => {
    const one = fake("jsonrpc", { message: 5 });
    one.start();
    one.text("12345");
    one.text("123456");
    await settled();
    expect(one.told).toEqual(["12345"]);
    expect(one.socket.did[0]).toBe("close 1009 a message of more than 5 bytes (W4)");
    one.transport.onClosed(1009, "");
    expect([one.told.at(-1), one.errors[0]?.message]).toEqual([
      "closed: protocol",
      "the far end sent a message of more than 5 bytes (W4)",
    ]);
  });
});

describe("W5: a far end that is silent", () => {
  it("is asked, and the transport ends where no answer comes", () => {
    const one = fake("sluice.v1", { heartbeat: 1000 });
    one.start();
    vi.advanceTimersByTime(1000);
    expect(one.socket.did).toEqual(["ping"]);
    vi.advanceTimersByTime(1001);
    expect(one.socket.did).toEqual(["ping", "terminate"]);
    one.transport.onClosed(1006, "");
    expect([one.told, one.errors[0]?.message]).toEqual([
      ["closed: timeout"],
      "the far end gives no sign of life (W5)",
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("lives where it sends anything: messages, pings, pongs", () => {
    const one = fake("sluice.v1", { heartbeat: 1000 });
    one.start();
    for (const sign of [(): void => one.bytes("a"), (): void => one.transport.onSign()]) {
      vi.advanceTimersByTime(1000);
      sign();
    }
    vi.advanceTimersByTime(1000);
    expect(one.socket.did).toEqual(["ping", "ping", "ping"]);
  });

  it("is not judged while we are paused", () => {
    const one = fake("sluice.v1", { heartbeat: 1000 });
    one.start();
    one.transport.pause();
    vi.advanceTimersByTime(10_000);
    expect(one.socket.did).not.toContain("terminate");
    one.transport.resume();
    vi.advanceTimersByTime(2001);
    expect(one.socket.did).toContain("terminate");
  });

  it("is not asked where the runtime cannot", () => {
    fake("sluice.v1", { heartbeat: 1000 }, FakeSocket.plain()).start();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("what comes while nobody reads", () => {
  it("is held until the start, and until reading goes on", async () => {
    const one = fake("sluice.v1");
    one.bytes("a");
    one.start((said) => void (said === "<b>" && one.transport.pause()));
    one.bytes("b");
    one.bytes("c");
    await settled();
    expect(one.told).toEqual(["<a>", "<b>"]);
    one.bytes("d");
    one.bytes("");
    expect(one.told).toEqual(["<a>", "<b>"]);
    one.transport.resume();
    expect(one.told).toEqual(["<a>", "<b>", "<c>", "<d>", "end"]);
  });

  it("is bounded by limits.held: beyond, the far end is told 1008", async () => {
    const one = fake("jsonrpc", { held: 10 }, FakeSocket.plain());
    one.start();
    await settled();
    one.transport.pause();
    one.text("12345");
    one.text("67890");
    expect(one.socket.did).toEqual([]);
    one.transport.resume();
    one.transport.pause();
    one.text("12345");
    one.text("678901");
    expect(one.socket.did).toEqual(["close 1008 more than 10 bytes while nobody reads (limits.held)"]);
    one.transport.onClosed(1008, "");
    one.transport.resume();
    expect(one.told.at(-1)).toBe("closed: protocol");
  });

  it("and the close after it come in order once it is started, however late", async () => {
    const one = fake("jsonrpc");
    one.text("a");
    one.transport.onClosed(1000, "");
    await settled();
    one.start();
    await settled();
    expect(one.told).toEqual(["a", "end", "closed"]);
  });

  it("is forgotten by an abort, also where the socket has closed long ago", async () => {
    const one = fake("jsonrpc");
    one.start();
    await settled();
    one.transport.pause();
    one.text("a");
    one.transport.onClosed(1000, "");
    const error = new TransportError("aborted", "enough");
    one.transport.abort(error);
    await settled();
    expect([one.told, one.errors]).toEqual([["closed: aborted"], [error]]);
  });

  it("is forgotten by an abort in the middle of being passed on", async () => {
    const one = fake("jsonrpc");
    one.text("a");
    one.text("b");
    one.start(() => one.transport.abort());
    await settled();
    one.transport.onClosed(1006, "");
    expect(one.told).toEqual(["a", "closed"]);
  });
});

describe("pressure", () => {
  it("begins at limits.highWater and is over at half of it", () => {
    const one = fake("sluice.v1", { highWater: 100 });
    one.start();
    one.socket.buffered = 99;
    expect(one.transport.write([bytes("a")])).toBe(true);
    one.socket.buffered = 100;
    expect(one.transport.write([bytes("b")])).toBe(false);
    expect(one.transport.write([bytes("c")])).toBe(false);
    one.socket.drainTo(50);
    expect(one.told).toEqual([]);
    one.socket.drainTo(49);
    expect(one.told).toEqual(["drain"]);
    expect(one.transport.write([bytes("d")])).toBe(true);
    expect(one.socket.did).toEqual(["<a>", "<b>", "<c>", "<d>"]);
  });

  it("is not told to be over once we have closed", () => {
    const one = fake("sluice.v1", { highWater: 100 });
    one.start();
    one.socket.buffered = 100;
    one.transport.write([bytes("a")]);
    one.transport.close();
    one.socket.drainTo(0);
    expect(one.told).toEqual([]);
  });
});

describe("a socket that can hold back what is sent", () => {
  function holding(): Fake {
    const socket: FakeSocket & Socket = new FakeSocket();
    socket.cork = () => void socket.did.push("cork");
    socket.uncork = () => void socket.did.push("uncork");
    return fake("sluice.v1", {}, socket);
  }

  it("lets the messages of a write leave together, and one alone at once", () => {
    const { transport, socket } = holding();
    transport.write([bytes("a"), bytes("b")]);
    transport.write([bytes("c")]);
    expect(socket.did).toEqual(["cork", "<a>", "<b>", "uncork", "<c>"]);
  });

  it("holds nothing back for ever, though it takes no message", () => {
    const { transport, socket } = holding();
    socket.send = () => {
      throw new Error("dropped");
    };
    transport.write([bytes("a"), bytes("b")]);
    expect(socket.did).toEqual(["cork", "uncork"]);
  });
});

describe("a socket", () => {
  it("that has seen a Close is given nothing more", () => {
    const one = fake("sluice.v1");
    one.start();
    one.socket.open = false;
    expect(one.transport.write([bytes("a")])).toBe(false);
    expect(one.socket.did).toEqual([]);
  });

  it("that throws when it is given a message ends the transport, not in the writer's turn", async () => {
    const one = fake("sluice.v1");
    one.start();
    const cause = new Error("dropped");
    one.socket.send = () => {
      throw cause;
    };
    one.transport.write([bytes("a")]);
    expect(one.told).toEqual([]);
    await settled();
    one.transport.onClosed(1006, "");
    expect([one.errors[0]?.code, one.errors[0]?.cause]).toEqual(["write", cause]);
  });

  it("may say twice that it is closed", async () => {
    const one = fake("sluice.v1");
    one.start();
    one.transport.onClosed(1001, "");
    one.transport.onClosed(1005, "");
    await settled();
    expect(one.told).toEqual(["closed: closed"]);
  });
});
