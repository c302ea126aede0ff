/** How hubs agree on who is there: over a backplane with every fault, and without network and clock. */

import {
  assert,
  assertEquals,
  assertGreater,
  assertLess,
  assertLessOrEqual,
  assertThrows,
} from "@std/assert";
import { encodeMessage } from "../../hub/presence/messages.ts";
import { resolvePresenceOptions } from "../../hub/presence/options.ts";
import { randomOf, type Site, World } from "./presence_world.ts";

/** What all hubs that run should see in a room. */
function truth(world: World, members: Map<Site, Set<number>>): string[] {
  return world.sites.filter(({ state }) => state === "running")
    .flatMap((site) => [...members.get(site) ?? []].map((connection) => site.member(connection)))
    .toSorted();
}

Deno.test("Presence: a change is known to all hubs after 20 ms and the way", () => {
  const world = new World();
  const [one, two, three] = [world.add(), world.add(), world.add()];
  one.join("a", 1, { name: "Ada" });
  two.join("a", 1, { name: "Bob" });
  world.pass(22);
  for (const { directory } of [one, two, three]) {
    assertEquals(
      [...directory.members("a").values()].map(({ data }) => data).toSorted(byJson),
      [{ name: "Ada" }, { name: "Bob" }],
    );
  }
  one.join("a", 1, { name: "Eve" });
  two.leave("a", 1);
  world.pass(22);
  assertEquals(three.directory.members("a").get(one.member(1))?.data, { name: "Eve" });
  assertEquals(three.members("a"), [one.member(1)]);
  assertEquals(three.replica.stats.repairs, 0);
});

Deno.test("Presence: a hub that comes late learns of all from one question, and knows when it has", () => {
  const world = new World();
  const [one, two] = [world.add(), world.add()];
  for (let i = 0; i < 5_000; i++) one.join("a", i, { name: `member ${i}` });
  for (let i = 0; i < 5_000; i++) two.join("a", i, { name: `member ${i}` });
  world.pass(10_000);
  const late = world.add();
  assertEquals(late.isReady, false);
  world.pass(200);
  assertEquals(late.isReady, true);
  assertEquals(late.members("a").length, 10_000);
  assertEquals(late.replica.stats.repairs, 0);
  assertEquals(late.replica.stats.sent, 1);
});

Deno.test("Presence: a hub alone is ready soon after its first heartbeat", () => {
  const world = new World();
  const alone = world.add();
  world.pass(3_700);
  assertEquals(alone.isReady, false);
  world.pass(100);
  assertEquals(alone.isReady, true);
});

Deno.test("Presence: 10 000 members of 3 hubs cost a short message per hub and heartbeat", () => {
  const world = new World();
  const sites = [world.add(), world.add(), world.add()];
  for (let i = 0; i < 10_000; i++) sites[i % 3].join("a", i, { name: `member ${i}` });
  world.pass(100);
  for (const site of sites) assertEquals(site.directory.members("a").size, 10_000);
  const before = sites.map(({ replica }) => replica.stats.sent);
  const bytes = world.sentBytes;
  world.pass(25_000);
  assertEquals(sites.map(({ replica }, i) => replica.stats.sent - before[i]), [10, 10, 10]);
  assertLess(world.sentBytes - bytes, 30 * 100);
  assertEquals(world.largest <= 64 * 1024, true);
});

Deno.test("Presence: the members of a hub that died leave within 10 s, at once when it closes", () => {
  const world = new World();
  const [one, two, three] = [world.add(), world.add(), world.add()];
  two.join("a", 1);
  three.join("a", 1);
  world.pass(5_000);
  two.state = "dead";
  world.pass(6_000);
  assertEquals(one.members("a"), [two.member(1), three.member(1)]);
  world.pass(4_000);
  assertEquals(one.members("a"), [three.member(1)]);
  assertEquals(one.replica.stats.expired, 1);
  three.replica.close();
  three.state = "dead";
  world.pass(5);
  assertEquals(one.members("a"), []);
  assertEquals(one.replica.stats.hubs, 0);
  assertEquals(one.replica.stats.expired, 1);
});

