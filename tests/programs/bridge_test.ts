import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "node:path";
import { isText } from "../../connection.ts";
import { ConnectionLostError } from "../../errors.ts";
import { connect, type Connection, listen, type Server } from "../../mod.ts";
import { certificates } from "../support/certificates.ts";
import { runHere, ServerHere } from "../support/in_process.ts";

const { ca, good } = await certificates;
const decoder = new TextDecoder();

/** A bridge that runs here. Its endpoint is where it listens. */
async function bridge(from: string, to: string, options: readonly string[] = []) {
  return await ServerHere.start(["bridge", from, to, ...options], { script: "client.ts" });
}

async function echo(endpoint: string, tls?: { cert: string; key: string }): Promise<Server> {
  return await listen(endpoint, { tls }, async (connection) => {
    for await (const message of connection) await connection.send(message);
  });
}

async function texts(connection: Connection): Promise<string[]> {
  return (await connection.receiveAll()).map((message) => decoder.decode(message));
}

async function files(): Promise<Record<"ca" | "cert" | "key" | "folder", string>> {
  const folder = await Deno.makeTempDir();
  const paths = { folder, ca: join(folder, "ca"), cert: join(folder, "c"), key: join(folder, "k") };
  await Deno.writeTextFile(paths.ca, ca.cert);
  await Deno.writeTextFile(paths.cert, good.cert);
  await Deno.writeTextFile(paths.key, good.key);
  return paths;
}

Deno.test("bridge joins endpoints of other framings, and keeps messages whole both ways", async () => {
  const cases = [
    ["tcp://127.0.0.1:0?framing=line", "tcp://127.0.0.1:0?framing=u32be"],
    ["tcp://127.0.0.1:0?framing=u16le", "tcp://127.0.0.1:0?framing=varint"],
    ["tcp://127.0.0.1:0?framing=u32be", "ws://127.0.0.1:0"],
    ["ws://127.0.0.1:0", "tcp://127.0.0.1:0?framing=u8"],
  ];
  for (const [from, to] of cases) {
    await using target = await echo(to);
    await using joined = await bridge(from, target.endpoints[0]);
    await using client = await connect(joined.endpoints[0]);
    const sent = ["one", "", "three"];
    for (const text of sent) await client.send(text);
    for (const text of sent) {
      assertEquals(decoder.decode(await client.receive()), text, `${from} ${to}`);
    }
  }
});

