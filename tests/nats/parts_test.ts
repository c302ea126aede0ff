/** What the backplane over NATS is made of, without a broker. */

import { assert, assertEquals, assertLessOrEqual, assertMatch, assertThrows } from "@std/assert";
import fc from "fast-check";
import { turnEnd } from "../../internal/turn_end.ts";
import { Arrivals } from "../../nats/arrivals.ts";
import { decodeEnvelope, encodeEnvelope, encodeName, type Envelope } from "../../nats/envelope.ts";
import { Pack, Packs, unpack } from "../../nats/packs.ts";
import { resolveOptions } from "../../nats/options.ts";
import { isText, markText } from "../../internal/text_mark.ts";
import { Subjects, Subscriptions } from "../../nats/subjects.ts";
import { Topics } from "../../nats/topics.ts";
import { Window } from "../../nats/window.ts";

const EXAMPLE = {
  publisher: 0x0011223344556677n,
  number: 300,
  previous: 2,
  room: "é",
  kind: "text" as const,
  message: Uint8Array.of(104, 105),
};

function encode(envelope: Envelope): Uint8Array {
  return encodeEnvelope(envelope, encodeName(envelope.room));
}

Deno.test("An envelope of NATS has these bytes", () => {
  assertEquals(
    encode(EXAMPLE),
    Uint8Array.of(
      ...[1, 1],
      ...[0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77],
      ...[0xac, 0x02, 2],
      ...[4, 0x22, 0xc3, 0xa9, 0x22],
      ...[104, 105],
    ),
  );
});

Deno.test("An envelope of NATS brings any room and any message", () => {
  fc.assert(fc.property(
    fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((c) => String.fromCharCode(c)) }),
    fc.uint8Array(),
    fc.boolean(),
    fc.maxSafeNat().filter((number) => number > 0),
    (room, message, isText, number) => {
      const kind = isText ? "text" as const : "bytes" as const;
      const envelope = { ...EXAMPLE, number, previous: number - 1, room, kind, message };
      assertEquals(decodeEnvelope(encode(envelope)), envelope);
    },
  ));
});

Deno.test("What is no envelope of NATS is told from one, wherever it is cut", () => {
  const whole = encode({ ...EXAMPLE, message: new Uint8Array(0) });
  for (let end = 0; end < whole.length; end++) {
    assertEquals(decodeEnvelope(whole.subarray(0, end)), undefined, `${end} bytes`);
  }
  for (const [at, byte] of [[0, 2], [1, 3], [12, 200], [13, 250], [14, 0x27], [15, 0xff]]) {
    const wrong = whole.slice();
    wrong[at] = byte;
    assertEquals(decodeEnvelope(wrong), undefined, `byte ${at}`);
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void decodeEnvelope(bytes)));
});

Deno.test("A pack has these bytes, and brings any messages, of which texts stay texts", () => {
  const pack = new Pack();
  assert(pack.add(Uint8Array.of(7, 8), 100));
  assert(pack.add(markText(Uint8Array.of(104, 105)), 100));
  assert(pack.add(new Uint8Array(0), 100));
  assertEquals([pack.bytes, pack.count], [Uint8Array.of(4, 7, 8, 5, 104, 105, 0), 3]);
  fc.assert(fc.property(fc.array(fc.tuple(fc.uint8Array(), fc.boolean())), (all) => {
    const pack = new Pack();
    for (const [message, text] of all) pack.add(text ? markText(message.slice()) : message, 1e6);
    const messages = unpack(pack.bytes)!;
    assertEquals(messages, all.map(([message]) => message));
    for (const [i, [{ length }, text]] of all.entries()) {
      assertEquals(isText(messages[i]), text || (length === 0 && isText(messages[i])));
    }
  }));
});

Deno.test("A pack takes no more than it may, and what is no pack is told from one", () => {
  const pack = new Pack();
  assert(pack.add(new Uint8Array(3_000), 4_000));
  assert(!pack.add(new Uint8Array(1_000), 4_000));
  assert(pack.add(new Uint8Array(996), 4_000));
  assertEquals([pack.count, pack.bytes.length], [2, 4_000]);
  for (const end of [1, 2, 3_001, 3_003, 3_999]) {
    assertEquals(unpack(pack.bytes.subarray(0, end)), undefined, `${end} bytes`);
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void unpack(bytes)));
});

Deno.test("Of a turn's messages the first leaves at once, and the others together", async () => {
  const published: [string, number][] = [];
  const packs = new Packs((room, pack) => published.push([room, pack.count]));
  const takes = (room: string, bytes = 1) => packs.takes(room, new Uint8Array(bytes), 100);
  assertEquals([takes("a"), takes("a"), takes("b"), takes("a")], [false, true, true, true]);
  assertEquals(published, []);
  // What is too large for a pack is published by the caller, behind what waits for the same room.
  assertEquals([takes("a", 200), takes("b", 98), takes("b", 2)], [false, true, true]);
  assertEquals(published, [["a", 2], ["b", 1], ["b", 1]]);
  await turnEnd();
  assertEquals(published.slice(3), [["b", 1]]);
  assertEquals(takes("a"), true);
  await turnEnd();
  assertEquals(published.slice(4), [["a", 1]]);
  await turnEnd();
  assertEquals(takes("a"), false);
  await turnEnd();
});

