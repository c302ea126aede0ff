/** `Connection.rawBatches()`: batches without the format, and without a view per message. */

import { setImmediate } from "node:timers";
import { assertEquals } from "@std/assert";
import { connect } from "../../client.ts";
import { Connection } from "../../connection.ts";
import { json } from "../../format.ts";
import { BLOCK_BYTES, SHARED_BLOCKS } from "../../internal/memory.ts";
import { listen } from "../../server.ts";
import { FakeTransport, turn } from "../support/fake_transport.ts";
import { pattern } from "../support/raw.ts";
import { asText } from "../support/texts.ts";

const HELLO = [0, 0, 0, 5, 72, 69, 76, 76, 79];
const HI = [0, 0, 0, 2, 104, 105];

Deno.test("Connection.rawBatches() gives what each chunk completed, and never an empty batch", async () => {
  const transport = new FakeTransport();
  await using connection = new Connection(transport);
  transport.arrive([...HELLO, ...HI]);
  transport.arrive(HELLO.slice(0, 6));
  transport.arrive([...HELLO.slice(6), ...HI]);
  transport.end();
  const batches: (string | undefined)[][] = [];
  for await (const batch of connection.rawBatches()) batches.push([...batch].map(asText));
  assertEquals(batches, [["HELLO", "hi"], ["HELLO", "hi"]]);
});

Deno.test("Connection: readers of every kind take turns, also within a batch", async () => {
  const transport = new FakeTransport();
  await using connection = new Connection(transport);
  const raw = connection.rawBatches();
  const first = raw.next();
  for (let n = 0; n < 4; n++) transport.arrive([...HELLO, ...HI, ...HI]);
  assertEquals([...(await first).value!].map(asText), ["HELLO", "hi", "hi"]);
  await turn(); // Now three batches wait that have no views.
  assertEquals(asText(await connection.receive()), "HELLO");
  assertEquals([...(await raw.next()).value!].map(asText), ["hi", "hi"]);
  assertEquals(asText(await connection.receive()), "HELLO");
  const { value } = await connection.batches().next();
  assertEquals(value!.map(asText), ["hi", "hi"]);
  assertEquals(connection.stats.unreadMessages, 3);
  assertEquals(connection.stats.unreadBytes, 9);
  const rest = connection.receiveAll();
  transport.end();
  assertEquals((await rest).map(asText), ["HELLO", "hi", "hi"]);
});

Deno.test("Connection.rawBatches() passes the format by", async () => {
  const transport = new FakeTransport();
  await using connection = new Connection(transport, { format: json() });
  transport.arrive(HELLO);
  transport.end();
  for await (const batch of connection.rawBatches()) assertEquals(asText(batch.at(0)), "HELLO");
});

Deno.test("Connection.rawBatches() with memory that is used again mixes no messages up", async () => {
  const SIZES = [0, 1, 40, 1000, 4090, 8000, 33_000, 65_532, 70_000, 150_000, 150_000];
  const COUNT = 3000;
  const sizeOf = (n: number) => SIZES[(n * n + (n >> 3)) % (n % 50 === 0 ? SIZES.length : 6)];
  let checked = 0;
  await using server = await listen("127.0.0.1:0", async (connection) => {
    for await (using batch of connection.rawBatches()) {
      await Promise.resolve();
      for (const message of batch) {
        assertEquals(message, pattern(sizeOf(checked), checked), `message ${checked}`);
        checked++;
      }
    }
  });
  const connection = await connect(server.endpoints[0]);
  for (let n = 0; n < COUNT; n++) await connection.send(pattern(sizeOf(n), n));
  await connection.close();
  assertEquals(checked, COUNT);
});

/** A transport that reads into blocks, which are overwritten as soon as they are given back. */
class Overwriting extends FakeTransport {
  given = 0;
  override readonly abilities = {
    chunks: {
      ...SHARED_BLOCKS,
      recycle: (chunk: Uint8Array) => {
        chunk.fill(0xee);
        this.given++;
      },
    },
  };

  override async read(): Promise<Uint8Array | undefined> {
    const chunk = await super.read();
    return chunk && inBlock(chunk);
  }
}

/** A chunk in a block, as from a socket. */
function inBlock(...parts: (Uint8Array | number[])[]): Uint8Array {
  const bytes = inBytes(...parts);
  const block = new Uint8Array(BLOCK_BYTES);
  block.set(bytes);
  return block.subarray(0, bytes.length);
}

