/** The parts of connections that pages have instead: here they have a transport without a network. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Deque as RealDeque } from "@std/data-structures";
import { Deque } from "../../browser/instead/data_structures.ts";
import { Receiver } from "../../browser/instead/receiver.ts";
import { Sender } from "../../browser/instead/sender.ts";
import type { ConnectionOptions } from "../../connection.ts";
import { resolveSettings } from "../../connection/settings.ts";
import { MessageTooLargeError, SlowConsumerError } from "../../errors.ts";
import type { LengthwiseError } from "../../errors.ts";
import { FakeTransport } from "../support/fake_transport.ts";

const settingsOf = (options: ConnectionOptions = {}) => resolveSettings<unknown>(options);

/** A sending half, and what became of it. */
function sending(options: ConnectionOptions, takes: number) {
  const transport = new FakeTransport({ takes });
  const failures: LengthwiseError[] = [];
  const owner = { isOpen: true, outputFailed: (error: LengthwiseError) => failures.push(error) };
  return { transport, failures, sender: new Sender(transport, settingsOf(options), owner) };
}

/** A receiving half that runs, and what became of it. */
function receiving(options: ConnectionOptions = {}) {
  const transport = new FakeTransport();
  const ends: unknown[] = [];
  const owner = {
    inputEnded: () => ends.push("end"),
    inputFailed: (error: LengthwiseError) => ends.push(error),
    inputReplied: () => undefined,
  };
  const receiver = new Receiver(transport, settingsOf(options), owner);
  return { transport, ends, receiver, over: receiver.run() };
}

Deno.test("Deque in a page does what that of @std does", () => {
  const [page, real] = [new Deque<number>(), new RealDeque<number>()];
  let seed = 1;
  for (let n = 0; n < 20_000; n++) {
    seed = Math.imul(seed, 48_271) >>> 0;
    const deed = seed % 23;
    if (deed < 8) assertEquals(page.pushBack(n), real.pushBack(n));
    else if (deed < 10) assertEquals(page.pushFront(n), real.pushFront(n));
    else if (deed < 17) assertEquals(page.popFront(), real.popFront());
    else if (deed < 20) assertEquals(page.popBack(), real.popBack());
    else if (deed < 21) assertEquals([...page], [...real]);
    else {
      const wanted = page.peekFront();
      assertEquals(
        page.removeFirst((it) => it === wanted),
        real.removeFirst((it) => it === wanted),
      );
    }
    assertEquals(page.peekFront(), real.peekFront());
    assertEquals(page.peekBack(), real.peekBack());
    assertEquals([page.length, page.isEmpty()], [real.length, real.isEmpty()]);
  }
});

Deno.test("Sender in a page writes what one turn has sent together, in order, as far as it is taken", async () => {
  const { transport, sender } = sending({}, 7);
  for (const byte of [1, 2, 3]) assert(sender.offer(Uint8Array.of(byte)));
  assertEquals(sender.pendingBytes, 15);
  const flushed = sender.flushed();
  await Promise.resolve();
  assertEquals([sender.messages, sender.pendingBytes, sender.isQuiet], [0, 8, false]);
  transport.take(Infinity);
  await flushed;
  assertEquals(transport.chunks.length, 2);
  assertEquals(transport.written, Uint8Array.of(0, 0, 0, 1, 1, 0, 0, 0, 1, 2, 0, 0, 0, 1, 3));
  assertEquals([sender.messages, sender.bytes, sender.isQuiet], [3, 15, true]);
  sender.stop(new Error("over"));
  await sender.settled();
});

Deno.test("Sender in a page lets send() wait above the mark, until the peer has taken enough", async () => {
  const { transport, sender } = sending({ highWaterMark: 100 }, 0);
  sender.offer(new Uint8Array(200));
  let isReady = false;
  const ready = sender.ready().then(() => isReady = true);
  await Promise.resolve();
  assertEquals(isReady, false);
  transport.take(Infinity);
  await ready;
  sender.offer(new Uint8Array(200));
  transport.failWrites(new Error("gone"));
  sender.stop(new Error("over"));
  await sender.settled();
});

Deno.test("Sender in a page does as slowConsumer says when too much waits", async () => {
  const limits = { highWaterMark: 10, maxPendingBytes: 50 };
  const message = (byte: number) => new Uint8Array(16).fill(byte);
  for (
    const [slowConsumer, kept, dropped] of [
      ["drop-newest", [1, 2], 2],
      ["drop-oldest", [1, 4], 2],
    ] as const
  ) {
    const { transport, sender } = sending({ ...limits, slowConsumer }, 0);
    for (let n = 1; n <= 4; n++) sender.offer(message(n));
    transport.take(Infinity);
    await sender.flushed();
    const seen = [...transport.written].filter((_, at) => at % 20 === 4);
    assertEquals([seen, sender.dropped, sender.messages], [[...kept], dropped, 2], slowConsumer);
    sender.stop(new Error("over"));
  }
  const { transport, sender, failures } = sending(limits, 0);
  sender.offer(message(1));
  sender.offer(message(2));
  const waits = assertRejects(() => sender.ready(), SlowConsumerError);
  assertThrows(() => sender.offer(message(3)), SlowConsumerError, "40 bytes wait already");
  await waits;
  assertEquals([failures.length, sender.pendingBytes], [1, 40]);
  transport.close();
  await sender.settled();
});

Deno.test("Receiver in a page serves readers in their order, and stops reading while much is unread", async () => {
  const { transport, ends, receiver, over } = receiving({ maxUnreadBytes: 150 });
  const readers = [receiver.wait("message"), receiver.wait("result"), receiver.wait("batch")];
  transport.arrive([0, 0, 0, 1, 1, 0, 0, 0, 1, 2, 0, 0, 0, 1, 3, 0, 0, 0, 1, 4]);
  const [first, second, third] = await Promise.all(readers);
  assertEquals(first as unknown, Uint8Array.of(1));
  assertEquals(second as unknown, { done: false, value: Uint8Array.of(2) });
  assertEquals(third as unknown, [Uint8Array.of(3), Uint8Array.of(4)]);
  for (const byte of [5, 6, 7, 8]) transport.arrive([0, 0, 0, 1, byte]);
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  assertEquals(receiver.inbox.messages, 3);
  assertEquals(receiver.take(), Uint8Array.of(5));
  assertEquals((await receiver.takeRaw())?.at(-1), Uint8Array.of(7));
  assertEquals(await receiver.takeBatch(), [Uint8Array.of(8)]);
  transport.end();
  assertEquals(await receiver.takeBatch(), undefined);
  await over;
  assertEquals([ends, receiver.messages], [["end"], 8]);
});

Deno.test("Receiver in a page gives what came before an error, and then the error", async () => {
  const { transport, ends, receiver, over } = receiving({ maxMessageBytes: 2 });
  transport.arrive([0, 0, 0, 1, 1, 0, 0, 0, 3, 1, 2, 3]);
  await over;
  assertEquals(receiver.take(), Uint8Array.of(1));
  await assertRejects(() => receiver.wait("message"), MessageTooLargeError);
  assert(ends[0] instanceof MessageTooLargeError);
});

Deno.test("Receiver in a page counts what it drops", async () => {
  const { transport, ends, receiver, over } = receiving();
  transport.arrive([0, 0, 0, 1, 1, 0, 0]);
  while (receiver.inbox.messages === 0) await Promise.resolve();
  receiver.discard();
  transport.arrive([0, 5]);
  transport.end();
  await over;
  assertEquals([receiver.discardedBytes, ends], [1 + 2 + 2, ["end"]]);
});
