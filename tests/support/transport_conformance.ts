/** What every transport promises, as cases that run over each kind. */

import { assert, assertEquals, assertGreater, assertRejects } from "@std/assert";
import { pooledMap } from "@std/async/pool";
import {
  connect,
  type Connection,
  ConnectionClosedError,
  type ConnectionOptions,
  type ConnectOptions,
  listen,
  type ListenOptions,
  type Server,
} from "../../mod.ts";
import { allTexts, asText, receiveText } from "./texts.ts";

/** A kind of transport under test. */
export interface Kind {
  /** What to call it. */
  readonly name: string;
  /** A new endpoint to listen on. */
  endpoint(): string;
  /** What `listen()` has to be told. */
  readonly listenOptions?: ListenOptions;
  /** What `connect()` has to be told. */
  readonly connectOptions?: ConnectOptions;
  /** Cases that it does not have to pass, each with the reason. */
  readonly skip?: Partial<Record<CaseName, string>>;
}

type CaseName = keyof typeof CASES;

/** Defines the tests of one kind. */
export function conformance(kind: Kind): void {
  for (const [name, run] of Object.entries(CASES)) {
    const reason = kind.skip?.[name as CaseName];
    const title = `${kind.name}: ${name}${reason === undefined ? "" : ` (skipped: ${reason})`}`;
    Deno.test({ name: title, ignore: reason !== undefined, fn: () => run(kind) });
  }
}

function echo({ endpoint, listenOptions }: Kind, options = {}): Promise<Server> {
  return listen(endpoint(), { ...listenOptions, ...options }, async (connection) => {
    for await (const message of connection) await connection.send(message);
  });
}

/** Both ends of one connection, closed in order at the end. */
async function pair(kind: Kind, options: ConnectionOptions = {}) {
  const server = await listen(kind.endpoint(), { ...kind.listenOptions, ...options });
  const connections = server[Symbol.asyncIterator]();
  const client = await connect(server.endpoints[0], { ...kind.connectOptions, ...options });
  // The first message makes sure that every kind has told its peer of the connection.
  await client.send("hello");
  const accepted = (await connections.next()).value as Connection;
  assertEquals(await receiveText(accepted), "hello");
  return {
    client,
    accepted,
    async [Symbol.asyncDispose]() {
      await Promise.all([client.close(), accepted.close(), server.close()]);
    },
  };
}

