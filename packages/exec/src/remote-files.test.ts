import { fromBase64 } from "@sluice/codec";
import { RpcError } from "@sluice/session";
import { expect, it } from "vitest";
import { base64, connectTo, FakeExecutor, rejection, text } from "./client-fake.testing.ts";
import type { ExecError } from "./client-error.ts";
import { fileUri } from "./client-path.ts";

const MiB = 1024 * 1024;

/** An executor that has one file open after the other, as large as it is told. */
function withFile(content: string): FakeExecutor {
  const fake = new FakeExecutor();
  fake.capabilities = { fileWriteStreaming: true };
  fake.handlers["fs/open"] = ({ handleId }: { handleId: string }) => ({ handleId });
  fake.handlers["fs/close"] = () => ({});
  fake.handlers["fs/readBlock"] = ({ offset, len }: { offset: number; len: number }) => ({
    chunk: base64(content.slice(offset, offset + len)),
    eof: offset + len >= content.length,
  });
  return fake;
}

it.each([
  ["/a/b", "file:///a/b"],
  ["/with space/ü#?%", "file:///with%20space/%C3%BC%23%3F%25"],
  ["C:\\Users\\a b", "file:///C:/Users/a%20b"],
  ["c:/x", "file:///c:/x"],
  ["\\\\host\\share\\x", "file://host/share/x"],
  ["file:///a%20b", "file:///a%20b"],
  [new URL("file:///x/y"), "file:///x/y"],
])("writes the path %s as a URL", (path, uri) => {
  expect(fileUri(path)).toBe(uri);
});

it.each(["", "a/b", "./a", "~", "http://localhost/a", "file:a", "/a\0b", new URL("http://localhost/")])(
  "refuses a path that is not absolute: %j",
  (path) => {
    expect(() => fileUri(path)).toThrow(/must be absolute/);
  },
);

it("speaks the wire of each method", async () => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake);
  const { files } = client;
  const metadata = {
    isDirectory: false,
    isFile: true,
    isSymlink: false,
    size: 3,
    createdAtMs: 0,
    modifiedAtMs: 5,
  };
  const walked = { entries: [{ path: "file:///d/x", kind: "file" }], errors: [], truncated: false };
  const answers: Record<string, unknown> = {
    "fs/readFile": { dataBase64: base64("abc") },
    "fs/getMetadata": metadata,
    "fs/readDirectory": { entries: [{ fileName: "x", isDirectory: false, isFile: true }] },
    "fs/canonicalize": { path: "file:///real" },
    "fs/walk": walked,
  };
  for (const method of ["readFile", "writeFile", "getMetadata", "readDirectory", "createDirectory"])
    fake.handlers[`fs/${method}`] = () => answers[`fs/${method}`] ?? {};
  for (const method of ["remove", "copy", "canonicalize", "walk"])
    fake.handlers[`fs/${method}`] = () => answers[`fs/${method}`] ?? {};

  expect(new TextDecoder().decode(await files.readFile("/f", { followSymlinks: false }))).toBe("abc");
  await files.writeFile("/f", "abc");
  await files.writeFile("/f", new Uint8Array([1, 2, 3]));
  expect(await files.getMetadata("/f")).toEqual(metadata);
  expect(await files.readDirectory("/d")).toEqual([{ fileName: "x", isDirectory: false, isFile: true }]);
  await files.createDirectory("/d", { recursive: true });
  await files.remove("/d", { recursive: true, force: false });
  await files.remove("/d");
  await files.copy("/a", "/b");
  expect(await files.canonicalize("/f")).toBe("file:///real");
  expect(await files.walk("/d", { maxDepth: 2 })).toEqual(walked);

  const sent = fake.seen.filter(({ method }) => method.startsWith("fs/"));
  expect(sent.map(({ method, params }) => [method.slice(3), params])).toEqual([
    ["readFile", { path: "file:///f", followSymlinks: false }],
    ["writeFile", { path: "file:///f", dataBase64: base64("abc") }],
    ["writeFile", { path: "file:///f", dataBase64: "AQID" }],
    ["getMetadata", { path: "file:///f" }],
    ["readDirectory", { path: "file:///d" }],
    ["createDirectory", { path: "file:///d", recursive: true }],
    ["remove", { path: "file:///d", recursive: true, force: false }],
    ["remove", { path: "file:///d" }],
    ["copy", { sourcePath: "file:///a", destinationPath: "file:///b", recursive: false }],
    ["canonicalize", { path: "file:///f" }],
    [
      "walk",
      {
        path: "file:///d",
        options: { maxDepth: 2, maxDirectories: 10_000, maxEntries: 50_000, followDirectorySymlinks: false },
      },
    ],
  ]);
});

