// Files as a client sees them. Answers and texts are those of codex 0.169.
import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createExecutor, type Executor } from "./executor.ts";
import { base64, ready, type Peer } from "./executor.testing.ts";

let executor: Executor;
let peer: Peer;
let folder: string;
beforeEach(async () => {
  executor = createExecutor({ limits: { file: 1000, walkSize: 10_000, entries: 20 } });
  peer = await ready(executor, "codex");
  folder = realpathSync(mkdtempSync(join(tmpdir(), "sluice-exec-")));
  writeFileSync(join(folder, "f.txt"), "abc\n");
  mkdirSync(join(folder, "dir/sub"), { recursive: true });
  writeFileSync(join(folder, "dir/sub/q.txt"), "q");
  symlinkSync("f.txt", join(folder, "link"));
  symlinkSync("nowhere", join(folder, "dangling"));
  symlinkSync("dir", join(folder, "dlink"));
});
afterEach(async () => {
  await executor.close();
  rmSync(folder, { recursive: true, force: true });
});

const at = (name: string): string => pathToFileURL(join(folder, name)).href;
const content = (name: string): string => readFileSync(join(folder, name), "utf8");
const MISSING = [-32004, "No such file or directory (os error 2)"];

describe("whole files", () => {
  it("are read, through links unless that is not wanted", async () => {
    expect(await peer.call("fs/readFile", { path: at("f.txt") })).toEqual({ dataBase64: base64("abc\n") });
    expect(await peer.call("fs/readFile", { path: at("link") })).toEqual({ dataBase64: base64("abc\n") });
    expect(await peer.refusal("fs/readFile", { path: at("link"), followSymlinks: false })).toEqual([
      -32603,
      expect.stringMatching(/^Symbolic link loop \(os error \d+\)$/),
    ]);
    expect(await peer.call("fs/readFile", { path: at("f.txt"), followSymlinks: false })).toEqual({
      dataBase64: base64("abc\n"),
    });
  });

  it("are written and emptied", async () => {
    expect(await peer.call("fs/writeFile", { path: at("new"), dataBase64: base64("hello") })).toEqual({});
    await peer.call("fs/writeFile", { path: at("f.txt"), dataBase64: "" });
    expect([content("new"), content("f.txt")]).toEqual(["hello", ""]);
  });

  it("are read even where they do not tell their size", async () => {
    if (process.platform !== "linux") return;
    const { dataBase64 } = await peer.call("fs/readFile", { path: "file:///proc/self/stat" });
    expect(Buffer.from(dataBase64, "base64").toString()).toMatch(/^\d+ \(/);
  });

  it("are not read where they are too large, or none", async () => {
    writeFileSync(join(folder, "large"), "x".repeat(1001));
    expect(await peer.refusal("fs/readFile", { path: at("large") })).toEqual([
      -32600,
      "the file is larger than 1000 bytes (limits.file): use fs/open and fs/readBlock",
    ]);
    expect(await peer.refusal("fs/readFile", { path: at("dir") })).toEqual([
      -32600,
      `path \`${join(folder, "dir")}\` is not a file`,
    ]);
    makeFifo("fifo");
    for (const followSymlinks of [true, false])
      expect(await peer.refusal("fs/readFile", { path: at("fifo"), followSymlinks })).toEqual([
        -32600,
        `path \`${join(folder, "fifo")}\` is not a file`,
      ]);
  });

  it("refuse what cannot be done, in the words of the system", async () => {
    expect(await peer.refusal("fs/readFile", { path: at("none") })).toEqual(MISSING);
    expect(await peer.refusal("fs/writeFile", { path: at("no/such"), dataBase64: "" })).toEqual(MISSING);
    expect(await peer.refusal("fs/writeFile", { path: at("dir"), dataBase64: "" })).toEqual([
      -32603,
      "Is a directory (os error 21)",
    ]);
    expect(await peer.refusal("fs/writeFile", { path: at("x"), dataBase64: "!!" })).toEqual([
      -32600,
      "fs/writeFile requires valid base64 dataBase64: it is not padded standard base64",
    ]);
  });
});

describe("what is no path of this machine is refused", () => {
  const host = process.platform === "darwin" ? "macos" : process.platform;
  it.each([
    ["/tmp", -32602, "invalid URI: relative URL without a base"],
    ["http://x/y", -32602, "unsupported path URI scheme `http`"],
    ["file://host/y", -32600, `'file://host/y' is invalid on '${host}'`],
    ["file:///a%00b", -32602, `'file:///a%00b' is invalid on '${host}'`],
    ["file:///a%2Fb", -32602, `'file:///a%2Fb' is invalid on '${host}'`],
  ])("%s", async (path, code, message) => {
    expect(await peer.refusal("fs/readFile", { path })).toEqual([code, message]);
  });
});

describe("files that are open", () => {
  it("are read block by block, and have ended where there is less than asked for", async () => {
    expect(await peer.call("fs/open", { handleId: "h", path: at("f.txt") })).toEqual({ handleId: "h" });
    const block = (offset: number, len: number) => peer.call("fs/readBlock", { handleId: "h", offset, len });
    expect(await block(0, 2)).toEqual({ chunk: base64("ab"), eof: false });
    expect(await block(0, 4)).toEqual({ chunk: base64("abc\n"), eof: false });
    expect(await block(2, 20)).toEqual({ chunk: base64("c\n"), eof: true });
    expect(await block(99, 3)).toEqual({ chunk: "", eof: true });
    expect(executor.stats().handles).toBe(1);
    expect(await peer.call("fs/close", { handleId: "h" })).toEqual({});
    expect(await peer.call("fs/close", { handleId: "h" })).toEqual({});
    expect(executor.stats().handles).toBe(0);
    expect(await peer.refusal("fs/readBlock", { handleId: "h", offset: 0, len: 2 })).toEqual([
      -32004,
      "unknown file handle `h`",
    ]);
  });

  it("are written at any place, in a new file or over an old one", async () => {
    for (const name of ["new", "f.txt"]) {
      await peer.call("fs/open", { handleId: name, path: at(name), mode: "replace" });
      const block = (offset: number, chunk: string) =>
        peer.call("fs/writeBlock", { handleId: name, offset, chunk: base64(chunk) });
      expect(await block(0, "hello")).toEqual({});
      await block(7, "x");
      await block(0, "J");
      expect(content(name)).toBe("Jello\0\0x");
      await peer.call("fs/close", { handleId: name });
    }
  });

  it("allow what they were opened for and nothing else", async () => {
    await peer.call("fs/open", { handleId: "r", path: at("f.txt"), mode: "read" });
    await peer.call("fs/open", { handleId: "w", path: at("new"), mode: "replace" });
    const bad = [-32603, "Bad file descriptor (os error 9)"];
    expect(await peer.refusal("fs/writeBlock", { handleId: "r", offset: 0, chunk: "Sg==" })).toEqual(bad);
    expect(await peer.refusal("fs/readBlock", { handleId: "w", offset: 0, len: 1 })).toEqual(bad);
    expect(content("f.txt")).toBe("abc\n");
  });

  const cases: [string, string, object, number, string][] = [
    [
      "an id that is too long",
      "fs/open",
      { handleId: "é".repeat(17) },
      -32600,
      "file handle ID must not exceed 32 bytes",
    ],
    [
      "an unknown mode",
      "fs/open",
      { handleId: "a", mode: "zz" },
      -32602,
      'invalid field `mode`: expected ("read" | "replace")',
    ],
    [
      "a block of nothing",
      "fs/readBlock",
      { handleId: "a", offset: 0, len: 0 },
      -32600,
      "file read block length must be between 1 and 1048576",
    ],
    [
      "a block too large",
      "fs/readBlock",
      { handleId: "a", offset: 0, len: 2_000_000 },
      -32600,
      "file read block length must be between 1 and 1048576",
    ],
    [
      "a place before the file",
      "fs/readBlock",
      { handleId: "a", offset: -1, len: 1 },
      -32602,
      "invalid field `offset`: expected a whole number from 0 up",
    ],
    [
      "a file nobody opened",
      "fs/writeBlock",
      { handleId: "a", offset: 0, chunk: "" },
      -32004,
      "unknown file handle `a`",
    ],
  ];
  it.each(cases)("refuse %s", async (_, method, params, code, message) => {
    expect(await peer.refusal(method, { path: at("f.txt"), ...params })).toEqual([code, message]);
  });

  it("refuse a block to write that is too large, an id that is taken, and what is no file", async () => {
    await peer.call("fs/open", { handleId: "h", path: at("new"), mode: "replace" });
    const chunk = Buffer.alloc(1024 * 1024 + 1).toString("base64");
    expect(await peer.refusal("fs/writeBlock", { handleId: "h", offset: 0, chunk })).toEqual([
      -32600,
      "file write block must not exceed 1048576 bytes",
    ]);
    expect(await peer.refusal("fs/open", { handleId: "h", path: at("f.txt") })).toEqual([
      -32600,
      "file handle `h` already exists",
    ]);
    for (const mode of ["read", "replace"])
      expect(await peer.refusal("fs/open", { handleId: "d", path: at("dir"), mode })).toEqual([
        -32600,
        `path \`${join(folder, "dir")}\` is not a file`,
      ]);
    expect(await peer.refusal("fs/open", { handleId: "n", path: at("none") })).toEqual(MISSING);
    expect(executor.stats().handles).toBe(1);
  });

  it("keep the id of one that is opened while another of that id fails, which was closed before it was open", async () => {
    const failing = peer.refusal("fs/open", { handleId: "h", path: at("none") });
    const closing = peer.call("fs/close", { handleId: "h" }).catch(() => {});
    await peer.call("fs/open", { handleId: "h", path: at("f.txt") });
    expect(await failing).toEqual(MISSING);
    await closing;
    expect(await peer.call("fs/readBlock", { handleId: "h", offset: 0, len: 10 })).toMatchObject({
      eof: true,
    });
    expect(executor.stats().handles).toBe(1);
  });

  it("are at most 128, and closed with their connection", async () => {
    for (let n = 0; n < 128; n++) await peer.call("fs/open", { handleId: String(n), path: at("f.txt") });
    expect(await peer.refusal("fs/open", { handleId: "one more", path: at("f.txt") })).toEqual([
      -32600,
      "at most 128 file handles may be open per connection",
    ]);
    expect(executor.stats().handles).toBe(128);
    await peer.session.close();
    while (executor.stats().handles > 0) await new Promise((resolve) => setImmediate(resolve));
  });
});

describe("what is known of a path", () => {
  it("is told of what a link leads to", async () => {
    const metadata = (name: string) => peer.call("fs/getMetadata", { path: at(name) });
    const file = { isDirectory: false, isFile: true, isSymlink: false, size: 4 };
    const times = { createdAtMs: expect.any(Number), modifiedAtMs: expect.any(Number) };
    expect(await metadata("f.txt")).toEqual({ ...file, ...times });
    expect(await metadata("link")).toEqual({ ...file, ...times, isSymlink: true });
    expect(await metadata("dlink")).toMatchObject({ isDirectory: true, isFile: false, isSymlink: true });
    const { modifiedAtMs } = await metadata("f.txt");
    expect(Number.isInteger(modifiedAtMs) && Math.abs(Date.now() - modifiedAtMs) < 3_600_000).toBe(true);
    expect(await peer.refusal("fs/getMetadata", { path: at("dangling") })).toEqual(MISSING);
    expect(await peer.refusal("fs/getMetadata", { path: at("none") })).toEqual(MISSING);
  });

  it("is its real place", async () => {
    expect(await peer.call("fs/canonicalize", { path: at("dlink/../link") })).toEqual({ path: at("f.txt") });
    expect(await peer.call("fs/canonicalize", { path: at("dlink/sub") })).toEqual({ path: at("dir/sub") });
    expect(await peer.refusal("fs/canonicalize", { path: at("none") })).toEqual(MISSING);
  });
});

describe("directories", () => {
  it("are read, with what their links lead to", async () => {
    const { entries } = await peer.call("fs/readDirectory", { path: at("") });
    const byName = (a: { fileName: string }, b: { fileName: string }): number =>
      a.fileName < b.fileName ? -1 : 1;
    expect(entries.toSorted(byName)).toEqual([
      { fileName: "dir", isDirectory: true, isFile: false },
      { fileName: "dlink", isDirectory: true, isFile: false },
      { fileName: "f.txt", isDirectory: false, isFile: true },
      { fileName: "link", isDirectory: false, isFile: true },
    ]);
    expect(await peer.refusal("fs/readDirectory", { path: at("f.txt") })).toEqual([
      -32603,
      "Not a directory (os error 20)",
    ]);
    expect(await peer.refusal("fs/readDirectory", { path: at("none") })).toEqual(MISSING);
    for (let n = 0; n < 20; n++) writeFileSync(join(folder, `more${n}`), "");
    expect(await peer.refusal("fs/readDirectory", { path: at("") })).toEqual([
      -32600,
      "the directory has more than 20 entries (limits.entries)",
    ]);
  });

  it("are made, with those above them unless that is not wanted", async () => {
    expect(await peer.call("fs/createDirectory", { path: at("p/q/r") })).toEqual({});
    expect(await peer.call("fs/createDirectory", { path: at("p/q/r"), recursive: true })).toEqual({});
    const exists = [-32603, "File exists (os error 17)"];
    expect(await peer.refusal("fs/createDirectory", { path: at("p/q/r"), recursive: false })).toEqual(exists);
    expect(await peer.refusal("fs/createDirectory", { path: at("f.txt") })).toEqual(exists);
    expect(await peer.refusal("fs/createDirectory", { path: at("x/y"), recursive: false })).toEqual(MISSING);
  });

  it("are removed with all that is in them unless that is not wanted, and a link is only a link", async () => {
    expect(await peer.refusal("fs/remove", { path: at("dir"), recursive: false })).toEqual([
      -32603,
      expect.stringMatching(/^Directory not empty \(os error \d+\)$/),
    ]);
    expect(await peer.call("fs/remove", { path: at("dlink") })).toEqual({});
    expect(content("dir/sub/q.txt")).toBe("q");
    expect(await peer.call("fs/remove", { path: at("dir"), force: null })).toEqual({});
    expect(await peer.call("fs/remove", { path: at("dir") })).toEqual({});
    expect(await peer.refusal("fs/remove", { path: at("dir"), force: false })).toEqual(MISSING);
    await peer.call("fs/remove", { path: at("f.txt") });
    expect(await peer.refusal("fs/readFile", { path: at("f.txt") })).toEqual(MISSING);
  });
});

describe("fs/copy", () => {
  const copy = (from: string, to: string, recursive = true): [string, object] => [
    "fs/copy",
    { sourcePath: at(from), destinationPath: at(to), recursive },
  ];

  it("copies files, links as links, and directories with all that is in them", async () => {
    makeFifo("dir/fifo");
    symlinkSync("sub", join(folder, "dir/inner"));
    await peer.call(...copy("f.txt", "f2", false));
    await peer.call(...copy("link", "link2", false));
    await peer.call(...copy("dir", "d2"));
    await peer.call("fs/writeFile", { path: at("link2"), dataBase64: base64("through") });
    expect([content("f.txt"), content("f2"), content("d2/sub/q.txt"), content("d2/inner/q.txt")]).toEqual([
      "through",
      "abc\n",
      "q",
      "q",
    ]);
    const { entries } = await peer.call("fs/readDirectory", { path: at("d2") });
    expect(entries).toHaveLength(2);
  });

  it("refuses what makes no sense", async () => {
    makeFifo("fifo");
    const self = [-32600, "fs/copy cannot copy a directory to itself or one of its descendants"];
    expect(await peer.refusal(...copy("dir", "dir/in"))).toEqual(self);
    expect(await peer.refusal(...copy("dir", "dir"))).toEqual(self);
    expect(await peer.refusal(...copy("dir", "dlink/sub/deep/deeper"))).toEqual(self);
    expect(await peer.refusal(...copy("dir", "d9", false))).toEqual([
      -32600,
      "fs/copy requires recursive: true when sourcePath is a directory",
    ]);
    expect(await peer.refusal(...copy("fifo", "fifo2"))).toEqual([
      -32600,
      "fs/copy only supports regular files, directories, and symlinks",
    ]);
    expect(await peer.refusal(...copy("none", "none2"))).toEqual(MISSING);
    expect(await peer.refusal(...copy("f.txt", "dir", false))).toEqual([
      -32603,
      "Is a directory (os error 21)",
    ]);
    const { recursive: _, ...params } = copy("f.txt", "f2")[1] as { recursive: boolean };
    expect(await peer.refusal("fs/copy", params)).toEqual([-32602, "missing field `recursive`"]);
  });

  it("copies beside a directory whose name begins the same", async () => {
    await peer.call(...copy("dir", "dir2"));
    await peer.call(...copy("dir", "..dir"));
    expect([content("dir2/sub/q.txt"), content("..dir/sub/q.txt")]).toEqual(["q", "q"]);
  });
});

describe("fs/walk", () => {
  const OPTIONS = { maxDepth: 9, maxDirectories: 10, maxEntries: 100, followDirectorySymlinks: false };
  beforeEach(() => {
    mkdirSync(join(folder, ".hid/x"), { recursive: true });
    writeFileSync(join(folder, ".hid/x/y"), "");
    symlinkSync("..", join(folder, "dir/loop"));
  });

  /** What is found, without the folder. */
  async function walked(more: object = {}, from = ""): Promise<[string[], boolean]> {
    const { entries, errors, truncated } = await peer.call("fs/walk", {
      path: at(from),
      options: { ...OPTIONS, ...more },
    });
    expect(errors).toEqual([]);
    const base = `${pathToFileURL(folder).href}/`;
    const names = entries.map(({ path, kind }: { path: string; kind: string }) => {
      expect(path.startsWith(base)).toBe(true);
      return `${path.slice(base.length)}${kind === "directory" ? "/" : ""}`;
    });
    return [names, truncated];
  }

  it("tells all that is below, level by level and by name", async () => {
    const all = [".hid/", "dir/", "f.txt", ".hid/x/", "dir/sub/", ".hid/x/y", "dir/sub/q.txt"];
    expect(await walked()).toEqual([all, false]);
    expect(await walked({}, "dir")).toEqual([["dir/sub/", "dir/sub/q.txt"], false]);
    expect(await walked({}, "f.txt")).toEqual([[], false]);
  });

  it("follows links to directories where that is wanted, and reads none twice", async () => {
    expect(await walked({ followDirectorySymlinks: true })).toEqual([
      [".hid/", "dir/", "dlink/", "f.txt", ".hid/x/", "dir/loop/", "dir/sub/", ".hid/x/y", "dir/sub/q.txt"],
      false,
    ]);
  });

  it("leaves out what is in hidden directories where that is wanted", async () => {
    expect(await walked({ pruneHiddenDirectories: true })).toEqual([
      [".hid/", "dir/", "f.txt", "dir/sub/", "dir/sub/q.txt"],
      false,
    ]);
  });

  it("goes as deep, reads as many and tells as much as it is asked to", async () => {
    expect(await walked({ maxDepth: 0 })).toEqual([[".hid/", "dir/", "f.txt"], false]);
    expect(await walked({ maxDepth: 1 })).toEqual([[".hid/", "dir/", "f.txt", ".hid/x/", "dir/sub/"], false]);
    expect(await walked({ maxDirectories: 1 })).toEqual([[".hid/", "dir/", "f.txt"], true]);
    expect(await walked({ maxEntries: 2 })).toEqual([[".hid/", "dir/"], true]);
    expect(await walked({ maxEntries: 7 })).toEqual([expect.arrayContaining(["dir/sub/q.txt"]), false]);
  });

  it("tells no more than the executor's limit of text", async () => {
    for (let n = 0; n < 60; n++) writeFileSync(join(folder, "dir/sub", `${n}`.padStart(200, "x")), "");
    const [names, truncated] = await walked();
    expect(truncated).toBe(true);
    expect(names.length).toBeLessThan(60);
  });

  it("refuses what is not there, and to be asked for too much", async () => {
    expect(await peer.refusal("fs/walk", { path: at("none"), options: OPTIONS })).toEqual(MISSING);
    expect(
      await peer.refusal("fs/walk", { path: at(""), options: { ...OPTIONS, maxEntries: 50_001 } }),
    ).toEqual([-32600, "filesystem walk limits exceed maximums: depth=64, directories=10000, entries=50000"]);
    expect(await peer.refusal("fs/walk", { path: at("") })).toEqual([-32602, "missing field `options`"]);
    expect(await peer.refusal("fs/walk", { path: at(""), options: {} })).toEqual([
      -32602,
      "missing field `maxDepth`",
    ]);
  });
});

it("a file is not touched where a sandbox is asked for", async () => {
  const refused = [-32602, expect.stringContaining("sandbox cannot be had")];
  const params = { path: at("f.txt"), dataBase64: "", sandbox: { permissions: {} } };
  for (const method of ["fs/writeFile", "fs/readFile", "fs/remove"])
    expect(await peer.refusal(method, params)).toEqual(refused);
  expect(content("f.txt")).toBe("abc\n");
});

function makeFifo(name: string): void {
  execFileSync("sh", ["-c", 'mkfifo "$0"', join(folder, name)]);
}
