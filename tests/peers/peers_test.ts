/** Rooms of peers: who is notified, in which order, at what cost, and who is not. */

import { assert, assertEquals, assertGreater, assertLess, assertThrows } from "@std/assert";
import { lengthPrefix } from "../../codec.ts";
import {
  ConnectionClosedError,
  LengthwiseError,
  MessageTooLargeError,
  SlowConsumerError,
} from "../../errors.ts";
import { bytes } from "../../format.ts";
import { PeerHub } from "../../peers.ts";
import { type RequestPeer, requests } from "../../request.ts";
import { HELLO, settle } from "../support/requests.ts";
import { type Events, Members } from "../support/peer_rooms.ts";

Deno.test("PeerHub.notify() reaches the members of the room and counts them", async () => {
  await using members = new Members();
  using hub = new PeerHub<Events>();
  const [one, two, three] = await members.many(3);
  assertEquals([hub.join("a", one.peer), hub.join("a", one.peer)], [true, false]);
  hub.join("a", two.peer);
  hub.join("b", three.peer);
  assertEquals(hub.notify("a", "moved", { name: "Ada", x: 1 }), 2);
  assertEquals(hub.notify("a", "bare"), 2);
  assertEquals(hub.notify("a", "said", Uint8Array.of(1, 2)), 2);
  assertEquals(hub.notify("b", "said", null), 1);
  assertEquals(hub.notify("c", "said", "nobody"), 0);
  for (const { told } of [one, two]) {
    assertEquals(await told.first(3), [{ name: "Ada", x: 1 }, "bare", Uint8Array.of(1, 2)]);
  }
  assertEquals(await three.told.first(1), [null]);
  const { rooms, members: count, notifications, delivered, dropped, foreign } = hub.stats;
  assertEquals([rooms, count, notifications, delivered, dropped, foreign], [2, 3, 5, 7, 0, 0]);
  assertEquals(hub.members("a"), [one.peer, two.peer]);
  assertEquals([hub.rooms(), hub.rooms(three.peer)], [["a", "b"], ["b"]]);
});

Deno.test("PeerHub.notify({ except }) leaves out one or several", async () => {
  await using members = new Members();
  using hub = new PeerHub<Events>();
  const all = await members.many(3);
  const [one, two] = all.map(({ peer }) => (hub.join("a", peer), peer));
  assertEquals(hub.notify("a", "said", 1, { except: one }), 2);
  assertEquals(hub.notify("a", "said", 2, { except: [one, two] }), 1);
  assertEquals(hub.notify("a", "said", 3, { except: new Set([two]) }), 2);
  assertEquals(hub.notify("a", "bare", undefined, { except: two }), 2);
  assertEquals(await all[0].told.first(2), [3, "bare"]);
  assertEquals(await all[1].told.first(1), [1]);
  assertEquals(await all[2].told.first(4), [1, 2, 3, "bare"]);
});

Deno.test("PeerHub.notify() encodes once, whoever gets it, and frames once for each framing", async () => {
  await using members = new Members();
  let frames = 0;
  const counted = (["big", "little"] as const).map((endian) => {
    const framing = lengthPrefix({ endian });
    const encodeInto = framing.encodeInto.bind(framing); // encode() calls it, too
    return Object.assign(framing, {
      encodeInto: (...args: Parameters<typeof encodeInto>) => (frames++, encodeInto(...args)),
    });
  });
  using hub = new PeerHub<Events>();
  const format = bytes(); // one for all, as the connections of an endpoint have it
  for (const framing of counted) {
    for (const { peer } of await members.many(40, { framing, format })) hub.join("a", peer);
  }
  for (const params of ["x".repeat(10), "x".repeat(3000), "x".repeat(100_000)]) {
    let encoded = 0;
    frames = 0;
    const queued = hub.notify("a", "said", { toJSON: () => (encoded++, params) });
    assertEquals([queued, encoded, frames], [80, 1, 2], `${params.length}`);
    await settle();
  }
});

