/** A program's own HTTP at the port of a WebSocket: `web.respond`. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { connect, listen, type ListenOptions } from "../../mod.ts";
import { memoryPair } from "../../testing.ts";
import { HttpServer, type Respond } from "../../transport/websocket/http.ts";
import { ascii, pattern, RawPeer } from "../support/raw.ts";
import { receiveText } from "../support/texts.ts";

/** A server with a WebSocket that echoes at /ws, and with a program's answers elsewhere. */
async function serve(respond: Respond, options: ListenOptions = {}) {
  const refusals: string[] = [];
  const server = await listen("ws://127.0.0.1:0/ws", {
    ...options,
    web: { respond },
    onRefuse: ({ error }) => void refusals.push((error as Error).message),
  }, async (connection) => {
    for await (const message of connection) await connection.send(message);
  });
  const url = server.endpoints[0].replace("ws:", "http:").replace("/ws", "");
  const { host, port } = new URL(url);
  return {
    server,
    url,
    host,
    refusals,
    raw: () => RawPeer.connect(`tcp://127.0.0.1:${port}`),
    [Symbol.asyncDispose]: () => server.close({ grace: 500 }),
  };
}

const GET = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

/** Reads until what came ends so. */
async function readUntil(peer: RawPeer, end: string): Promise<string> {
  let text = "";
  while (!text.endsWith(end)) {
    const [byte] = await peer.receive(1);
    if (byte === undefined) throw new Error(`it ended behind ${JSON.stringify(text)}`);
    text += String.fromCharCode(byte);
  }
  return text;
}

Deno.test("web.respond gets a body of any size as it comes, and answers with a stream of any size", async () => {
  const bytes = new Uint8Array(pattern(20_000_000));
  await using at = await serve(({ body }) => new Response(body));
  const response = await fetch(`${at.url}/up`, { method: "POST", body: bytes });
  assertEquals(response.headers.get("content-length"), null);
  assertEquals((await response.bytes()).length, bytes.length);
  const whole = await serve(async (request) => {
    const { length } = await request.bytes();
    return Response.json({ method: request.method, length });
  });
  await using _ = whole;
  const body = ReadableStream.from([ascii("chunk "), ascii("by chunk")]);
  const request = { method: "PUT", body, duplex: "half" }; // Node wants to be told.
  const answer = await fetch(whole.url, request);
  assertEquals(await answer.json(), { method: "PUT", length: 14 });
});

Deno.test("web.respond sends each part of an answer when it is written: server-sent events", async () => {
  const gate = Promise.withResolvers<void>();
  await using at = await serve(() => {
    const events = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(ascii("data: one\n\n"));
        await gate.promise;
        controller.enqueue(ascii("data: two\n\n"));
        controller.close();
      },
    });
    return new Response(events, { headers: { "Content-Type": "text/event-stream" } });
  });
  const response = await fetch(at.url);
  assertEquals(response.headers.get("content-type"), "text/event-stream");
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  assertEquals((await reader.read()).value, "data: one\n\n");
  gate.resolve(); // Only now the second one is written.
  assertEquals((await reader.read()).value, "data: two\n\n");
  assertEquals((await reader.read()).done, true);
});

Deno.test("web.respond whose answer has no part yet still tells its head, at once and beyond handshakeTimeout", async () => {
  const gate = Promise.withResolvers<void>();
  await using at = await serve(() => {
    const later = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await gate.promise;
        controller.enqueue(ascii("late"));
        controller.close();
      },
    }, { highWaterMark: 0 });
    return new Response(later);
  }, { handshakeTimeout: 500 });
  const response = await fetch(at.url);
  assertEquals(response.status, 200);
  await new Promise((resolve) => setTimeout(resolve, 800));
  gate.resolve();
  assertEquals(await response.text(), "late");
  assertEquals(at.refusals, []);
});