for (const arrived of [0, 1, 3, 100, 5_000, 40_000]) {
  Deno.test(`Connection.switchFraming() after a batch that was given back, ${arrived} bytes before`, async () => {
    const transport = new Overwriting({ endsInReply: true });
    await using connection = new Connection(transport);
    // For u16be these are an empty message and a long one, for u32be the start of one of 50 000 bytes.
    const rest = inBlock([0, 0, 0xc3, 0x50], pattern(50_000, 1));
    const first = connection.rawBatches().next();
    transport.arrive(inBlock(HELLO, HI, rest.subarray(0, arrived)));
    {
      using batch = (await first).value!;
      assertEquals([...batch].map(asText), ["HELLO", "hi"]);
    }
    // A longer rest is not copied, so its memory is kept.
    assertEquals(transport.given, arrived < 4096 ? 1 : 0);
    connection.switchFraming("u16be");
    transport.arrive(rest.slice(arrived));
    assertEquals(await connection.receive(), new Uint8Array(0));
    assertEquals(await connection.receive(), pattern(50_000, 1));
  });
}

Deno.test("Connection.switchFraming() after a batch with an error behind it", async () => {
  const transport = new Overwriting({ endsInReply: true });
  await using connection = new Connection(transport);
  const raw = connection.rawBatches();
  const first = raw.next();
  transport.arrive(inBlock(HELLO));
  (await first).value!.recycle();
  transport.arrive(inBlock(HELLO, HI, [79, 75, 10, 79, 75]));
  await turn();
  (await raw.next()).value!.recycle();
  connection.switchFraming("line");
  transport.arrive([10]);
  assertEquals(asText(await connection.receive()), "OK");
  assertEquals(asText(await connection.receive()), "OK");
});

Deno.test("Connection.switchFraming() in the middle of a batch that has no views", async () => {
  const transport = new Overwriting({ endsInReply: true });
  await using connection = new Connection(transport);
  const raw = connection.rawBatches();
  const first = raw.next();
  transport.arrive(inBlock(HELLO));
  (await first).value!.recycle();
  transport.arrive(inBlock(HELLO, [0, 0, 0, 1, 65, 0, 0]));
  await turn();
  assertEquals(asText(await connection.receive()), "HELLO");
  connection.switchFraming("u16be");
  assertEquals(await connection.receive(), new Uint8Array(0));
  assertEquals(asText(await connection.receive()), "A");
});

/** As `Overwriting`, but a large message is read into its place. */
class InPlace extends Overwriting {
  override async read(
    readTarget?: (bytes: number) => Uint8Array | undefined,
  ): Promise<Uint8Array | undefined> {
    const target = readTarget?.(BLOCK_BYTES);
    const chunk = await super.read();
    if (target === undefined || chunk === undefined) return chunk;
    target.set(chunk);
    return target.subarray(0, chunk.length);
  }
}

for (const switches of [false, true]) {
  const what = switches ? "and its bytes are still there for another framing" : "and it is whole";
  Deno.test(`Connection gives back what a large message came in when it has its place, ${what}`, async () => {
    const transport = new InPlace({ endsInReply: true });
    await using connection = new Connection(transport);
    const message = pattern(200_000, 1);
    const frame = inBytes([0, 3, 0x0d, 0x40], message);
    const receiving = connection.receive();
    transport.arrive(inBytes([0, 0, 0, 1, 7]));
    assertEquals(await receiving, Uint8Array.of(7));
    const given = transport.given;
    transport.arrive(frame.slice(0, BLOCK_BYTES));
    transport.arrive(frame.slice(BLOCK_BYTES, 2 * BLOCK_BYTES));
    while (transport.reads < 4) await new Promise((resolve) => setImmediate(resolve));
    assertEquals(transport.given, given + 1);
    if (switches) {
      connection.switchFraming("none");
      assertEquals(await connection.receive(), frame.slice(0, 2 * BLOCK_BYTES));
    } else {
      transport.arrive(frame.slice(2 * BLOCK_BYTES, 3 * BLOCK_BYTES));
      transport.arrive(frame.slice(3 * BLOCK_BYTES));
      assertEquals(await connection.receive(), message);
    }
  });
}

function inBytes(...parts: (Uint8Array | number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
