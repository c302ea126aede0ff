import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  connect,
  ConnectError,
  Connection,
  ConnectionLostError,
  FrameTimeoutError,
  framing,
  FRAMING_NAMES,
  listen,
  ListenError,
} from "../mod.ts";
import { type Faults, memoryPair, type Transport, withFaults } from "../testing.ts";
import { parseEndpoint } from "../transport.ts";
import { kindOf } from "../transport/internal.ts";
import { allTexts, receiveText } from "./support/texts.ts";

/** Both ends of a connection, the second one suffering from faults. */
function faultyPair(faults: Faults, options = {}) {
  const [a, b] = memoryPair();
  const sender = new Connection(a, options);
  const receiver = new Connection(withFaults(b, faults), options);
  return { sender, receiver };
}

/** A transport to an endpoint, without the connection on it. */
async function open(url: string): Promise<Transport> {
  const endpoint = parseEndpoint(url);
  const kind = await kindOf(endpoint);
  return await kind.connect(endpoint, { signal: new AbortController().signal });
}

Deno.test("memory: endpoints need a listener, and one name belongs to one", async () => {
  await assertRejects(() => connect("memory:nobody"), ConnectError, "connection refused");
  await using _server = await listen("memory:taken");
  await assertRejects(() => listen("memory:taken"), ListenError, "another server listens there");
  assertThrows(() => new Connection(memoryPair()[0], { framing: "u9" as "u8" }), TypeError);
});

Deno.test("memory: connections need no permission", async () => {
  const code = `import { connect, listen, text } from "${new URL("../mod.ts", import.meta.url)}";
    await using server = await listen("memory:a", { format: text() }, async (connection) => {
      for await (const message of connection) await connection.send(message);
    });
    await using client = await connect("memory:a", { format: text() });
    client.send("hi");
    console.log(await client.receive());`;
  const directory = await Deno.makeTempDir({ dir: new URL(".", import.meta.url).pathname });
  await Deno.writeTextFile(`${directory}/main.ts`, code);
  const args = ["run", "--no-prompt", `${directory}/main.ts`];
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  await Deno.remove(directory, { recursive: true });
  assertEquals(new TextDecoder().decode(stdout), "hi\n", new TextDecoder().decode(stderr));
});

Deno.test("withFaults() chops and delays, and every framing gives the messages whole", async () => {
  for (const name of FRAMING_NAMES.filter((name) => framing(name).keepsBoundaries)) {
    const property = fc.asyncProperty(
      fc.array(fc.string({ maxLength: 200 }).map((text) => text.replace(/[\r\n\0]/g, "")), {
        maxLength: 20,
      }),
      fc.integer({ min: 1, max: 9 }),
      async (texts, chop) => {
        const sent = texts.map((text) => text.slice(0, 60));
        const { sender, receiver } = faultyPair({ chop }, { framing: name });
        for (const text of sent) sender.send(text);
        const closing = sender.close();
        assertEquals(await allTexts(receiver), sent);
        await receiver.close();
        assert((await closing).clean);
      },
    );
    await fc.assert(property, { numRuns: 20 });
  }
});

Deno.test("withFaults() cuts after so many bytes: what was whole arrives, then the loss", async () => {
  const { sender, receiver } = faultyPair({ cutAfter: 4 + 3 + 2 });
  sender.send("one");
  sender.send("two");
  assertEquals(await receiveText(receiver), "one");
  const error = await assertRejects(() => receiver.receive(), ConnectionLostError);
  assertEquals(error.message, `Cannot receive from ${receiver.remote}: connection was cut`);
  await Promise.all([sender.close(), receiver.closed]);
});

Deno.test("withFaults() stalls after so many bytes, which the frame deadline notices", async () => {
  const { sender, receiver } = faultyPair({ stallAfter: 5 }, { frameTimeout: 50 });
  sender.send("never whole");
  await assertRejects(() => receiver.receive(), FrameTimeoutError);
  await Promise.all([sender.close(), receiver.closed]);
});