Deno.test("Presence: a frozen hub leaves, and is there again when it goes on, and drops nobody", () => {
  const world = new World();
  const [one, two] = [world.add(), world.add()];
  one.join("a", 1);
  two.join("a", 1);
  world.pass(5_000);
  two.state = "frozen";
  world.pass(30_000);
  assertEquals(one.members("a"), [one.member(1)]);
  const watcher = two.directory.watch("a");
  two.state = "running";
  world.pass(6_000);
  const both = [one.member(1), two.member(1)];
  assertEquals([one.members("a"), two.members("a")], [both, both]);
  assertEquals(watcher.size, 2, "no one left meanwhile");
  assertEquals(two.replica.stats.expired, 0);
});

Deno.test("Presence: both sides of a cut see only themselves, and all again when it is mended", () => {
  const world = new World();
  const [one, two] = [world.add(), world.add()];
  one.join("a", 1);
  two.join("a", 1);
  world.pass(5_000);
  world.cut = () => true;
  world.pass(1_000);
  two.join("a", 2);
  two.leave("a", 1);
  world.pass(10_000);
  assertEquals([one.members("a"), two.members("a")], [[one.member(1)], [two.member(2)]]);
  world.cut = () => false;
  world.pass(5_100);
  const all = [one.member(1), two.member(2)];
  assertEquals([one.members("a"), two.members("a")], [all, all]);
});

Deno.test("Presence: what is lost, doubled and mixed on the way is repaired: no doubles, no ghosts", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const world = new World({ seed, maxMessageBytes: 1_024 });
    const random = randomOf(seed * 7_919);
    const members = new Map<Site, Set<number>>();
    const add = () => members.set(world.add(), new Set());
    for (let i = 0; i < 3; i++) add();
    world.trouble = { loss: 0.3, doubled: 0.3, delay: 200 };
    for (let step = 0; step < 150; step++) {
      const site = world.sites[Math.floor(random() * world.sites.length)];
      const own = members.get(site)!;
      const connection = Math.floor(random() * 40);
      if (step === 60) add();
      if (step === 100) world.sites[1].state = "dead";
      if (step === 70) world.sites[2].state = "frozen";
      if (step === 110) world.sites[2].state = "running";
      if (site.state !== "running") continue;
      if (random() < 0.6) {
        site.join("a", connection, { step });
        own.add(connection);
      } else {
        site.leave("a", connection);
        own.delete(connection);
      }
      world.pass(random() * 400);
    }
    world.trouble = { delay: 200 };
    world.pass(20_000);
    const expected = truth(world, members);
    for (const site of world.sites) {
      if (site.state !== "running") continue;
      assertEquals(site.members("a"), expected, `seed ${seed}, hub ${site.id}`);
      for (const other of world.sites) {
        for (const connection of members.get(other)!) {
          const id = other.member(connection);
          if (other.state !== "running") continue;
          const [seen, real] = [site, other].map(({ directory }) => directory.members("a").get(id));
          assertEquals(seen, real, `seed ${seed}`);
        }
      }
    }
    assertGreater(world.sites[0].replica.stats.repairs, 0);
    assertLessOrEqual(world.largest, 1_024);
  }
});

Deno.test("Presence: what comes late of a hub that is gone does not bring it back", () => {
  const world = new World();
  const [one, two] = [world.add(), world.add()];
  two.join("a", 1);
  world.pass(100);
  const head = { hub: two.id, number: 3, version: 2 };
  two.replica.close();
  two.state = "dead";
  world.pass(10);
  const late = encodeMessage({ ...head, number: 2, kind: "change", from: 1, changes: [["a", 2]] });
  one.replica.receive(late, "all", world.now);
  one.replica.receive(
    encodeMessage({
      ...head,
      number: 2,
      kind: "state",
      transfer: 1,
      part: 0,
      isLast: true,
      hubs: 2,
      members: [["a", 1, 0, null]],
    }),
    "one",
    world.now,
  );
  assertEquals([one.members("a"), one.replica.stats.hubs], [[], 0]);
  assertEquals(one.replica.stats.repeated, 2);
});