it("tells a file that is not there from other failures", async () => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake);
  fake.handlers["fs/readFile"] = () => {
    throw new RpcError(-32004, "No such file or directory (os error 2)");
  };
  fake.handlers["fs/createDirectory"] = () => {
    throw new RpcError(-32603, "File exists (os error 17)");
  };
  const missing = await rejection<ExecError>(client.files.readFile("/f"));
  expect([missing.kind, missing.message]).toEqual([
    "not found",
    "fs/readFile: No such file or directory (os error 2)",
  ]);
  const exists = await rejection<ExecError>(client.files.createDirectory("/f"));
  expect([exists.kind, exists.code]).toEqual(["answered", -32603]);
});

it("names the member of an answer that is malformed, without quoting it", async () => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake);
  fake.handlers["fs/readFile"] = () => ({ dataBase64: "no base64!" });
  fake.handlers["fs/readDirectory"] = () => ({
    entries: [{ fileName: 7, isDirectory: true, isFile: false }],
  });
  fake.handlers["fs/canonicalize"] = () => null;
  const messages = await Promise.all(
    [client.files.readFile("/f"), client.files.readDirectory("/f"), client.files.canonicalize("/f")].map(
      async (call: Promise<unknown>) => (await rejection<ExecError>(call)).message,
    ),
  );
  expect(messages).toEqual([
    "the answer to fs/readFile is malformed at dataBase64: expected base64",
    "the answer to fs/readDirectory is malformed at entries.0.fileName: expected string",
    "the answer to fs/canonicalize is malformed at the whole: expected Object",
  ]);
});

it("reads a file block by block, and closes it", async () => {
  const content = "x".repeat(2 * MiB + 5);
  const fake = withFile(content);
  await using client = await connectTo(fake);
  expect(await text(client.files.readStream("/f"))).toBe(content);
  expect(fake.of("fs/open").map(({ params }) => params)).toEqual([{ path: "file:///f", handleId: "file-1" }]);
  expect(fake.of("fs/readBlock").map(({ params }) => params.offset)).toEqual([0, MiB, 2 * MiB]);
  expect(fake.of("fs/close").length).toBe(1);
  expect(client.stats().files).toBe(0);
});

it("asks for a block only when it is read", async () => {
  const fake = withFile("x".repeat(4 * MiB));
  await using client = await connectTo(fake);
  const reader = client.files.readStream("/f").getReader();
  await fake.settled();
  expect(fake.of("fs/open")).toEqual([]);
  await reader.read();
  await reader.read();
  await fake.settled();
  expect(fake.of("fs/readBlock").length).toBe(2);
  expect(client.stats().files).toBe(1);
  await reader.cancel();
  expect(fake.of("fs/close").length).toBe(1);
  expect(client.stats().files).toBe(0);
});

it("reads an empty file", async () => {
  await using client = await connectTo(withFile(""));
  expect(await text(client.files.readStream("/f"))).toBe("");
});

it("closes a file that is cancelled while it is being opened", async () => {
  const fake = withFile("abc");
  await using client = await connectTo(fake);
  const { promise, resolve } = Promise.withResolvers<void>();
  const opening = fake.expect("fs/open", async () => {
    await promise;
    return {};
  });
  const reader = client.files.readStream("/f").getReader();
  const reading = reader.read();
  await opening;
  const closing = fake.expect("fs/close", () => ({}));
  const cancelled = reader.cancel();
  resolve();
  expect(await closing).toEqual({ handleId: "file-1" });
  await cancelled;
  expect((await reading).done).toBe(true);
  expect(client.stats().files).toBe(0);
});