Deno.test("bridge carries over tls, unix, udp and WebSocket", async () => {
  const { ca: caFile, cert, key, folder } = await files();
  const socket = join(folder, "socket");
  const tls = { ca: ca.cert };
  const pair = { cert: good.cert, key: good.key };
  const listening = ["--cert", cert, "--key", key];
  const cases: [from: string, to: string, options: string[]][] = [
    ["tls://127.0.0.1:0", "tcp://127.0.0.1:0", listening],
    ["tcp://127.0.0.1:0", "tls://127.0.0.1:0", ["--ca", caFile]],
    ["tls://127.0.0.1:0", "wss://127.0.0.1:0", [...listening, "--ca", caFile]],
    ["ws://127.0.0.1:0", `unix:${socket}`, []],
    ["udp://127.0.0.1:0", "tcp://127.0.0.1:0", []],
    ["tcp://127.0.0.1:0", "udp://127.0.0.1:0", []],
  ];
  for (const [from, to, options] of cases) {
    await using target = await echo(to, /^(tls|wss)/.test(to) ? pair : undefined);
    await using joined = await bridge(from, target.endpoints[0], options);
    await using client = await connect(
      joined.endpoints[0],
      from.startsWith("tls") ? { tls } : {},
    );
    await client.send("there and back");
    assertEquals(decoder.decode(await client.receive()), "there and back", `${from} ${to}`);
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("bridge keeps text and bytes apart between WebSockets", async () => {
  await using target = await echo("ws://127.0.0.1:0");
  await using joined = await bridge("ws://127.0.0.1:0", target.endpoints[0]);
  await using client = await connect(joined.endpoints[0]);
  await client.send("text");
  await client.send(new Uint8Array([1]));
  assertEquals(isText((await client.receive())!), true);
  assertEquals(isText((await client.receive())!), false);
});

Deno.test("bridge carries a half-close over, in both directions", async () => {
  await using target = await listen("tcp://127.0.0.1:0", async (connection) => {
    const all = await connection.receiveAll();
    await connection.send(`${all.length} came`);
  });
  await using joined = await bridge("tcp://127.0.0.1:0", target.endpoints[0]);
  await using client = await connect(joined.endpoints[0]);
  for (const text of ["a", "b"]) await client.send(text);
  await client.closeWrite();
  assertEquals(await texts(client), ["2 came"]);
  assertEquals((await client.closed).clean, true);

  await using talker = await listen("tcp://127.0.0.1:0", async (connection) => {
    await connection.send("first");
    await connection.closeWrite();
    got.resolve(await texts(connection));
  });
  const got = Promise.withResolvers<string[]>();
  await using other = await bridge("tcp://127.0.0.1:0", talker.endpoints[0]);
  await using listener = await connect(other.endpoints[0]);
  assertEquals(await texts(listener), ["first"]);
  await listener.send("after its end");
  await listener.closeWrite();
  assertEquals(await got.promise, ["after its end"]);
});

Deno.test("bridge waits for the answers of a WebSocket when the other end half-closes", async () => {
  await using target = await echo("ws://127.0.0.1:0");
  await using joined = await bridge("tcp://127.0.0.1:0", target.endpoints[0], ["--linger", "300"]);
  await using client = await connect(joined.endpoints[0]);
  for (const text of ["a", "b"]) await client.send(text);
  await client.closeWrite();
  assertEquals(await texts(client), ["a", "b"]);
});

Deno.test("bridge serves many connections at a time, and mixes nothing", async () => {
  await using target = await echo("tcp://127.0.0.1:0");
  await using joined = await bridge("tcp://127.0.0.1:0?framing=line", target.endpoints[0], ["-q"]);
  await Promise.all(
    Array.from({ length: 50 }, async (_, i) => {
      await using client = await connect(joined.endpoints[0]);
      const sent = Array.from({ length: 20 }, (_, k) => `${i}: ${k}`);
      for (const text of sent) await client.send(text);
      await client.closeWrite();
      assertEquals(await texts(client), sent);
    }),
  );
});

Deno.test("bridge holds a fast end back while the other one does not read", async () => {
  const held = Promise.withResolvers<void>();
  await using target = await listen("tcp://127.0.0.1:0", () => held.promise);
  await using joined = await bridge("tcp://127.0.0.1:0", target.endpoints[0]);
  // It is known to be held back when nothing was taken from it for so long.
  await using client = await connect(joined.endpoints[0], { writeTimeout: 500 });
  const message = new Uint8Array(60_000);
  const size = 2_000; // 120 MB, far more than all buffers together.
  let sent = 0;
  await assertRejects(
    async () => {
      for (; sent < size; sent++) await client.send(message);
    },
    ConnectionLostError,
    "it took nothing for 500 ms",
  );
  assert(sent < size / 2, `${sent} of ${size} were taken`);
  held.resolve();
});

Deno.test("bridge loses nothing to a slow end", async () => {
  const read = Promise.withResolvers<number>();
  await using target = await listen("tcp://127.0.0.1:0", async (connection) => {
    let bytes = 0;
    for await (const { length } of connection) {
      bytes += length;
      await new Promise((resolve) => setTimeout(resolve)); // One message in each turn.
    }
    read.resolve(bytes);
  });
  await using joined = await bridge("tcp://127.0.0.1:0", target.endpoints[0]);
  await using client = await connect(joined.endpoints[0]);
  for (let sent = 0; sent < 300; sent++) await client.send(new Uint8Array(60_000));
  await client.closeWrite();
  assertEquals(await read.promise, 300 * 60_000);
});

Deno.test("bridge breaks one connection off when the other one breaks, and says why", async () => {
  await using target = await listen("tcp://127.0.0.1:0?framing=u32be", async (connection) => {
    await connection.receive();
    await connection.sendRaw(new Uint8Array([0xff])); // A frame that is whole
  });
  await using joined = await bridge("tcp://127.0.0.1:0?framing=line", target.endpoints[0]);
  // A newline cannot be said in lines.
  await using bad = await listen("tcp://127.0.0.1:0", async (connection) => {
    await connection.send("two\nlines");
    await connection.receive();
  });
  await using second = await bridge("tcp://127.0.0.1:0?framing=line", bad.endpoints[0]);
  await using client = await connect(second.endpoints[0]);
  const ended = await client.receive().catch((error) => error);
  assert(ended === undefined || ended instanceof ConnectionLostError);
  await second.logLine(/closed: .* back; Cannot send message .*newline/);
  await using other = await connect(joined.endpoints[0]);
  await other.send("x");
  assertEquals((await other.receive())?.length, 1);
});

Deno.test("bridge says when the target cannot be reached, breaks off, and goes on", async () => {
  const gone = await echo("tcp://127.0.0.1:0");
  const [target] = gone.endpoints;
  await gone.close();
  await using joined = await bridge("tcp://127.0.0.1:0", target, ["--json"]);
  for (let i = 0; i < 2; i++) {
    await using client = await connect(joined.endpoints[0]);
    await client.receive().catch(() => {});
    assertEquals(JSON.parse(await joined.nextLine()).event, "connected");
    const closed = JSON.parse(await joined.nextLine());
    assertEquals([closed.event, closed.clean, closed.messagesThere], ["closed", false, 0]);
    assertMatch(closed.error, /connection refused, nothing listens there$/);
  }
});

Deno.test("bridge --once serves one connection, and its end is the exit code", async () => {
  await using target = await echo("tcp://127.0.0.1:0");
  const joined = await bridge("tcp://127.0.0.1:0", target.endpoints[0], ["--once"]);
  const client = await connect(joined.endpoints[0]);
  await client.send("x");
  assertEquals((await client.receive())?.length, 1);
  await client.close();
  assertEquals(await joined.ended(), 0);
  await assertRejects(() => connect(joined.endpoints[0]));

  const broken = await bridge("tcp://127.0.0.1:0", "tcp://127.0.0.1:1", ["--once"]);
  await using other = await connect(broken.endpoints[0]);
  await other.receive().catch(() => {});
  assertEquals(await broken.ended(), 1);
});

Deno.test("bridge ends with 0 at a signal, and closes in order", async () => {
  await using target = await echo("tcp://127.0.0.1:0");
  const joined = await bridge("tcp://127.0.0.1:0", target.endpoints[0]);
  await using client = await connect(joined.endpoints[0]);
  await client.send("x");
  await client.receive();
  const ended = client.receive().then(async (message) => {
    await client.close();
    return message;
  });
  assertEquals(await joined.stop("SIGTERM"), 0);
  assertEquals(await ended, undefined);
});

Deno.test("bridge gives the token to the target", async () => {
  await using target = await listen(
    "tcp://127.0.0.1:0",
    { token: "sesame" },
    async (connection) => {
      for await (const message of connection) await connection.send(message);
    },
  );
  await using joined = await bridge("tcp://127.0.0.1:0", target.endpoints[0], [
    "--token",
    "sesame",
  ]);
  await using client = await connect(joined.endpoints[0]);
  await client.send("in");
  assertEquals(decoder.decode(await client.receive()), "in");
});

Deno.test("bridge tells what is wrong in one line, before it listens", async () => {
  const cases: [args: string[], code: number, message: RegExp][] = [
    [["bridge"], 2, /it takes two endpoints, where to listen and what to connect to/],
    [["bridge", ":0"], 2, /it takes two endpoints/],
    [["bridge", ":0", ":1", ":2"], 2, /it takes two endpoints/],
    [[":1", "bridge", ":2"], 2, /"bridge" comes first, .*: client\.ts bridge LISTEN TARGET/],
    [["bridge", ":0", ":0"], 2, /":0": port 0 is only for listening/],
    [["bridge", "memory:x", ":1"], 2, /memory: is only for within one program/],
    [["bridge", "nonsense", ":1"], 2, /Cannot use endpoint "nonsense"/],
    [["bridge", "tls://:0", ":1"], 2, /need --cert FILE --key FILE/],
    [["bridge", ":0", ":1", "--ca", "x"], 2, /--ca is for tls:\/\/ and wss:\/\//],
    [["bridge", ":0", ":1", "--client-cert", "x"], 2, /--client-cert is for tls:/],
    [["bridge", ":0", ":1", "--cert", "x"], 2, /--cert is for tls:\/\/ and wss:\/\//],
    [["bridge", ":0", ":1", "--session"], 2, /--session has nothing to do with "bridge"/],
    [["bridge", ":0", ":1", "--limit", "chat.burst=1"], 2, /there is no limit of that name/],
  ];
  for (const [args, code, message] of cases) {
    const result = await runHere("client.ts", args);
    assertMatch(result.stderr, message, args.join(" "));
    assertEquals([result.code, result.stdout], [code, ""], args.join(" "));
    assertEquals(result.stderr.trimEnd().split("\n").length, 1, result.stderr);
  }
});