Deno.test("web.respond answers several requests over one connection, also when they come at once", async () => {
  let count = 0;
  await using at = await serve(() => new Response(`answer ${++count}`));
  using peer = await at.raw();
  for (let i = 1; i < 4; i++) {
    await peer.send(GET);
    assertMatch(await readUntil(peer, `answer ${i}`), /\r\nConnection: keep-alive\r\n/);
  }
  await peer.send(GET + GET);
  await readUntil(peer, "answer 4");
  await readUntil(peer, "answer 5");
  await peer.send(GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
  await readUntil(peer, "answer 6");
  assertEquals(await peer.drain(), 0);
});

Deno.test("web.respond whose stream fails in the middle cuts the answer, and the server is told why", async () => {
  await using at = await serve(() => {
    let parts = 0;
    return new Response(
      new ReadableStream({
        async pull(controller) {
          if (parts++ === 0) return controller.enqueue(ascii("some"));
          await new Promise((resolve) => setTimeout(resolve, 20));
          controller.error(new Error("the disk is gone"));
        },
      }),
    );
  });
  await assertRejects(async () => await (await fetch(at.url)).text());
  while (at.refusals.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(at.refusals, ["the disk is gone"]);
});

Deno.test("web.respond keeps no WebSocket from its path, before, between and after requests", async () => {
  await using at = await serve(() => new Response("page"));
  for (let i = 0; i < 2; i++) {
    assertEquals(await (await fetch(at.url)).text(), "page");
    await using client = await connect(at.server.endpoints[0]);
    await client.send("hello");
    assertEquals(await receiveText(client), "hello");
  }
  assertEquals(at.server.stats.accepted, 2);
});

/** What may come behind a first request that was right, and the status of its answer. */
const WRONG: [what: string, text: string, status: number][] = [
  ["bytes", "\0\0\0\x05hello", 400],
  [
    "a length and chunks",
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    400,
  ],
  [
    "two lengths",
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    400,
  ],
  ["a wrong chunk", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400],
  ["a large head", `GET / HTTP/1.1\r\nHost: h\r\nA: ${"b".repeat(20_000)}\r\n\r\n`, 431],
];

for (const [what, text, status] of WRONG) {
  Deno.test(`web.respond: ${what} behind a request is answered with ${status}, and told once`, async () => {
    await using at = await serve(async (request) => new Response(await request.text()));
    using peer = await at.raw();
    await peer.send(GET);
    await readUntil(peer, "\r\n\r\n");
    await peer.send(text);
    const answer = new TextDecoder().decode(await peer.receive(12));
    assertEquals(answer, `HTTP/1.1 ${status}`);
    await peer.drain();
    peer.close();
    while (at.refusals.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    assertEquals(at.refusals.length, 1);
    assertStringIncludes(at.refusals[0], "the request is not HTTP");
  });
}

Deno.test("web.respond: TRACE and a wrong host are refused also behind a first request", async () => {
  await using at = await serve(() => new Response("page"));
  using peer = await at.raw();
  await peer.send(GET);
  await readUntil(peer, "page");
  await peer.send("TRACE / HTTP/1.1\r\nHost: h\r\n\r\n");
  assertMatch(await readUntil(peer, "not supported\n"), /^HTTP\/1.1 501 /);
  await peer.send("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n");
  assertMatch(await readUntil(peer, "is wrong\n"), /^HTTP\/1.1 400 /);
});

Deno.test("web.respond: a server that closes ends idle connections, and streams that never end", async () => {
  const at = await serve(() =>
    new Response(
      new ReadableStream({ start: (controller) => controller.enqueue(ascii("data: one\n\n")) }),
    )
  );
  using idle = await at.raw();
  await idle.send(GET.replace("GET", "HEAD"));
  await readUntil(idle, "\r\n\r\n");
  using endless = await at.raw();
  await endless.send(GET);
  await readUntil(endless, "data: one\n\n");
  const startedAt = performance.now();
  await at.server.close({ grace: 120_000 });
  assert(performance.now() - startedAt < 60_000);
  await Promise.all([idle.drain(), endless.drain()]);
});

/** An HTTP server over a pair in memory, with short times. */
function served(respond: Respond) {
  const [near, far] = memoryPair();
  const server = new HttpServer(respond, false, { idleTimeout: 200, progressTimeout: 200 });
  const { signal } = new AbortController();
  return { peer: near, over: server.serve(far, [], { signal }) };
}

for (const begun of ["", "GET / HT"]) {
  Deno.test(`HttpServer ends a connection without a next request in time, after ${JSON.stringify(begun)}`, async () => {
    const { peer, over } = served(() => new Response("page"));
    await peer.write(ascii(GET));
    assertStringIncludes(new TextDecoder().decode(await peer.read()), "HTTP/1.1 200");
    if (begun !== "") await peer.write(ascii(begun));
    await over;
    peer.close();
  });
}

Deno.test("HttpServer ends a connection whose body does not go on, however slowly it began", async () => {
  const { peer, over } = served(async (request) => new Response(await request.text()));
  await peer.write(ascii("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12"));
  await over;
  peer.close();
});

Deno.test("HttpServer ends a connection whose peer takes nothing of its answer", async () => {
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
  });
  const { peer, over } = served(() => new Response(endless));
  await peer.write(ascii(GET));
  await over;
  peer.close();
});

Deno.test("HttpServer sees the peer leave: the stream is cancelled, and the request's signal aborted", async () => {
  const cancelled = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<void>();
  const { peer, over } = served(({ signal }) => {
    signal.addEventListener("abort", () => aborted.resolve());
    return new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(ascii("data: one\n\n")),
        cancel: () => cancelled.resolve(),
      }),
    );
  });
  await peer.write(ascii(GET));
  await peer.read();
  await peer.closeWrite();
  await Promise.all([cancelled.promise, aborted.promise, over]);
  peer.close();
});

Deno.test("HttpServer answers a peer that half-closes behind its request", async () => {
  const gate = Promise.withResolvers<void>();
  const { peer, over } = served(async () => {
    await gate.promise;
    return new Response("page");
  });
  await peer.write(ascii(GET));
  await peer.closeWrite();
  await new Promise((resolve) => setTimeout(resolve, 20));
  gate.resolve();
  assertStringIncludes(new TextDecoder().decode(await peer.read()), "HTTP/1.1 200");
  await over;
  peer.close();
});