it("closes a file whose block is malformed, empty or cannot be read", async () => {
  const fake = withFile("abc");
  await using client = await connectTo(fake);
  const answers = [() => ({ chunk: "?" }), () => ({ chunk: "", eof: false })];
  for (const answer of answers) {
    fake.handlers["fs/readBlock"] = answer;
    expect((await rejection<ExecError>(text(client.files.readStream("/f")))).kind).toBe("protocol");
  }
  fake.handlers["fs/readBlock"] = () => {
    throw new RpcError(-32603, "Is a directory (os error 21)");
  };
  await expect(text(client.files.readStream("/f"))).rejects.toThrow("Is a directory");
  expect(fake.of("fs/close").length).toBe(3);
  expect(client.stats().files).toBe(0);
});

it("opens nothing for a file that is not there", async () => {
  const fake = withFile("abc");
  await using client = await connectTo(fake);
  fake.handlers["fs/open"] = () => {
    throw new RpcError(-32004, "No such file or directory (os error 2)");
  };
  expect((await rejection<ExecError>(text(client.files.readStream("/f")))).kind).toBe("not found");
  expect(fake.of("fs/close")).toEqual([]);
});

it("ends an open file with its connection, and opens no other in its place", async () => {
  const fake = withFile("x".repeat(2 * MiB));
  const recovered = Promise.withResolvers<void>();
  const client = await connectTo(fake, { onRecovered: recovered.resolve });
  const reader = client.files.readStream("/f").getReader();
  await reader.read();
  fake.connection.cut();
  await recovered.promise;
  expect((await rejection<ExecError>(reader.read())).kind).toBe("disconnected");
  expect(fake.of("fs/open").length).toBe(1);
  expect(client.stats().files).toBe(0);
  await client.close();
});

it("writes a file in blocks, each when the last is taken, and closes it", async () => {
  const fake = withFile("");
  await using client = await connectTo(fake);
  fake.handlers["fs/writeBlock"] = () => ({});
  const writer = client.files.writeStream("/f").getWriter();
  await writer.write(new Uint8Array(MiB + 3));
  await writer.write(new Uint8Array([1, 2]));
  await writer.close();
  expect(fake.of("fs/open").map(({ params }) => params)).toEqual([
    { path: "file:///f", handleId: "file-1", mode: "replace" },
  ]);
  const blocks = fake
    .of("fs/writeBlock")
    .map(({ params }) => [params.offset, fromBase64(params.chunk)!.length]);
  expect(blocks).toEqual([
    [0, MiB],
    [MiB, 3],
    [MiB + 3, 2],
  ]);
  expect(fake.of("fs/close").length).toBe(1);
});

it("makes an empty file of one that is closed unwritten", async () => {
  const fake = withFile("");
  await using client = await connectTo(fake);
  await client.files.writeStream("/f").close();
  expect([fake.of("fs/open").length, fake.of("fs/close").length]).toEqual([1, 1]);
});

it("tells a writer whose close failed", async () => {
  const fake = withFile("");
  await using client = await connectTo(fake);
  fake.handlers["fs/close"] = () => {
    throw new RpcError(-32603, "No space left on device (os error 28)");
  };
  await expect(client.files.writeStream("/f").close()).rejects.toThrow("No space left");
  expect(client.stats().files).toBe(0);
});

it("closes a file whose writer aborts or whose block fails", async () => {
  const fake = withFile("");
  await using client = await connectTo(fake);
  fake.handlers["fs/writeBlock"] = () => ({});
  const aborted = client.files.writeStream("/f").getWriter();
  await aborted.write(new Uint8Array(1));
  await aborted.abort();
  fake.handlers["fs/writeBlock"] = () => {
    throw new RpcError(-32603, "No space left on device (os error 28)");
  };
  const failed = client.files.writeStream("/f").getWriter();
  await expect(failed.write(new Uint8Array(1))).rejects.toThrow("No space left");
  await rejection(failed.closed);
  expect(fake.of("fs/close").length).toBe(2);
  expect(client.stats().files).toBe(0);
});

it("says that an executor cannot write in pieces before it is asked to", async () => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake);
  expect(() => client.files.writeStream("/f")).toThrow("use writeFile");
  expect(fake.of("fs/open")).toEqual([]);
});
