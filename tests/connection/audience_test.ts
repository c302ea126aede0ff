/** Messages for many connections: together or one by one, nobody can see a difference. */

import { assert, assertEquals } from "@std/assert";
import { framing, staged } from "../../codec.ts";
import { Connection, type ConnectionOptions, Shared } from "../../connection.ts";
import { Audience } from "../../connection/internal.ts";
import { FakeTransport, turn } from "../support/fake_transport.ts";

/** Integers below a limit, the same in every run. */
function numbers(seed: number): (limit: number) => number {
  return (limit) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return (seed >>> 8) % limit;
  };
}

/** The first message has a length of one byte, the others of two. */
const STAGED = staged(framing("u8"), framing("u16be"));

interface Member {
  readonly transport: FakeTransport;
  readonly connection: Connection;
}

/** Members of several kinds: quick ones, slow ones, two framings, and one with a small limit. */
function members(count: number): Member[] {
  return Array.from({ length: count }, (_, i) => {
    const isSlow = i % 7 === 3;
    const transport = new FakeTransport({
      takes: isSlow ? 50_000 : Infinity,
      takesAtOnce: i % 5 === 2 ? 1_000 : Infinity,
      endsInReply: true,
    });
    const options: ConnectionOptions = {
      framing: i % 4 === 1 ? "u24be" : "u32be",
      slowConsumer: "drop-newest",
      ...i % 11 === 5 ? { highWaterMark: 1_000, maxPendingBytes: 20_000 } : {},
    };
    return { transport, connection: new Connection(transport, options) };
  });
}

function message(random: (limit: number) => number): Uint8Array {
  const kind = random(40);
  const bytes = random(
    kind < 25 ? 10 : kind < 30 ? 200 : kind < 38 ? 15_000 : kind < 39 ? 20_000 : 70_000,
  );
  return new Uint8Array(bytes).fill(random(256));
}

/** What was sent to a member so far, as a text, since thousands of them are compared. */
function sent({ connection }: Member): string {
  const { bytesSent, bufferedBytes, messagesDropped } = connection.stats;
  return `${bytesSent + bufferedBytes} bytes, ${messagesDropped} dropped, ${connection.state}`;
}

Deno.test("Audience.send() is the same as offer() to each member, whatever happens in between", async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const random = numbers(seed);
    const count = 20 + random(30);
    const [together, apart] = [members(count), members(count)];
    const audiences = [0, 1].map(() => new Audience<Uint8Array>());
    const inside = [new Set<number>(), new Set<number>()];
    const enter = (room: number, i: number) => {
      audiences[room].add(together[i].connection);
      inside[room].add(i);
    };
    const closing: Promise<unknown>[] = [];
    for (let i = 0; i < count; i++) enter(0, i);
    for (let i = 0; i < count; i += 2) enter(1, i);
    for (let n = 0; n < 600; n++) {
      const kind = random(100);
      const i = random(count);
      const both = [together[i], apart[i]];
      if (kind < 80) {
        const room = kind < 70 ? 0 : 1;
        const bytes = message(random);
        const except = new Set(Array.from({ length: random(3) }, () => random(count)));
        const receivers = [...inside[room]].filter((i) => !except.has(i));
        const shared = new Shared(bytes);
        const queued = receivers.filter((i) => apart[i].connection.offer(shared)).length;
        assertEquals(
          audiences[room].send(
            new Shared(bytes),
            random(2) === 0 && except.size === 0
              ? undefined
              : new Set([...except].map((i) => together[i].connection)),
          ),
          { queued, refused: receivers.length - queued },
          `seed ${seed}, step ${n}`,
        );
      } else if (kind < 86) {
        const bytes = message(random);
        for (const { connection } of both) connection.offer(bytes);
      } else if (kind < 88) {
        for (const { connection } of both) connection.flush();
      } else if (kind < 90) {
        const room = random(2);
        if (inside[room].delete(i)) audiences[room].delete(together[i].connection);
        else enter(room, i);
      } else if (kind < 91) {
        for (const { connection } of both) closing.push(connection.close());
      } else if (kind < 94) {
        for (const { transport } of both) transport.take(30_000);
      } else {
        await turn();
      }
      const all = [together, apart].map((members) => members.map(sent).join("\n"));
      assertEquals(all[0], all[1], `seed ${seed}, step ${n}`);
    }
    for (const { transport } of [...together, ...apart]) transport.take(1e9);
    await turn();
    for (const { connection } of [...together, ...apart]) closing.push(connection.close());
    await Promise.all(closing);
    for (let i = 0; i < count; i++) {
      assertEquals(together[i].transport.written, apart[i].transport.written, `seed ${seed}`);
    }
  }
});