Deno.test("Presence: foreign and malformed messages are counted, and change nothing", () => {
  const world = new World();
  const [one, two] = [world.add(), world.add()];
  two.join("a", 1);
  world.pass(100);
  const head = { v: 1, hub: two.id, number: 99, version: 5 };
  const wrong: unknown[] = [
    ...[null, 1, "hello", [], {}, { ...head }, { ...head, kind: "fly" }],
    ...[{ ...head, v: 2, kind: "bye" }, { ...head, hub: "x", kind: "bye" }],
    ...[-1, 0.5, "1", 2 ** 60].map((number) => ({ ...head, number, kind: "bye" })),
    { ...head, kind: "change", from: 5, changes: [] },
    { ...head, kind: "change", from: 4, changes: [["a"]] },
    { ...head, kind: "change", from: 4, changes: [["a", "1"]] },
    { ...head, kind: "change", from: 4, changes: [["a", 1, "now", null]] },
    { ...head, kind: "change", from: 4, changes: {} },
    { ...head, kind: "state", transfer: 1, part: 0, isLast: 1, hubs: 1, members: [] },
    { ...head, kind: "state", transfer: 1, part: 0, isLast: true, hubs: 1, members: [["a", 1]] },
    { ...head, hub: one.id, kind: "bye" },
  ];
  const encoder = new TextEncoder();
  for (const message of wrong) {
    one.replica.receive(encoder.encode(JSON.stringify(message)), "all", world.now);
  }
  one.replica.receive(Uint8Array.of(0xff), "all", world.now);
  one.replica.receive(new Uint8Array(), "one", world.now);
  assertEquals(one.replica.stats.foreign, wrong.length + 2);
  assertEquals(one.members("a"), [two.member(1)]);
});

Deno.test("Presence: data that is nested too deeply is refused, and harms nobody", () => {
  const world = new World();
  const one = world.add();
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  const text = `{"v":1,"hub":"00000000000000aa","number":1,"version":2,"kind":"change","from":0,` +
    `"changes":[["a",1,0,${deep}],["a",2,0,"fine"]]}`;
  one.replica.receive(new TextEncoder().encode(text), "all", world.now);
  assertEquals(one.members("a"), ["00000000000000aa-2"]);
  assertEquals(one.replica.stats.refused, 1);
});

Deno.test("Presence: members and hubs beyond a limit are not shown, and counted", () => {
  const world = new World({ maxMembersPerRoom: 3, maxMembers: 4, maxDataBytes: 16, maxHubs: 2 });
  const [one, two, three] = [world.add(), world.add(), world.add()];
  for (let i = 0; i < 5; i++) two.join("a", i);
  for (let i = 0; i < 5; i++) three.join("b", i);
  three.join("c", 1, "x".repeat(100));
  world.pass(100);
  assertEquals([one.members("a").length, one.members("b").length, one.members("c").length], [
    3,
    1,
    0,
  ]);
  assertEquals(one.replica.stats.members, 4);
  assertEquals(one.replica.stats.hubs, 2);
  const { refused } = one.replica.stats;
  world.add();
  world.pass(100);
  assertEquals(one.replica.stats.hubs, 2);
  assertGreater(one.replica.stats.refused, refused);
});

Deno.test("Presence: many who ask at once get one answer, in parts that do not flood", () => {
  const world = new World({ maxMessageBytes: 2_048 });
  const one = world.add();
  for (let i = 0; i < 1_000; i++) one.join("a", i, { name: `member ${i}` });
  world.pass(5_000);
  const { sent } = one.replica.stats;
  const late = Array.from({ length: 10 }, () => world.add());
  world.pass(400);
  for (const site of late) assertEquals(site.members("a").length, 1_000);
  const parts = one.replica.stats.sent - sent;
  assertGreater(parts, 20);
  assertLess(parts, 60);
  assert(late.every(({ isReady }) => isReady));
});

Deno.test("Presence's options are checked", () => {
  assertEquals(resolvePresenceOptions({}), {
    heartbeatInterval: 2_500,
    leaseTimeout: 9_000,
    maxMembersPerRoom: 50_000,
    maxMembers: 200_000,
    maxDataBytes: 1_024,
    maxHubs: 1_000,
  });
  assertThrows(
    () => resolvePresenceOptions({ heartbeatInterval: 5_000 }),
    RangeError,
    "Cannot use leaseTimeout 9000: it must be more than twice heartbeatInterval, which is 5000",
  );
  assertThrows(() => resolvePresenceOptions({ maxDataBytes: 100_000 }), RangeError, "maxDataBytes");
  assertThrows(() => resolvePresenceOptions({ maxHubs: 0 }), RangeError, "maxHubs");
});

function byJson(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}
