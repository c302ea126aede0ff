/** Upgrades that must not succeed: the right status, in time, told once, and nobody else waits. */

import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { connect, listen } from "../../mod.ts";
import type { WebOptions } from "../../transport.ts";
import { ServerHere } from "../support/in_process.ts";
import { RawPeer } from "../support/raw.ts";
import { receiveText } from "../support/texts.ts";

const DEADLINE = 60_000;

/** The lines of an upgrade, with others in the place of those that begin with the same name. */
function upgrade(...more: string[]): string {
  const fields = [
    "Host: 127.0.0.1",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
  ];
  const names = more.map((line) => line.split(":")[0]);
  const kept = fields.filter((line) => !names.includes(line.split(":")[0]));
  const lines = [...kept, ...more.filter((line) => !line.endsWith(": -"))];
  return `GET / HTTP/1.1\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;
}

const picksWrongly: WebOptions = { subprotocols: () => "mqtt" };
const fails: WebOptions = {
  subprotocols() {
    throw new Error("the program failed");
  },
};

/** What is wrong, the request, the status, and what the server does about subprotocols. */
const BAD: [what: string, request: string, status: number, web?: WebOptions][] = [
  ["a foreign origin", upgrade("Origin: https://evil.example"), 403],
  ["an origin that is none", upgrade("Origin: null"), 403],
  ["no key", upgrade("Sec-WebSocket-Key: -"), 400],
  ["a key that is none", upgrade("Sec-WebSocket-Key: 1234"), 400],
  ["version 8", upgrade("Sec-WebSocket-Version: 8"), 426],
  ["no version", upgrade("Sec-WebSocket-Version: -"), 426],
  ["a body", `${upgrade("Content-Length: 5")}hello`, 413],
  ["a body that never comes", upgrade("Content-Length: 1000000"), 413],
  ["a body in chunks", `${upgrade("Transfer-Encoding: chunked")}0\r\n\r\n`, 413],
  ["cookies of 64 KiB", upgrade(`Cookie: ${"a".repeat(65_536)}`), 431],
  ["a subprotocol that is no name", upgrade("Sec-WebSocket-Protocol: a b"), 400],
  ["a subprotocol that nobody offered", upgrade("Sec-WebSocket-Protocol: a"), 500, picksWrongly],
  ["a pick where nothing was offered", upgrade(), 500, picksWrongly],
  ["a pick that fails", upgrade("Sec-WebSocket-Protocol: a"), 500, fails],
];

for (const [what, request, status, web = {}] of BAD) {
  Deno.test(`ws: an upgrade with ${what} is refused with ${status} in time, told once, and nobody waits`, async () => {
    let told = 0;
    const once = Promise.withResolvers<void>();
    await using server = await listen("ws://127.0.0.1:0", {
      web,
      handshakeTimeout: DEADLINE,
      onRefuse() {
        told++;
        once.resolve();
      },
    }, async (connection) => {
      for await (const message of connection) await connection.send(message);
    });
    const startedAt = performance.now();
    using bad = await RawPeer.connect(
      server.endpoints[0].replace("ws:", "tcp:").replace(/\/$/, ""),
    );
    await bad.send(request);
    const answer = new TextDecoder().decode(await bad.receive(12));
    assertEquals(answer, `HTTP/1.1 ${status}`);
    if (web.subprotocols === undefined) {
      await using good = await connect(server.endpoints[0]); // While the bad one has not left yet.
      await good.send("hello");
      assertEquals(await receiveText(good), "hello");
    }
    await bad.drain();
    bad.close();
    await once.promise;
    assertLess(performance.now() - startedAt, DEADLINE);
    assertEquals([told, server.stats.refused], [1, 1]);
  });
}

Deno.test("server.ts logs each bad upgrade on one line, whatever stands in it", async () => {
  await using server = await ServerHere.start(["ws://127.0.0.1:0", "--service", "echo"]);
  const endpoint = server.endpoints[0].replace("ws:", "tcp:").replace(/\/$/, "");
  const wrong = [
    upgrade("Origin: https://evil.example/\u009b2J"),
    upgrade("Sec-WebSocket-Version: 8\t9"),
    upgrade("Sec-WebSocket-Protocol: a\tb"),
  ];
  const before = server.stderr;
  for (const request of wrong) {
    using peer = await RawPeer.connect(endpoint);
    await peer.send(request);
    await peer.drain();
  }
  while (server.stderr.slice(before.length).match(/refused/g)?.length !== wrong.length) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const lines = server.stderr.slice(before.length).trimEnd().split("\n");
  assertEquals(lines.length, wrong.length);
  for (const line of lines) {
    assertMatch(line, /refused: handshake, Cannot accept WebSocket: /);
    // deno-lint-ignore no-control-regex
    assert(!/[\x00-\x08\x0a-\x1f\x7f-\x9f]/.test(line), line);
  }
});