Deno.test("PeerHub keeps what a peer is sent by itself and by its rooms in one order", async () => {
  await using members = new Members();
  using hub = new PeerHub<Events>();
  const all = await members.many(20); // enough to travel together
  for (const { peer } of all) hub.join("a", peer);
  const [{ peer, told }] = all;
  for (let n = 0; n < 300; n += 3) {
    hub.notify("a", "said", n);
    peer.notify("said", n + 1);
    hub.notify("a", "said", n + 2, { except: all[1].peer });
    if (n % 30 === 0) await Promise.resolve();
  }
  assertEquals(await told.first(300), Array.from({ length: 300 }, (_, n) => n));
  const others = Array.from({ length: 300 }, (_, n) => n).filter((n) => n % 3 !== 1);
  assertEquals(await all[5].told.first(200), others);
  assertEquals(await all[1].told.first(100), others.filter((n) => n % 3 === 0));
});

Deno.test("PeerHub: what is large waits for a peer's HELLO, in order, and holds nobody up", async () => {
  await using members = new Members();
  using hub = new PeerHub<Events>();
  const [ready] = await members.many(1);
  const [near, far] = members.pair();
  const late = requests<Events>(near);
  for (const peer of [ready.peer, late]) hub.join("a", peer);
  const large = "x".repeat(2000);
  assertEquals(["1", large, "3"].map((text) => hub.notify("a", "said", text)), [2, 2, 2]);
  late.notify("said", "4");
  assertEquals(await ready.told.first(3), ["1", large, "3"]);
  await far.receive(); // its HELLO
  assertEquals(new TextDecoder().decode((await far.receive())!.subarray(6)), '"1"');
  await far.send(HELLO);
  for (const text of [large, "3", "4"]) {
    assertEquals(new TextDecoder().decode((await far.receive())!.subarray(6)), `"${text}"`);
  }
  assertEquals(hub.notify("a", "said", large), 2);
  assertEquals(hub.stats.dropped, 0);
});

Deno.test("PeerHub: no more than 1 MiB waits for a HELLO, and what waits is lost with the peer and counted", async () => {
  await using members = new Members();
  using hub = new PeerHub<Events>();
  const [near] = members.pair();
  const late = requests<Events>(near);
  hub.join("a", late);
  const text = "x".repeat(100_000);
  const queued = Array.from({ length: 20 }, () => hub.notify("a", "said", text));
  assertEquals(queued.reduce((sum, one) => sum + one), 10);
  assertEquals([hub.stats.delivered, hub.stats.dropped], [10, 10]);
  near.abort();
  await late.closed;
  assertEquals([hub.stats.delivered, hub.stats.dropped], [0, 20]);
});

Deno.test("PeerHub: who takes only small messages gets no large ones, which are counted", async () => {
  await using members = new Members();
  using hub = new PeerHub<Events>();
  const [large] = await members.many(1);
  const [small] = await members.many(1, { far: { maxMessageBytes: 5000 } });
  const [tiny] = await members.many(1, { framing: "u8" });
  for (const { peer } of [large, small, tiny]) hub.join("a", peer);
  const texts = [10, 1000, 10_000].map((length) => "x".repeat(length));
  assertEquals(texts.map((text) => hub.notify("a", "said", text)), [3, 2, 1]);
  assertEquals(hub.notify("a", "bare"), 3);
  assertEquals(await large.told.first(4), [...texts, "bare"]);
  assertEquals(await small.told.first(3), [texts[0], texts[1], "bare"]);
  assertEquals(await tiny.told.first(2), [texts[0], "bare"]);
  assertEquals([hub.stats.delivered, hub.stats.dropped], [9, 3]);
});

Deno.test("PeerHub.notify() throws for what no message can be, and nobody gets anything", async () => {
  await using members = new Members();
  using hub = new PeerHub({ maxNotificationBytes: 2000 });
  const [{ peer }] = await members.many(1);
  hub.join("a", peer as RequestPeer);
  assertThrows(() => hub.notify("a", "said", 1n), TypeError, "it is not JSON");
  assertThrows(() => hub.notify("a", "x".repeat(256)), TypeError, "above 255 bytes");
  assertThrows(
    () => hub.notify("a", "said", "x".repeat(2000)),
    MessageTooLargeError,
    "Cannot send message of 2008 bytes: limit is 2000 bytes",
  );
  assertEquals(hub.stats.notifications, 0);
  assertThrows(
    () => new PeerHub({ maxNotificationBytes: 1000 }),
    RangeError,
    "maxNotificationBytes",
  );
  assertThrows(() => new PeerHub({ maxRooms: 0 }), RangeError, "maxRooms");
});