Deno.test("A subject of NATS has only safe characters and one length, for any room", () => {
  const subjects = new Subjects("blue_2");
  const rooms = ["", " ", "a.b.>", "*", "\n", "é", "\ud800", "x".repeat(256), "lobby", "Lobby"];
  const all = rooms.map((room) => subjects.of(room).subject);
  for (const subject of all) {
    assertMatch(subject, /^lengthwise\.blue_2\.room\.[0-3][0-9a-f]\.[\w-]{22}$/);
  }
  assertEquals(new Set(all).size, rooms.length);
});

Deno.test("A channel between hubs has never the subject of a room", () => {
  const room = new Subjects("c").of("a");
  const channel = new Subjects("c", "channel").of("a");
  assertEquals(
    channel.subject,
    room.subject.replace("lengthwise.c.room.", "lengthwise.c.channel."),
  );
  assert(channel.subject !== room.subject);
});

Deno.test("Subscriptions stay few, and every room has one", () => {
  const active = new Set<string>();
  const subscriptions = new Subscriptions(new Subjects("c"), (subject) => {
    assert(!active.has(subject), subject);
    active.add(subject);
    return { unsubscribe: () => assert(active.delete(subject)) };
  });
  const subjects = new Subjects("c");
  const isHeard = (room: string) => {
    const { part, subject } = subjects.of(room);
    return active.has(subject) || active.has(subjects.whole(part));
  };
  const rooms = Array.from({ length: 10_000 }, (_, i) => `room ${i}`);
  for (const [i, room] of rooms.entries()) {
    subscriptions.add(room);
    assert(isHeard(room));
    if (i === 999) assertEquals(subscriptions.size, 1_000);
    assertLessOrEqual(subscriptions.size, 64 * 32);
  }
  assertEquals([subscriptions.size, active.size], [64, 64]);
  assert(rooms.every(isHeard));
  const left = rooms.splice(300);
  for (const room of left) subscriptions.delete(room);
  assertEquals(subscriptions.size, active.size);
  assertEquals(subscriptions.size, 300);
  assert(rooms.every(isHeard));
  for (const room of rooms) subscriptions.delete(room);
  assertEquals([subscriptions.size, active.size], [0, 0]);
});

Deno.test("Topics forget the names used least lately: above 100 000 of them, or 32 MiB", () => {
  const after = (count: number, nameOf: (index: number) => string) => {
    const topics = new Topics(new Subjects("a"), () => ({ unsubscribe() {} }));
    for (const name of ["early", "late"]) topics.known(name).last = 7;
    for (let index = 0; index < count; index++) {
      topics.known(nameOf(index)).last = 8;
      topics.known("late");
    }
    return [topics.known("late").last, topics.known("early").last, topics.known(nameOf(0)).last];
  };
  const long = "\0".repeat(4_000); // 24 KB in an envelope
  assertEquals(after(100_000, (index) => `${index}`), [7, 0, 0]);
  assertEquals(after(900, (index) => `${long}${index}`), [7, 7, 8]);
  assertEquals(after(1_100, (index) => `${long}${index}`), [7, 0, 0]);
  // One that is too long for all is known for its own message, and by nobody later.
  assertEquals(after(1, () => "x".repeat(20 * 1024 * 1024)), [0, 0, 0]);
});

Deno.test("Arrivals tell what came before, and what is missing", () => {
  const arrivals = new Arrivals();
  assertEquals(
    [
      arrivals.take(1n, "a", 5, 4),
      arrivals.take(1n, "a", 9, 5),
      arrivals.take(1n, "a", 9, 5),
      arrivals.take(1n, "a", 5, 4),
      arrivals.take(1n, "a", 12, 11),
      arrivals.take(2n, "a", 1, 0),
      arrivals.take(1n, "b", 13, 12),
      // The publisher has forgotten what it said before.
      arrivals.take(1n, "a", 20, 0),
    ],
    ["next", "next", "again", "again", "after a gap", "next", "next", "next"],
  );
  arrivals.forget("a");
  assertEquals(arrivals.take(1n, "a", 30, 29), "next");
});

Deno.test("A window keeps what has not arrived, up to its limit", () => {
  const window = new Window(10);
  const message = (bytes: number) => ({ subject: "s", bytes: new Uint8Array(bytes) });
  assertEquals([4, 6, 1].map((bytes) => window.add(message(bytes))), [true, true, false]);
  window.arrived(1);
  assertEquals([window.bytes, window.taken, window.isEmpty], [6, 2, false]);
  assertEquals([...window].map(({ bytes }) => bytes.length), [6]);
  assert(window.add(message(3)));
  window.arrived(3);
  assertEquals([window.bytes, window.isEmpty], [0, true]);
});

Deno.test("nats() refuses options that it cannot use", () => {
  for (
    const wrong of [
      { servers: [] },
      { servers: "a:1", cluster: "" },
      { servers: "a:1", cluster: "a.b" },
      { servers: "a:1", cluster: "x".repeat(33) },
    ]
  ) assertThrows(() => resolveOptions(wrong), TypeError);
  for (const name of ["maxWaitingBytes", "pingInterval", "connectTimeout"]) {
    assertThrows(() => resolveOptions({ servers: "a:1", [name]: 0 }), RangeError, name);
  }
});
