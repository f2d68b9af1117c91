import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import type { ExecClient, HttpResponse } from "@sluice/exec";
import { bytes, refusal, text, type Case } from "./case.ts";
import { digest, large } from "./upstream.ts";

const MiB = 1024 * 1024;

/** The values of a header, in their order. */
function values({ headers }: HttpResponse, name: string): string[] {
  return headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
}

/** Requests go on as if nothing had been. */
async function works(client: ExecClient, url: string): Promise<void> {
  const { body } = await client.http.request({ url: `${url}/hello` });
  assert.equal(new TextDecoder().decode(body), "hello world");
}

async function listening(answer: RequestListener): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Does it with these variables alone of those that speak of proxies: what it starts has them. */
async function within<T>(variables: Readonly<Record<string, string>>, act: () => Promise<T>): Promise<T> {
  const { env } = process;
  const before = Object.entries(env).filter(([name]) => /^(https?|all|no)_proxy$/i.test(name));
  for (const [name] of before) delete env[name];
  Object.assign(env, variables);
  try {
    return await act();
  } finally {
    for (const name of Object.keys(variables)) delete env[name];
    Object.assign(env, Object.fromEntries(before));
  }
}

export const httpCases: readonly Case[] = [
  {
    name: "a buffered request takes method, headers and body there, and status, headers and body back",
    async run(bench) {
      const client = await bench.connect();
      const sent = large(100_000);
      const response = await client.http.request({
        method: "PUT",
        url: `${bench.upstream.url}/echo?x=1#fragment`,
        headers: [
          ["x-twice", "1"],
          ["x-twice", "2"],
        ],
        body: sent,
      });
      assert.equal(response.status, 201);
      assert.deepEqual(values(response, "content-type"), ["application/json"]);
      const seen = JSON.parse(new TextDecoder().decode(response.body));
      assert.deepEqual([seen.method, seen.length, seen.digest], ["PUT", sent.length, digest(sent)]);
      const names = seen.headers.filter((_: string, at: number) => at % 2 === 0);
      assert.equal(names.filter((name: string) => name.toLowerCase() === "x-twice").length, 2);
    },
  },
  {
    name: "a streamed response comes with its headers first, and then its body",
    async run(bench) {
      const client = await bench.connect();
      const response = await client.http.requestStream({ url: `${bench.upstream.url}/half` });
      assert.equal(response.status, 200);
      const reader = response.body.getReader();
      assert.equal(new TextDecoder().decode((await reader.read()).value), "half of it");
      bench.upstream.release();
      assert.equal(new TextDecoder().decode((await reader.read()).value), "released");
      assert.equal((await reader.read()).done, true);
    },
  },
  {
    name: "a body can be streamed there",
    async run(bench) {
      const client = await bench.connect();
      const sent = large(3 * MiB);
      const body = new Blob([sent]).stream();
      const response = await client.http.request({ method: "POST", url: `${bench.upstream.url}/echo`, body });
      assert.equal(JSON.parse(new TextDecoder().decode(response.body)).digest, digest(sent));
    },
  },
  {
    name: "redirects are followed, with the body where the status says so",
    async run(bench) {
      const client = await bench.connect();
      const followed = await client.http.request({ url: `${bench.upstream.url}/redirect` });
      assert.equal(new TextDecoder().decode(followed.body), "hello world");
      const body = new TextEncoder().encode("again");
      const replayed = await client.http.request({
        method: "POST",
        url: `${bench.upstream.url}/replay`,
        body,
      });
      const seen = JSON.parse(new TextDecoder().decode(replayed.body));
      assert.deepEqual([seen.method, seen.length], ["POST", body.length]);
    },
  },
  {
    name: "a redirect is the response where it is to stop there",
    async run(bench) {
      const client = await bench.connect();
      const response = await client.http.request({
        url: `${bench.upstream.url}/redirect`,
        redirect: "stop",
      });
      assert.deepEqual([response.status, values(response, "location")], [302, ["/hello"]]);
      assert.equal(new TextDecoder().decode(response.body), "moved");
    },
  },
  {
    name: "a header that comes twice comes twice",
    async run(bench) {
      const client = await bench.connect();
      const response = await client.http.request({ url: `${bench.upstream.url}/cookies` });
      assert.deepEqual(values(response, "set-cookie"), ["a=1", "b=2"]);
    },
  },
  {
    name: "statuses are no errors, and bodies that are empty end",
    async run(bench) {
      const client = await bench.connect();
      for (const code of [204, 304, 404, 500]) {
        const url = `${bench.upstream.url}/status?code=${code}`;
        assert.equal((await client.http.request({ url })).status, code);
        const streamed = await client.http.requestStream({ url });
        assert.deepEqual([streamed.status, await text(streamed.body)], [code, ""]);
      }
      const head = await client.http.request({ method: "HEAD", url: `${bench.upstream.url}/hello` });
      assert.deepEqual([head.status, head.body.length], [200, 0]);
    },
  },
  {
    name: "a request that takes too long ends at its timeout, before and after its headers",
    async run(bench) {
      const client = await bench.connect();
      const timeouts = { total: 100 };
      const request = client.http.request({ url: `${bench.upstream.url}/hold`, timeouts });
      assert.match((await refusal(request)).kind, /^(timeout|upstream)$/);
      const response = await client.http.requestStream({ url: `${bench.upstream.url}/half`, timeouts });
      assert.match((await refusal(text(response.body))).kind, /^(timeout|upstream)$/);
      bench.upstream.release();
      await works(client, bench.upstream.url);
    },
  },
  {
    name: "32 MiB come whole, streamed",
    async run(bench) {
      const client = await bench.connect();
      const url = `${bench.upstream.url}/large?bytes=${32 * MiB}`;
      const response = await client.http.requestStream({ url });
      assert.equal(digest(await bytes(response.body)), digest(large(32 * MiB)));
    },
  },
  {
    name: "32 MiB come whole, buffered",
    async run(bench) {
      const client = await bench.connect();
      const response = await client.http.request({
        url: `${bench.upstream.url}/large?bytes=${32 * MiB}`,
      });
      assert.equal(digest(response.body), digest(large(32 * MiB)));
    },
  },
  {
    name: "8 MiB go there whole",
    async run(bench) {
      const client = await bench.connect();
      const body = large(8 * MiB);
      const response = await client.http.request({ method: "POST", url: `${bench.upstream.url}/echo`, body });
      assert.equal(JSON.parse(new TextDecoder().decode(response.body)).digest, digest(body));
    },
  },
  {
    name: "a request given up before its headers leaves nothing behind here",
    async run(bench) {
      const client = await bench.connect();
      for (const buffered of [true, false]) {
        const abort = new AbortController();
        const request = { url: `${bench.upstream.url}/hold`, signal: abort.signal };
        const asked = buffered ? client.http.request(request) : client.http.requestStream(request);
        await bench.upstream.arrived();
        abort.abort(new Error("given up"));
        await assert.rejects(asked, /given up/);
        assert.equal(client.stats().bodies, 0);
        bench.upstream.release();
      }
      await works(client, bench.upstream.url);
    },
  },
  {
    name: "a body given up leaves nothing behind here, and others go on",
    async run(bench) {
      const client = await bench.connect();
      const url = `${bench.upstream.url}/half`;
      const cancelled = await client.http.requestStream({ url });
      await cancelled.body.cancel();
      const abort = new AbortController();
      const aborted = await client.http.requestStream({ url, signal: abort.signal });
      abort.abort(new Error("given up"));
      await assert.rejects(text(aborted.body), /given up/);
      assert.equal(client.stats().bodies, 0);
      const whole = await client.http.requestStream({ url });
      bench.upstream.release();
      assert.equal(await text(whole.body), "half of itreleased");
    },
  },
  {
    name: "a body whose server breaks off ends with an error, and not as if it were whole",
    async run(bench) {
      const client = await bench.connect();
      const response = await client.http.requestStream({ url: `${bench.upstream.url}/reset` });
      assert.equal((await refusal(text(response.body))).kind, "upstream");
      assert.equal(
        (await refusal(client.http.request({ url: `${bench.upstream.url}/reset` }))).kind,
        "upstream",
      );
    },
  },
  {
    name: "a body whose connection is lost ends with the reason, behind what has come",
    async run(bench) {
      const client = await bench.connect();
      const response = await client.http.requestStream({ url: `${bench.upstream.url}/half` });
      const reader = response.body.getReader();
      assert.equal(new TextDecoder().decode((await reader.read()).value), "half of it");
      bench.abort();
      const { kind, message } = await refusal(reader.read());
      assert.equal(kind, "disconnected");
      assert.match(message, /exec-server transport disconnected/);
      assert.equal((await client.closed).kind, "disconnected");
    },
  },
  {
    name: "a hundred requests at once, buffered and streamed, are all answered",
    async run(bench) {
      const client = await bench.connect();
      const answers = await Promise.all(
        Array.from({ length: 100 }, async (_, n) => {
          const url = `${bench.upstream.url}/large?bytes=${n * 1000}`;
          if (n % 2 === 0) return (await client.http.request({ url })).body;
          return bytes((await client.http.requestStream({ url })).body);
        }),
      );
      for (const [n, answer] of answers.entries())
        assert.equal(digest(answer), digest(large(n * 1000)), `the answer of ${n * 1000} bytes`);
    },
  },
  {
    name: "whose request it is, its server hears",
    async run(bench) {
      const client = await bench.connect();
      const trace = {
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        tracestate: "a=1,b=2",
      };
      const { body } = await client.http.request({ url: `${bench.upstream.url}/echo`, trace });
      const { headers } = JSON.parse(new TextDecoder().decode(body));
      for (const [name, value] of Object.entries(trace)) {
        const sent = headers.filter((_: string, at: number) => headers[at - 1]?.toLowerCase() === name);
        assert.deepEqual(sent, [value]);
      }
    },
  },
  {
    name: "requests go through the proxy that its environment names",
    without: ({ listen }) =>
      listen === "ws" ? "its server runs in the environment of the others" : undefined,
    async run(bench) {
      await using proxy = await listening((request, response) => response.end(`for ${request.url}`));
      const client = await within({ http_proxy: proxy.url }, () => bench.connect());
      const url = `${bench.upstream.url}/hello`;
      const { status, body } = await client.http.request({ url });
      assert.deepEqual([status, new TextDecoder().decode(body)], [200, `for ${url}`]);
    },
  },
  {
    name: "what cannot be reached is an error that says so",
    async run(bench) {
      const client = await bench.connect();
      const { kind, message } = await refusal(client.http.request({ url: "http://127.0.0.1:1/" }));
      assert.equal(kind, "upstream");
      assert.match(message, /^http\/request failed: /);
    },
  },
];
