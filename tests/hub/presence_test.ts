/** hub.presence(): who is in a room, for programs, in one process. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Connection } from "../../connection.ts";
import { LengthwiseError } from "../../errors.ts";
import { type Backplane, Hub, type HubOptions, inProcess, type PresenceChange } from "../../hub.ts";
import { memoryPair } from "../../testing.ts";

/** Hubs on one backplane, and connections; all closed at the end of the test. */
class Company implements AsyncDisposable {
  readonly backplane: Backplane = inProcess();
  readonly #hubs: Hub[] = [];
  readonly #connections: Connection[] = [];

  hub(options: HubOptions = {}): Hub {
    const hub = new Hub({ backplane: this.backplane, ...options });
    this.#hubs.push(hub);
    return hub;
  }

  connection(): Connection {
    const [near, far] = memoryPair().map((transport) => new Connection(transport));
    this.#connections.push(near, far);
    return near;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const hub of this.#hubs) hub.close();
    for (const connection of this.#connections) connection.abort();
    await Promise.all(this.#connections.map(({ closed }) => closed));
  }
}

async function take(changes: AsyncIterator<PresenceChange>, count: number): Promise<unknown[]> {
  const taken: unknown[] = [];
  while (taken.length < count) {
    const { value } = await changes.next();
    taken.push([value.kind, value.member.data]);
  }
  return taken;
}

Deno.test("hub.presence() tells who is in a room of any hub, with data, and what changes", async () => {
  await using company = new Company();
  const [here, there] = [company.hub(), company.hub()];
  const [ada, bob] = [company.connection(), company.connection()];
  there.join("a", ada, { data: { name: "Ada" } });
  const room = here.presence<{ name: string }>("a");
  await room.ready;
  assertEquals([...room].map(({ data }) => data), [{ name: "Ada" }]);
  const changes = room.changes();
  assertEquals(await take(changes, 1), [["join", { name: "Ada" }]]);
  here.join("a", bob, { data: { name: "Bob" } });
  assertEquals(await take(changes, 1), [["join", { name: "Bob" }]]);
  assertEquals(there.presence("a").track(ada, { name: "Eve" }), true);
  assertEquals(await take(changes, 1), [["update", { name: "Eve" }]]);
  here.leave("a", bob);
  ada.abort();
  assertEquals(await take(changes, 2), [["leave", { name: "Bob" }], ["leave", { name: "Eve" }]]);
  assertEquals(room.size, 0);
  here.close();
  assertEquals(await changes.next(), { done: true, value: undefined });
});

Deno.test("A member has an id that no other has, its hub, and since when it is there", async () => {
  await using company = new Company();
  const presence = { heartbeatInterval: 100, leaseTimeout: 400 };
  const [here, there] = [company.hub({ presence }), company.hub({ presence })];
  const [one, two] = [company.connection(), company.connection()];
  const start = Date.now();
  here.join("a", one, { data: 1 });
  here.join("b", one, { data: 2 });
  there.join("a", two, { data: 3 });
  const [a, b] = [here.presence("a"), here.presence("b")];
  await a.ready;
  assertEquals(a.size, 2);
  const [member, other] = a;
  assertEquals(member, a.get(one));
  assertEquals(a.get(member.id), member);
  assertEquals(member.id, b.get(one)?.id);
  assertEquals(a.get(two), undefined, "it is a connection of the other hub");
  assertEquals(other.id, there.presence("a").get(two)?.id);
  assertEquals([member.hub === other.hub, member.id === other.id], [false, false]);
  assertEquals(member.since >= start && member.since <= Date.now(), true);
  const { since } = member;
  a.track(one, 4);
  assertEquals(a.get(one), { ...member, data: 4, since });
});

Deno.test("Who joins without data is not present, until it is tracked", async () => {
  await using company = new Company();
  const hub = company.hub();
  const connection = company.connection();
  hub.join("a", connection);
  const room = hub.presence("a");
  assertEquals(room.size, 0);
  assertEquals(hub.presence("b").track(connection, null), false);
  assertEquals(room.track(connection, null), true);
  assertEquals([...room].map(({ data }) => data), [null]);
  hub.leave("a", connection);
  assertEquals([room.size, room.track(connection, null)], [0, false]);
});

Deno.test("hub.join() refuses data that is no JSON, too large, or one too many, and does not join", async () => {
  await using company = new Company();
  const hub = company.hub({ presence: { maxMembersPerRoom: 1, maxDataBytes: 10 } });
  const [one, two] = [company.connection(), company.connection()];
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  for (const data of [() => 1, 1n, circle, Symbol()]) {
    assertThrows(() => hub.join("a", one, { data }), TypeError, "its data cannot be JSON");
  }
  assertThrows(
    () => hub.join("a", one, { data: "é".repeat(5) }),
    RangeError,
    'Cannot be present in room "a": its data has 12 bytes as JSON, limit is 10',
  );
  assertEquals(hub.rooms(), []);
  hub.join("a", one, { data: 1 });
  assertThrows(
    () => hub.join("a", two, { data: 1 }),
    LengthwiseError,
    'Cannot be present in room "a": 1 are present there, limit is 1',
  );
  assertEquals(hub.join("a", two), true);
  assertEquals(hub.presence("a").track(one, 2), true, "it is there already");
  const options = { heartbeatInterval: 0 };
  assertThrows(() => new Hub({ presence: options }), RangeError, "heartbeatInterval");
});

Deno.test("Data is what JSON brings, in the own hub too, and later changes of the object are none", async () => {
  await using company = new Company();
  const hub = company.hub();
  const connection = company.connection();
  const data = { at: new Date(0), left: undefined, list: [1] };
  hub.join("a", connection, { data });
  data.list.push(2);
  assertEquals(hub.presence("a").get(connection)?.data, {
    at: "1970-01-01T00:00:00.000Z",
    list: [1],
  });
});

Deno.test("changes() joins what waits for one member, so that a slow reader gets fewer", async () => {
  await using company = new Company();
  const hub = company.hub();
  const [stays, goes, comes] = [company.connection(), company.connection(), company.connection()];
  hub.join("a", stays, { data: 0 });
  hub.join("a", goes, { data: "goes" });
  const room = hub.presence("a");
  const changes = room.changes();
  assertEquals(await take(changes, 2), [["join", 0], ["join", "goes"]]);
  for (let i = 1; i <= 1_000; i++) {
    room.track(stays, i);
    hub.join("a", comes, { data: i });
    hub.leave("a", comes);
  }
  hub.leave("a", goes);
  hub.join("a", comes, { data: "last" });
  assertEquals(await take(changes, 3), [["update", 1_000], ["leave", "goes"], ["join", "last"]]);
  hub.leave("a", comes);
  hub.join("a", comes, { data: "again" });
  assertEquals(await take(changes, 1), [["update", "again"]]);
  hub.close();
  assertEquals((await changes.next()).done, true);
});

Deno.test("changes() throws the reason of its signal, also while it waits", async () => {
  await using company = new Company();
  const hub = company.hub();
  const abort = new AbortController();
  const changes = hub.presence("a").changes({ signal: abort.signal });
  const next = changes.next();
  abort.abort(new Error("enough"));
  await assertRejects(() => next, Error, "enough");
  await assertRejects(
    () => hub.presence("a").changes({ signal: abort.signal }).next(),
    Error,
    "enough",
  );
});

Deno.test("Hub.close() lets its members leave everywhere, and ends what reads changes", async () => {
  await using company = new Company();
  const [here, there] = [company.hub(), company.hub()];
  there.join("a", company.connection(), { data: 1 });
  const room = here.presence("a");
  await room.ready;
  assertEquals(room.size, 1);
  there.close();
  assertEquals(room.size, 0);
  here.close();
  assertEquals([room.size, (await room.changes().next()).done], [0, true]);
  assertThrows(() => here.presence("a"), LengthwiseError, "the hub is closed");
  assertThrows(() => here.join("a", company.connection(), { data: 1 }), LengthwiseError, "closed");
});

Deno.test("With a backplane that has no channels, presence tells of this hub's members only", async () => {
  await using company = new Company();
  const real = inProcess();
  const backplane: Backplane = {
    attach(port) {
      const link = real.attach(port);
      return {
        subscribe: (room) => link.subscribe(room),
        unsubscribe: (room) => link.unsubscribe(room),
        publish: (room, bytes) => link.publish(room, bytes),
        close: () => link.close(),
      };
    },
  };
  const [here, there] = [company.hub({ backplane }), company.hub({ backplane })];
  there.join("a", company.connection(), { data: 1 });
  here.join("a", company.connection(), { data: 2 });
  await here.presence("a").ready;
  assertEquals([...here.presence("a")].map(({ data }) => data), [2]);
  assertEquals(here.broadcast("a", "still heard by all"), 1);
  assertEquals(there.stats.broadcasts, 1);
});

Deno.test("A hub whose presence nobody uses hears and says nothing of it", async () => {
  await using company = new Company();
  const [here, there] = [company.hub(), company.hub()];
  here.join("a", company.connection());
  there.join("a", company.connection(), { data: 1 });
  assertEquals([here.presenceStats.received, here.presenceStats.sent], [0, 0]);
  assertEquals(there.presenceStats.members, 1);
});
