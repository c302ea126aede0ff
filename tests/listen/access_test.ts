/** Who may join: tokens, and addresses that are allowed or denied, through real servers. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { pooledMap } from "@std/async/pool";
import { refusalLine } from "../../chat.ts";
import { connect, Connection, json, listen, type Server, text } from "../../mod.ts";
import type { Refusal, TokenRefusal } from "../../server.ts";
import { runHere, ServerHere } from "../support/in_process.ts";
import { RunningServer } from "../support/program.ts";
import { RawPeer } from "../support/raw.ts";
import { allTexts, receiveText } from "../support/texts.ts";

const TOKEN = "open sesame";
const WRONG = "the first message must be the token, and this one is wrong";

function guarded(options = {}): Promise<Server> {
  const all = { token: TOKEN, refusalMessage: refusalLine, ...options };
  return listen("tcp://127.0.0.1:0", all, async (connection) => {
    for await (const message of connection) await connection.send(message);
  });
}

Deno.test("listen() with a token serves whoever says it first, and hands out what follows", async () => {
  await using server = await guarded();
  await using client = await connect(server.endpoints[0], { token: TOKEN });
  client.send("hello");
  assertEquals(await receiveText(client), "hello");
});

Deno.test("listen() with a token begins no handler once the server closes, however close that is", async () => {
  const { receiveRaw } = Connection.prototype;
  for (let microtasks = 0; microtasks < 8; microtasks++) {
    let isClosing = false;
    const late: boolean[] = [];
    const server = await listen("tcp://127.0.0.1:0", { token: TOKEN }, async (connection) => {
      late.push(isClosing);
      await connection.closed;
    });
    Connection.prototype.receiveRaw = async function () {
      const token = await receiveRaw.call(this);
      (async () => {
        for (let i = 0; i < microtasks; i++) await null;
        isClosing = true;
        server.close();
      })();
      return token;
    };
    try {
      const client = await connect(server.endpoints[0], { token: TOKEN });
      await allTexts(client);
      await client.close();
      await server.closed;
    } finally {
      Connection.prototype.receiveRaw = receiveRaw;
    }
    assert(!late.includes(true), `after ${microtasks} microtasks`);
  }
});

Deno.test("listen() with a token asks for it as bytes, whatever the format of the messages", async () => {
  await using server = await listen(
    "tcp://127.0.0.1:0",
    { token: TOKEN, format: json() },
    async (c) => {
      for await (const value of c) await c.send([value]);
    },
  );
  await using client = await connect(server.endpoints[0], { token: TOKEN, format: json() });
  client.send(7);
  assertEquals(await client.receive(), [7]);
});

Deno.test("listen() with a token tells whoever says another one, and closes", async () => {
  const refused: Refusal[] = [];
  await using server = await guarded({ onRefuse: (refusal: Refusal) => refused.push(refusal) });
  for (const wrong of ["open sesam", "open sesame ", "", "x".repeat(100_000)]) {
    await using client = await connect(server.endpoints[0]);
    client.send(wrong);
    assertEquals(await allTexts(client), [
      "* Cannot join: the first message must be the token, and this one is wrong",
    ]);
  }
  assertEquals(refused.map(({ reason }) => reason), ["token", "token", "token", "token"]);
  assertEquals(server.stats.refusals.token, 4);
});

Deno.test("listen() with a token closes whoever says nothing within handshakeTimeout", async () => {
  await using server = await guarded({ handshakeTimeout: 50 });
  await using client = await connect(server.endpoints[0]);
  const [line] = await allTexts(client);
  assertStringIncludes(line, "none came in time");
});

Deno.test("listen() with a token says nothing but the close to whom it does not let in", async () => {
  for (const endpoint of ["tcp://127.0.0.1:0", "ws://127.0.0.1:0"]) {
    await using server = await listen(endpoint, { token: TOKEN }, () => {});
    await using client = await connect(server.endpoints[0]);
    client.send("wrong");
    assertEquals(await allTexts(client), []);
    const { code, reason } = await client.close();
    assertEquals(
      [code, reason],
      endpoint.startsWith("ws:") ? [1008, WRONG] : [undefined, undefined],
    );
  }
});

Deno.test("listen() says what refusalMessage gives to whom it does not let in", async () => {
  const bytes = Uint8Array.of(0, 1, 2);
  for (const say of ["no", bytes, undefined]) {
    const seen: unknown[] = [];
    const refusalMessage = (refusal: TokenRefusal) => (seen.push(refusal), say);
    for (const [code, handshakeTimeout] of [["token", 60_000], ["timeout", 50]] as const) {
      await using server = await guarded({ refusalMessage, handshakeTimeout });
      await using client = await connect(server.endpoints[0]);
      if (code === "token") client.send("wrong");
      const all = await Array.fromAsync(client);
      const expected = typeof say === "string" ? new TextEncoder().encode(say) : say;
      assertEquals(all, expected === undefined ? [] : [expected]);
    }
    const late = "the first message must be the token, and none came in time";
    assertEquals(seen, [{ code: "token", reason: WRONG }, { code: "timeout", reason: late }]);
  }
});

Deno.test("listen() closes whom it does not let in when refusalMessage throws, and reports that", async () => {
  const printed: unknown[][] = [];
  const { error } = console;
  console.error = (...line) => printed.push(line);
  try {
    const refusalMessage = () => {
      throw new Error("no words");
    };
    await using server = await guarded({ refusalMessage });
    await using client = await connect(server.endpoints[0]);
    client.send("wrong");
    assertEquals(await allTexts(client), []);
  } finally {
    console.error = error;
  }
  assertEquals(printed.length, 1);
  assertMatch(String(printed[0].at(-1)), /no words/);
});

Deno.test("server.ts says in the protocol of its service that the token is wrong", async () => {
  const text = `* Cannot join: ${WRONG}`;
  const object = JSON.stringify({ type: "refused", code: "token", reason: WRONG });
  for (const [service, said] of [["chat", text], ["echo", object], ["sink", object]]) {
    await using server = await ServerHere.start([":0", "--service", service, "--token", TOKEN]);
    await using client = await connect(server.endpoints[0]);
    client.send("wrong");
    assertEquals(await allTexts(client), [said]);
    const { code, stdout, stderr } = await runHere("client.ts", [server.endpoints[0], "send", "x"]);
    assertEquals([code, stdout], [1, ""]);
    assertEquals(stderr, `error: Cannot join: ${WRONG}; give it with --token TOKEN\n`);
  }
});

Deno.test("client.ts knows by a WebSocket's close code that the token is wrong", async () => {
  await using server = await listen("ws://127.0.0.1:0", { token: TOKEN }, () => {});
  const { code, stdout, stderr } = await runHere("client.ts", [server.endpoints[0], "send", "x"]);
  assertEquals([code, stdout], [1, ""]);
  assertEquals(stderr, `error: Cannot join: ${WRONG}; give it with --token TOKEN\n`);
});

Deno.test("Server.broadcast() does not reach those who have not said the token", async () => {
  await using server = await guarded();
  await using inside = await connect(server.endpoints[0], { token: TOKEN });
  await using outside = await connect(server.endpoints[0]);
  inside.send("in");
  assertEquals(await receiveText(inside), "in");
  assertEquals(server.connections.size, 1);
  assertEquals(server.broadcast("news"), 1);
  outside.send("wrong");
  assertMatch((await receiveText(outside))!, /^\* Cannot join/);
  assertEquals(await receiveText(inside), "news");
});

Deno.test("Server.close() ends those who have not said the token yet", async () => {
  const server = await guarded();
  await using client = await connect(server.endpoints[0]);
  const ended = allTexts(client);
  // The server may still be accepting: closing counts for that connection too.
  await server.close({ grace: 100 });
  await ended.catch(() => {});
});

Deno.test("A wrong token tried a thousand times costs the others nothing", async () => {
  await using server = await guarded();
  await using friend = await connect(server.endpoints[0], { token: TOKEN });
  const tries = pooledMap(20, Array.from({ length: 1000 }).keys(), async (i) => {
    await using client = await connect(server.endpoints[0]);
    client.send(`guess ${i}`);
    return (await allTexts(client)).length;
  });
  let answers = 0;
  for await (const lines of tries) {
    answers += lines;
    if (answers % 100 === 0) {
      friend.send(`${answers}`);
      assertEquals(await receiveText(friend), `${answers}`);
    }
  }
  assertEquals(answers, 1000);
  assertEquals(server.stats.refusals.token, 1000);
  assertEquals(server.connections.size, 1);
});

Deno.test("listen() takes a token of 1 to 1024 bytes", async () => {
  for (const token of ["", "x".repeat(1025)]) {
    await assertRejects(() => guarded({ token }), TypeError, "it must have 1 to 1024 bytes");
  }
});

Deno.test("listen() closes peers at once that deny names or allow does not", async () => {
  for (const rules of [{ deny: ["127.0.0.0/8"] }, { allow: ["10.0.0.0/8"] }]) {
    const refused: Refusal[] = [];
    await using server = await listen("tcp://127.0.0.1:0", {
      ...rules,
      onRefuse: (refusal) => refused.push(refusal),
    }, () => {});
    using peer = await RawPeer.connect(server.endpoints[0]);
    assertEquals(await peer.drain(), 0);
    const [endpoint] = server.endpoints;
    assertEquals(refused, [{ hostname: "127.0.0.1", endpoint, reason: "denied" }]);
    assertEquals(server.stats.refusals.denied, 1);
    assertEquals(server.stats.accepted, 0);
  }
  await using server = await guarded({ allow: ["127.0.0.1"], deny: ["10.0.0.0/8"] });
  await using client = await connect(server.endpoints[0], { token: TOKEN });
  client.send("in");
  assertEquals(await receiveText(client), "in");
});

Deno.test("listen() refuses rules that are no addresses, before it opens anything", async () => {
  await assertRejects(
    () => listen("memory:never", { deny: ["localhost"] }),
    TypeError,
    'Cannot use deny "localhost": it must be an IP address or a network',
  );
  await using server = await listen("memory:never", {}, () => {});
  assert(server);
});

Deno.test("server.ts --token and client.ts --token meet; without it the client is told", async () => {
  await using server = await ServerHere.start(["127.0.0.1:0", "--token", TOKEN]);
  const { code, stdout } = await runHere("client.ts", [
    server.endpoints[0],
    ...["--token", TOKEN, "send", "hi", "--expect", "2"],
  ]);
  assertEquals(code, 0);
  assertMatch(stdout, /^\* Welcome, guest-1\..*\nguest-1: hi\n$/);
  const refused = await runHere("client.ts", [server.endpoints[0], "send", "hi", "--expect", "1"]);
  assertEquals([refused.code, refused.stdout], [1, ""]);
  assertMatch(refused.stderr, /Cannot join: the first message must be the token/);
  assertMatch(await server.logLine(/refused/), /127\.0\.0\.1 refused: token$/);
});

Deno.test("server.ts takes the token from LENGTHWISE_TOKEN where it may read that", async () => {
  await using server = await RunningServer.start(["127.0.0.1:0"], {
    flags: ["--allow-net", "--allow-env=LENGTHWISE_TOKEN"],
    env: { LENGTHWISE_TOKEN: TOKEN },
  });
  await using client = await connect(server.endpoints[0], { format: text(), token: TOKEN });
  assertMatch((await client.receive())!, /^\* Welcome/);
});

Deno.test("server.ts --deny closes whoever comes from there", async () => {
  await using server = await ServerHere.start([
    "127.0.0.1:0",
    "--deny",
    "192.0.2.0/24,127.0.0.0/8",
  ]);
  using peer = await RawPeer.connect(server.endpoints[0]);
  assertEquals(await peer.drain(), 0);
  assertMatch(await server.logLine(/refused/), /127\.0\.0\.1 refused: denied$/);
});
