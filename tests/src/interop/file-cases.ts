import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { bytes, refusal, type Case } from "./case.ts";
import { digest, large } from "./upstream.ts";

const MiB = 1024 * 1024;

export const fileCases: readonly Case[] = [
  {
    name: "a file is written and read whole, by a path with anything in it",
    async run(bench) {
      const { files } = await bench.connect();
      const path = `${bench.folder}/a b#ü%25?.txt`;
      await files.writeFile(path, "content");
      assert.equal(new TextDecoder().decode(await files.readFile(path)), "content");
      assert.equal(new TextDecoder().decode(await files.readFile(pathToFileURL(path))), "content");
      await files.writeFile(path, new Uint8Array());
      assert.equal((await files.readFile(path)).length, 0);
    },
  },
  {
    name: "8 MiB are written and read whole",
    async run(bench) {
      const { files } = await bench.connect();
      const path = `${bench.folder}/large`;
      await files.writeFile(path, large(8 * MiB));
      assert.equal(digest(await files.readFile(path)), digest(large(8 * MiB)));
    },
  },
  {
    name: "a file tells what it is",
    async run(bench) {
      const { files } = await bench.connect();
      const path = `${bench.folder}/file`;
      await files.writeFile(path, "12345");
      const file = await files.getMetadata(path);
      assert.deepEqual([file.isFile, file.isDirectory, file.isSymlink, file.size], [true, false, false, 5]);
      assert(Math.abs(Date.now() - file.modifiedAtMs) < 3_600_000);
      assert.equal((await files.getMetadata(bench.folder)).isDirectory, true);
    },
  },
  {
    name: "folders are made, listed and walked",
    async run(bench) {
      const { files } = await bench.connect();
      await files.createDirectory(`${bench.folder}/a/b/c`, { recursive: true });
      await files.createDirectory(`${bench.folder}/a/b/c`, { recursive: true });
      await files.writeFile(`${bench.folder}/a/x`, "x");
      await files.writeFile(`${bench.folder}/a/b/y`, "y");
      const entries = await files.readDirectory(`${bench.folder}/a`);
      assert.deepEqual(
        entries.map((entry) => `${entry.fileName} ${entry.isDirectory} ${entry.isFile}`).sort(),
        ["b true false", "x false true"],
      );
      const walked = await files.walk(`${bench.folder}/a`);
      const at = pathToFileURL(`${bench.folder}/a`).href;
      assert.deepEqual(walked.entries.map(({ path, kind }) => `${kind} ${path.slice(at.length)}`).sort(), [
        "directory /b",
        "directory /b/c",
        "file /b/y",
        "file /x",
      ]);
      assert.deepEqual([walked.errors, walked.truncated], [[], false]);
      assert.equal((await files.walk(`${bench.folder}/a`, { maxEntries: 1 })).truncated, true);
    },
  },
  {
    name: "files and folders are copied and removed",
    async run(bench) {
      const { files } = await bench.connect();
      const { folder } = bench;
      await files.createDirectory(`${folder}/d`);
      await files.writeFile(`${folder}/d/x`, "x");
      await files.copy(`${folder}/d/x`, `${folder}/y`);
      await files.copy(`${folder}/d`, `${folder}/e`, { recursive: true });
      assert.equal(new TextDecoder().decode(await files.readFile(`${folder}/e/x`)), "x");
      await files.remove(`${folder}/y`);
      await files.remove(`${folder}/e`, { recursive: true });
      await files.remove(`${folder}/e`, { recursive: true, force: true });
      assert.deepEqual(
        (await files.readDirectory(folder)).map(({ fileName }) => fileName),
        ["d"],
      );
    },
  },
  {
    name: "a path is told as it really is",
    async run(bench) {
      const { files } = await bench.connect();
      await files.createDirectory(`${bench.folder}/d`);
      assert.equal(
        await files.canonicalize(`${bench.folder}/d/../d`),
        pathToFileURL(`${bench.folder}/d`).href,
      );
    },
  },
  {
    name: "a file is read as a stream, whole or not, and closed",
    async run(bench) {
      const client = await bench.connect();
      const path = `${bench.folder}/large`;
      await client.files.writeFile(path, large(5 * MiB + 7));
      assert.equal(digest(await bytes(client.files.readStream(path))), digest(large(5 * MiB + 7)));
      await client.files.writeFile(path, "small");
      // More than may be open at once, so each must have been closed.
      for (let n = 0; n < 150; n++) {
        const reader = client.files.readStream(path).getReader();
        await reader.read();
        await reader.cancel();
      }
    },
  },
  {
    name: "a file is written as a stream",
    async run(bench) {
      const client = await bench.connect();
      const path = `${bench.folder}/large`;
      await client.files.writeFile(path, "what was there before");
      await new Blob([large(3 * MiB + 1)]).stream().pipeTo(client.files.writeStream(path));
      assert.equal(digest(await client.files.readFile(path)), digest(large(3 * MiB + 1)));
      await client.files.writeStream(path).close();
      assert.equal((await client.files.readFile(path)).length, 0);
    },
  },
  {
    name: "errors of files are the executor's own, with what is missing told apart",
    async run(bench) {
      const { files } = await bench.connect();
      const { folder } = bench;
      const missing = { kind: "not found", words: "No such file or directory (os error 2)" };
      const none = `${folder}/none`;
      // Each begins when it is awaited: a refusal that nobody awaits yet is an error of the run.
      const calls: [() => Promise<unknown>, string][] = [
        [() => files.readFile(none), "fs/readFile"],
        [() => files.getMetadata(none), "fs/getMetadata"],
        [() => files.readDirectory(none), "fs/readDirectory"],
        [() => files.canonicalize(none), "fs/canonicalize"],
        [() => files.remove(none, { force: false }), "fs/remove"],
        [() => bytes(files.readStream(none)), "fs/open"],
      ];
      for (const [call, method] of calls)
        assert.deepEqual(await refusal(call()), {
          kind: missing.kind,
          message: `${method}: ${missing.words}`,
        });
      await files.createDirectory(`${folder}/d`);
      assert.deepEqual(await refusal(files.createDirectory(`${folder}/d`, { recursive: false })), {
        kind: "answered",
        message: "fs/createDirectory: File exists (os error 17)",
      });
      assert.deepEqual(await refusal(files.copy(`${folder}/d`, `${folder}/e`)), {
        kind: "answered",
        message: "fs/copy: fs/copy requires recursive: true when sourcePath is a directory",
      });
    },
  },
];