Deno.test("withFaults() corrupts: messages are wrong or refused, and nothing else happens", async () => {
  for (let seed = 0; seed < 50; seed++) {
    let state = seed;
    const random = () => (state = (state * 1664525 + 1013904223) % 2 ** 32) / 2 ** 32;
    const { sender, receiver } = faultyPair({ corrupt: 0.5, chop: 8, random }, {
      frameTimeout: 20,
      closeTimeout: 100,
    });
    for (let i = 0; i < 20; i++) sender.send(`message ${i}`);
    const closing = sender.close();
    const outcome = await allTexts(receiver).catch((error: Error) => error.name);
    assert(Array.isArray(outcome) || /Error$/.test(outcome));
    receiver.abort();
    await closing;
  }
});

Deno.test("withFaults() speaks as the transport beneath does: the framing of WebSocket and of UDP", async () => {
  for (const [endpoint, name] of [["ws", "websocket"], ["udp", "datagram"]]) {
    await using server = await listen(`${endpoint}://127.0.0.1:0`, async (connection) => {
      for await (const message of connection) await connection.send(message);
    });
    const transport = await open(server.endpoints[0]);
    await using connection = new Connection(withFaults(transport, { delay: 2 }));
    assertEquals(connection.framing.name, name);
    await connection.send("a frame of its own kind");
    assertEquals(await receiveText(connection), "a frame of its own kind");
  }
});

Deno.test("withFaults() tells the peer of the end, and hands on what the peer says of its own", async () => {
  await using server = await listen("ws://127.0.0.1:0", async (connection) => {
    await connection.close({ code: 4001, reason: "enough" });
  });
  const transport = await open(server.endpoints[0]);
  const connection = new Connection(withFaults(transport, { chop: 1 }));
  assertEquals(await connection.receive(), undefined);
  const { clean, code, reason } = await connection.close();
  assertEquals([clean, code, reason], [true, 4001, "enough"]);
});

Deno.test("withFaults() refuses values out of range", () => {
  const [transport] = memoryPair();
  assertThrows(() => withFaults(transport, { chop: 0 }), RangeError, "Cannot use chop 0");
  assertThrows(() => withFaults(transport, { cutAfter: -1 }), RangeError, "Cannot use cutAfter -1");
});

Deno.test("withFaults() on write: the peer gets pieces, late and wrong bytes, or a cut connection", async () => {
  const sizes: number[] = [];
  const [a, b] = memoryPair();
  const counting: Transport = Object.assign(Object.create(a) as Transport, {
    abilities: a.abilities,
    read: () => a.read(),
    write: (chunk: Uint8Array) => (sizes.push(chunk.length), a.write(chunk)),
    closeWrite: () => a.closeWrite(),
    close: () => a.close(),
  });
  const sender = new Connection(withFaults(counting, { on: "write", chop: 3, delay: 1 }));
  const receiver = new Connection(b);
  await sender.send("in small pieces");
  assertEquals(await receiveText(receiver), "in small pieces");
  assert(sizes.every((size) => size >= 1 && size <= 3), `${sizes}`);
  assertEquals(sizes.reduce((sum, size) => sum + size), 4 + 15);
  await Promise.all([sender.close(), receiver.close()]);

  const [c, d] = memoryPair();
  const wrong = new Connection(withFaults(c, { on: "write", corrupt: 1, random: () => 0.99 }));
  const other = new Connection(d);
  await wrong.send("abc");
  assertEquals(await receiveText(other), "abb");
  await Promise.all([wrong.close(), other.close()]);

  const [e, f] = memoryPair();
  const cut = new Connection(withFaults(e, { on: "write", cutAfter: 10 }));
  const end = new Connection(f);
  await cut.send("12");
  cut.send("345678");
  assertEquals(await receiveText(end), "12");
  await assertRejects(() => receiveText(end));
  assert((await cut.closed).error instanceof ConnectionLostError);
  await end.close();
});

Deno.test("connect() and listen() take a transport through what wraps it, also those of sessions", async () => {
  for (const session of [false, true]) {
    let wrapped = 0;
    const through = (transport: Transport) => {
      wrapped++;
      return withFaults(transport, { on: "write", chop: 2 });
    };
    await using server = await listen("tcp://127.0.0.1:0", { through, session }, async (peer) => {
      for await (const message of peer) await peer.send(message);
    });
    await using client = await connect(server.endpoints[0], { through, session });
    await client.send("whole");
    assertEquals(await receiveText(client), "whole");
    assertEquals(wrapped, 2);
  }
});