Deno.test("Audience writes all messages of a turn to each member that keeps up in one write", async () => {
  const audience = new Audience<Uint8Array>();
  const all = Array.from({ length: 50 }, () => new FakeTransport({ endsInReply: true }));
  const connections = all.map((transport) => new Connection(transport));
  for (const connection of connections) audience.add(connection);
  for (let round = 1; round <= 3; round++) {
    for (let n = 0; n < 500; n++) {
      const except = new Set([connections[0]]);
      assertEquals(audience.send(new Shared(new Uint8Array(64).fill(n)), except).queued, 49);
    }
    assertEquals(connections[1].stats.bufferedBytes, 500 * 68);
    await turn();
    assertEquals(connections[1].stats.messagesSent, round * 500);
    assertEquals(all.map(({ chunks }) => chunks.length), [0, ...Array(49).fill(round)]);
  }
  await Promise.all(connections.map((connection) => connection.close()));
});

Deno.test("Audience sends a member that aborts or closes in the middle of a turn nothing further", async () => {
  const audience = new Audience<Uint8Array>();
  const all = Array.from({ length: 20 }, () => new FakeTransport({ endsInReply: true }));
  const connections = all.map((transport) => new Connection(transport));
  for (const connection of connections) audience.add(connection);
  const send = (byte: number) => audience.send(new Shared(new Uint8Array([byte])));
  assertEquals(send(1), { queued: 20, refused: 0 });
  connections[3].abort();
  const closing = connections[5].close();
  assertEquals(send(2), { queued: 18, refused: 2 });
  await turn();
  assertEquals(all[3].written.length, 0);
  assertEquals((await connections[3].closed).undeliveredBytes, 5);
  assertEquals([...all[5].written], [0, 0, 0, 1, 1]);
  assertEquals([...all[6].written], [0, 0, 0, 1, 1, 0, 0, 0, 1, 2]);
  await closing;
  await Promise.all(connections.map((connection) => connection.close()));
});

Deno.test("Audience: send() waits while what it shares with others is above the high-water mark", async () => {
  const audience = new Audience<Uint8Array>();
  const all = Array.from({ length: 20 }, () => new FakeTransport({ endsInReply: true }));
  const connections = all.map((transport) => new Connection(transport, { highWaterMark: 1_000 }));
  for (const connection of connections) audience.add(connection);
  for (let n = 0; n < 20; n++) audience.send(new Shared(new Uint8Array(100)));
  let isSent = false;
  const sending = connections[2].send("x").then(() => isSent = true);
  await Promise.resolve();
  assertEquals(isSent, false);
  await sending;
  assert(connections[2].stats.bufferedBytes < 1_000);
  await Promise.all(connections.map((connection) => connection.close()));
});

Deno.test("Audience keeps the counts where a format cannot express the message", async () => {
  const audience = new Audience<Uint8Array>();
  const all = Array.from({ length: 20 }, () => new FakeTransport({ endsInReply: true }));
  const connections = all.map((transport, i) =>
    new Connection(transport, { framing: i < 15 ? "u8" : "u32be" })
  );
  for (const connection of connections) audience.add(connection);
  const send = (bytes: number) => audience.send(new Shared(new Uint8Array(bytes)));
  assertEquals(send(10), { queued: 20, refused: 0 });
  assertEquals(send(300), { queued: 5, refused: 15 });
  assertEquals(send(20), { queued: 20, refused: 0 });
  await turn();
  assertEquals(all.map(({ written }) => written.length), [
    ...Array(15).fill(32),
    ...Array(5).fill(10 + 300 + 20 + 12),
  ]);
  assertEquals(connections[0].stats.messagesDropped, 1);
  await Promise.all(connections.map((connection) => connection.close()));
});

Deno.test("Audience.send(): a member that switches its framing gets the next message in the new one", async () => {
  const all = members(20).map(({ transport }) => {
    return { transport, connection: new Connection(transport, { framing: "u16be" }) };
  });
  const audience = new Audience<Uint8Array>();
  for (const { connection } of all) audience.add(connection);
  audience.send(new Shared("one"));
  all[0].connection.switchFraming("u8");
  audience.send(new Shared("two"));
  await turn();
  const [first, ...others] = all.map(({ transport }) =>
    new TextDecoder().decode(transport.written)
  );
  assertEquals(first, "\0\x03one\x03two");
  for (const other of others) assertEquals(other, "\0\x03one\0\x03two");
  await Promise.all(all.map(({ connection }) => connection.abort()));
});

Deno.test("Audience.send(): members whose framing has stages get each message in its own", async () => {
  const all = members(20).map(({ transport }) => {
    return { transport, connection: new Connection(transport, { framing: STAGED }) };
  });
  const audience = new Audience<Uint8Array>();
  for (const { connection } of all) audience.add(connection);
  for (const text of ["one", "two"]) audience.send(new Shared(text));
  await turn();
  audience.send(new Shared("six"));
  await turn();
  for (const { transport } of all) {
    assertEquals(new TextDecoder().decode(transport.written), "\x03one\0\x03two\0\x03six");
  }
  await Promise.all(all.map(({ connection }) => connection.abort()));
});