Deno.test("PeerHub.join() refuses what is no peer, is closed, or is too many", async () => {
  await using members = new Members();
  const hub = new PeerHub<Events>({ maxMembersPerRoom: 1 });
  const [one, two] = await members.many(2);
  const join = (peer: unknown) => () => hub.join("a", peer as RequestPeer<Events>);
  assertThrows(
    join(members.pair()[0]),
    TypeError,
    "not made by requests()",
  );
  assertThrows(join({}), TypeError, "not made by requests()");
  hub.join("a", one.peer);
  assertThrows(join(two.peer), LengthwiseError, "limit is 1");
  assertEquals(hub.leave("a", two.peer), false);
  await two.peer.close();
  assertThrows(() => hub.join("b", two.peer), ConnectionClosedError);
  hub.close();
  assertEquals(hub.notify("a", "bare"), 0);
  assertThrows(() => hub.join("b", one.peer), LengthwiseError, "the hub is closed");
});

Deno.test("PeerHub tells who joined, who left and what became empty, also when a peer closes", async () => {
  await using members = new Members();
  const told: string[] = [];
  const empty = Promise.withResolvers<void>();
  using hub = new PeerHub<Events>({
    onJoin: (room, { id }) => told.push(`join ${room} ${id}`),
    onLeave: (room, { id }) => told.push(`leave ${room} ${id}`),
    onEmpty: (room) => {
      told.push(`empty ${room}`);
      if (room === "b") empty.resolve();
    },
  });
  const [{ peer, far }] = await members.many(1);
  for (const room of ["a", "b"]) hub.join(room, peer);
  assertEquals(hub.leave("a", peer), true);
  await far.close();
  await empty.promise;
  const { id } = peer;
  assertEquals(
    told,
    [`join a ${id}`, `join b ${id}`, `leave a ${id}`, "empty a", `leave b ${id}`, "empty b"],
  );
  assertEquals([hub.members("b"), hub.stats.members], [[], 0]);
});

Deno.test("PeerHub loses only the peer that reads too slowly", async () => {
  await using members = new Members();
  using hub = new PeerHub<Events>();
  const [near] = members.pair({ highWaterMark: 1024, maxPendingBytes: 4096 });
  const slow = requests<Events>(near);
  const [fast] = await members.many(1);
  for (const peer of [slow, fast.peer]) hub.join("a", peer);
  for (let n = 0; n < 100; n++) {
    hub.notify("a", "said", "x".repeat(900));
    await fast.told.first(n + 1);
  }
  assert((await slow.closed).error instanceof SlowConsumerError);
  assertEquals(hub.members("a"), [fast.peer]);
  assertGreater(hub.stats.dropped, 0);
});

Deno.test("PeerHub.notify({ volatile }) leaves out those that are slow now, who get other things and stay", async () => {
  await using members = new Members();
  using hub = new PeerHub<Events>();
  const [near, far] = members.pair({ highWaterMark: 1024 });
  const slow = requests<Events>(near);
  const [fast] = await members.many(1);
  for (const peer of [slow, fast.peer]) hub.join("a", peer);
  let queued = 0;
  for (let n = 0; n < 200; n++) {
    queued += hub.notify("a", "said", "x".repeat(900), { volatile: true });
    await fast.told.first(n + 1);
  }
  const got = queued - 200;
  assertEquals(hub.stats.dropped, 200 - got);
  assertLess(got, 150);
  hub.notify("a", "said", "not volatile");
  for (let n = 0; n < got + 1; n++) await far.receive(); // with its HELLO
  assertEquals(new TextDecoder().decode((await far.receive())!.subarray(6)), '"not volatile"');
  assertEquals(hub.notify("a", "bare", undefined, { volatile: true }), 2);
});

Deno.test("PeerHub.presence() tells of peers, and takes them in the place of connections", async () => {
  await using members = new Members();
  using hub = new PeerHub<Events>();
  const [one, two] = await members.many(2);
  hub.join("a", one.peer, { data: { name: "Ada" } });
  hub.join("a", two.peer);
  const room = hub.presence<{ name: string }>("a");
  assertEquals([...room].map(({ data }) => data.name), ["Ada"]);
  assertEquals(room.track(two.peer, { name: "Bob" }), true);
  assertEquals(room.get(two.peer)?.data, { name: "Bob" });
  hub.leave("a", one.peer);
  assertEquals([...room].map(({ data }) => data.name), ["Bob"]);
  assertEquals(hub.presenceStats.members, 1);
});