const CASES = {
  async "echoes messages of many sizes, in order and whole"(kind: Kind) {
    await using server = await echo(kind);
    await using client = await connect(server.endpoints[0], kind.connectOptions);
    const sizes = [0, 1, 2, 255, 256, 65_535, 65_536, 65_537, 300_000, 0, 7];
    const sending = (async () => {
      for (const [i, size] of sizes.entries()) await client.send(new Uint8Array(size).fill(i));
    })();
    for (const [i, size] of sizes.entries()) {
      assertEquals(await client.receive(), new Uint8Array(size).fill(i));
    }
    await sending;
  },

  async "carries the largest message, and refuses one byte more"(kind: Kind) {
    const maxMessageBytes = 1_000_000;
    await using server = await echo(kind, { maxMessageBytes });
    await using client = await connect(server.endpoints[0], kind.connectOptions);
    await client.send(new Uint8Array(maxMessageBytes));
    assertEquals((await client.receive())?.length, maxMessageBytes);
    client.send(new Uint8Array(maxMessageBytes + 1));
    assertEquals(await client.receive().catch(() => undefined), undefined);
  },

  async "keeps concurrent sends apart"(kind: Kind) {
    await using ends = await pair(kind);
    const tasks = Array.from({ length: 20 }, async (_, task) => {
      for (let i = 0; i < 20; i++) await ends.client.send(`${task} ${"x".repeat(i * 37)}`);
    });
    const lengths = new Map<string, number>();
    for (let i = 0; i < 400; i++) {
      const [task, text] = (await receiveText(ends.accepted))!.split(" ");
      assertEquals(text.length, (lengths.get(task) ?? 0) * 37);
      lengths.set(task, (lengths.get(task) ?? 0) + 1);
    }
    await Promise.all(tasks);
  },

  async "tells the end when the other side closes, after its last message"(kind: Kind) {
    for (const [closer, reader] of [["client", "accepted"], ["accepted", "client"]] as const) {
      await using ends = await pair(kind);
      await ends[closer].send("last words");
      const closing = ends[closer].close();
      assertEquals(await allTexts(ends[reader]), ["last words"]);
      await ends[reader].close();
      assertEquals((await closing).clean, true);
    }
  },

  async "half-closes: the answer comes after the end"(kind: Kind) {
    await using server = await listen(
      kind.endpoint(),
      kind.listenOptions ?? {},
      async (connection) => {
        await connection.send(`${(await connection.receiveAll()).length} messages`);
      },
    );
    await using client = await connect(server.endpoints[0], kind.connectOptions);
    for (let i = 0; i < 3; i++) await client.send("x");
    await client.closeWrite();
    assertEquals(await allTexts(client), ["3 messages"]);
  },

  async "closes while it reads and while it sends, with one outcome and no leak"(kind: Kind) {
    await using ends = await pair(kind, { closeTimeout: 200 });
    const reading = ends.client.receive();
    const sending = ends.client.send(new Uint8Array(2_000_000)).catch((error) => error);
    const info = await ends.client.close();
    assertEquals(await reading, undefined);
    await sending;
    assertEquals(await ends.client.close(), info);
  },

  async "refuses to send after closing"(kind: Kind) {
    await using ends = await pair(kind);
    const closing = ends.client.close();
    await assertRejects(() => ends.client.send("late"), ConnectionClosedError);
    await ends.accepted.close();
    await closing;
  },

  async "tells the loss when the other side aborts"(kind: Kind) {
    await using ends = await pair(kind);
    ends.accepted.abort();
    // An abort may look like an orderly end from the other side, but it is one soon.
    assertEquals(await ends.client.receive().catch(() => undefined), undefined);
    assertEquals((await ends.accepted.closed).clean, false);
  },

  async "holds back the sender when nobody reads, and loses nothing"(kind: Kind) {
    await using ends = await pair(kind, { maxUnreadBytes: 100_000 });
    const count = 400;
    let sent = 0;
    const sending = (async () => {
      for (; sent < count; sent++) await ends.client.send(`${sent} ${"x".repeat(30_000)}`);
    })();
    // Until both queues and the system's buffers are full, and sending stands still.
    for (let before = -1; before !== sent;) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert(sent < count, "sending never waited");
    for (let i = 0; i < count; i++) {
      assertEquals(asText(await ends.accepted.receive())?.split(" ")[0], `${i}`);
    }
    await sending;
  },

  async "aborts at writeTimeout when the other side takes nothing, and counts what is left"(
    kind: Kind,
  ) {
    await using ends = await pair(kind, { maxUnreadBytes: 1_000, writeTimeout: 200 });
    for (let i = 0; i < 100 && ends.client.state === "open"; i++) {
      await ends.client.send(new Uint8Array(100_000)).catch(() => {});
    }
    const { clean, undeliveredBytes } = await ends.client.closed;
    assertEquals(clean, false);
    assertGreater(undeliveredBytes, 0);
  },

  async "serves 1000 connections, 50 at a time"(kind: Kind) {
    await using server = await echo(kind);
    const answers = pooledMap(50, Array.from({ length: 1000 }).keys(), async (i) => {
      await using client = await connect(server.endpoints[0], kind.connectOptions);
      await client.send(`${i}`);
      return await receiveText(client) === `${i}`;
    });
    for await (const right of answers) assert(right);
    assertEquals(server.stats.accepted, 1000);
  },
};

/** What every kind is tested for. */
export const CASE_NAMES: readonly string[] = Object.keys(CASES);
