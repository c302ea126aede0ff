/** Rooms of connections: membership, one order, limits, counts, several hubs as one. */

import { assertEquals, assertThrows } from "@std/assert";
import { Connection, type ConnectionOptions } from "../../connection.ts";
import { ConnectionClosedError, LengthwiseError } from "../../errors.ts";
import { json, text } from "../../format.ts";
import { type Backplane, type BackplanePort, Hub, type HubOptions, inProcess } from "../../hub.ts";
import { memoryPair } from "../../testing.ts";

/** Connections with their other ends, closed at the end of the test. */
class Pairs implements AsyncDisposable {
  readonly #all: Connection<string>[] = [];

  make(
    options: ConnectionOptions<string> = {},
  ): [near: Connection<string>, far: Connection<string>] {
    const { framing } = options;
    const [a, b] = memoryPair();
    const near = new Connection<string>(a, { format: text(), ...options });
    // It reads little ahead, so that whoever does not read is soon seen to be slow.
    const far = new Connection<string>(b, { format: text(), framing, maxUnreadBytes: 1024 });
    this.#all.push(near, far);
    return [near, far];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#all) connection.abort();
    await Promise.all(this.#all.map(({ closed }) => closed));
  }
}

async function receive(connection: Connection<string>, count: number): Promise<string[]> {
  const messages: string[] = [];
  while (messages.length < count) messages.push((await connection.receive())!);
  return messages;
}

Deno.test("Hub.broadcast() reaches the members of the room and counts them", async () => {
  await using pairs = new Pairs();
  const hub = new Hub<string>();
  const [one, farOne] = pairs.make();
  const [two, farTwo] = pairs.make({ framing: "line" });
  const [three, farThree] = pairs.make();
  assertEquals(hub.join("a", one), true);
  assertEquals(hub.join("a", one), false);
  hub.join("a", two);
  hub.join("b", three);
  assertEquals(hub.broadcast("a", "to a"), 2);
  assertEquals(hub.broadcast("b", "to b"), 1);
  assertEquals(hub.broadcast("c", "to nobody"), 0);
  assertEquals(await receive(farOne, 1), ["to a"]);
  assertEquals(await receive(farTwo, 1), ["to a"]);
  assertEquals(await receive(farThree, 1), ["to b"]);
  assertEquals(hub.stats, { rooms: 2, members: 3, broadcasts: 3, delivered: 3, dropped: 0 });
});

Deno.test("Hub.broadcast({ except }) leaves out one or several", async () => {
  await using pairs = new Pairs();
  const hub = new Hub<string>();
  const all = [pairs.make(), pairs.make(), pairs.make()];
  for (const [near] of all) hub.join("a", near);
  const [[one], [two]] = all;
  assertEquals(hub.broadcast("a", "1", { except: one }), 2);
  assertEquals(hub.broadcast("a", "2", { except: [one, two] }), 1);
  assertEquals(hub.broadcast("a", "3", { except: new Set([two]) }), 2);
  assertEquals(await receive(all[0][1], 1), ["3"]);
  assertEquals(await receive(all[1][1], 1), ["1"]);
  assertEquals(await receive(all[2][1], 3), ["1", "2", "3"]);
});

Deno.test("Hub.send() reaches one connection by its id", async () => {
  await using pairs = new Pairs();
  const hub = new Hub<string>();
  const [near, far] = pairs.make();
  assertEquals(hub.send(near.id, "too early"), false);
  hub.join("a", near);
  assertEquals(hub.send(near.id, "hello"), true);
  assertEquals(await receive(far, 1), ["hello"]);
  near.abort();
  await near.closed;
  assertEquals(hub.send(near.id, "too late"), false);
});

Deno.test("Hub tells who joined, who left and what became empty, in this order", async () => {
  await using pairs = new Pairs();
  const told: string[] = [];
  const hub = new Hub<string>({
    onJoin: (room, { id }) => told.push(`join ${room} ${id}`),
    onLeave: (room, { id }) => told.push(`leave ${room} ${id}`),
    onEmpty: (room) => told.push(`empty ${room}`),
  });
  const [one] = pairs.make();
  const [two] = pairs.make();
  hub.join("a", one);
  hub.join("a", two);
  assertEquals(hub.leave("a", one), true);
  assertEquals(hub.leave("a", one), false);
  hub.leave("a", two);
  assertEquals(told, [
    `join a ${one.id}`,
    `join a ${two.id}`,
    `leave a ${one.id}`,
    `leave a ${two.id}`,
    "empty a",
  ]);
  assertEquals(hub.rooms(), []);
});

Deno.test("Hub lets a connection that ends leave all its rooms by itself", async () => {
  await using pairs = new Pairs();
  const left = Promise.withResolvers<void>();
  const hub = new Hub<string>({ onEmpty: (room) => room === "b" && left.resolve() });
  const [near, far] = pairs.make();
  hub.join("a", near);
  hub.join("b", near);
  assertEquals(hub.rooms(near), ["a", "b"]);
  far.abort();
  near.abort();
  await left.promise;
  assertEquals(hub.rooms(), []);
  assertEquals(hub.members("a").size, 0);
  assertEquals(hub.stats.members, 0);
});

Deno.test("Hub takes any string for a room's name", async () => {
  await using pairs = new Pairs();
  const hub = new Hub<string>();
  const [near, far] = pairs.make();
  const names = ["__proto__", "constructor", "", "a\0b", "ünï"];
  for (const name of names) hub.join(name, near);
  for (const name of names) assertEquals(hub.broadcast(name, `to ${name}`), 1);
  assertEquals(await receive(far, names.length), names.map((name) => `to ${name}`));
  assertEquals(hub.rooms(), names);
});

Deno.test("Hub refuses what exceeds its limits, and stays as it was", async () => {
  await using pairs = new Pairs();
  const hub = new Hub<string>({
    maxRooms: 2,
    maxMembersPerRoom: 2,
    maxRoomsPerMember: 1,
    maxNameLength: 3,
  });
  const [one, two, three, four] = [pairs.make(), pairs.make(), pairs.make(), pairs.make()]
    .map(([near]) => near);
  assertThrows(
    () => hub.join("long", one),
    RangeError,
    "Cannot join room: its name has 4 characters, limit is 3",
  );
  hub.join("a", one);
  assertThrows(() => hub.join("b", one), LengthwiseError, "is in 1 rooms, limit is 1");
  hub.join("a", two);
  assertThrows(
    () => hub.join("a", three),
    LengthwiseError,
    'Cannot join room "a": it has 2 members, limit is 2',
  );
  hub.join("b", three);
  assertThrows(
    () => hub.join("c", four),
    LengthwiseError,
    'Cannot join room "c": there are 2 rooms, limit is 2',
  );
  assertEquals(hub.rooms(), ["a", "b"]);
  assertEquals(hub.rooms(four), []);
  hub.leave("b", three);
  hub.join("c", four);
  assertThrows(() => new Hub({ maxRooms: 0 }), RangeError, "maxRooms");
});

Deno.test("Hub refuses connections that end, and everybody once it is closed", async () => {
  await using pairs = new Pairs();
  const hub = new Hub<string>();
  const [one, far] = pairs.make();
  const [two] = pairs.make();
  one.close();
  assertThrows(() => hub.join("a", one), ConnectionClosedError, "is closing");
  far.close();
  await one.closed;
  assertThrows(() => hub.join("a", one), ConnectionClosedError, "is closed");
  hub.join("a", two);
  hub.close();
  assertThrows(() => hub.join("a", two), LengthwiseError, "the hub is closed");
  assertEquals(hub.broadcast("a", "x"), 0);
  assertEquals(hub.leave("a", two), false);
  assertEquals(two.state, "open");
});

Deno.test("Hub counts what a member's slow-consumer policy drops, and serves the others", async () => {
  await using pairs = new Pairs();
  const hub = new Hub<string>();
  const [slow] = pairs.make({
    highWaterMark: 1024,
    maxPendingBytes: 4096,
    slowConsumer: "drop-newest",
  });
  const [fast, far] = pairs.make();
  hub.join("a", slow);
  hub.join("a", fast);
  const message = "x".repeat(1000);
  // Nobody reads at the slow one's other end: 64 KiB are taken by the pair, the rest must wait.
  const before = hub.stats.delivered;
  for (let i = 0; i < 200; i++) {
    hub.broadcast("a", message);
    await far.receive();
  }
  const { delivered, dropped } = hub.stats;
  assertEquals(delivered - before + dropped, 400);
  assertEquals(dropped, slow.stats.messagesDropped);
  assertEquals(dropped > 50 && dropped < 200, true, `${dropped}`);
  assertEquals(fast.stats.messagesDropped, 0);
});

Deno.test("Hub loses only the member that reads too slowly, by its connection's default policy", async () => {
  await using pairs = new Pairs();
  const hub = new Hub<string>();
  const [slow] = pairs.make({ highWaterMark: 1024, maxPendingBytes: 4096 });
  const [fast, far] = pairs.make();
  hub.join("a", slow);
  hub.join("a", fast);
  for (let i = 0; i < 100; i++) {
    hub.broadcast("a", "x".repeat(1000));
    await far.receive();
  }
  await slow.closed;
  assertEquals([...hub.members("a")], [fast]);
  assertEquals(hub.stats.dropped > 0, true);
});

Deno.test("Hub shows all members of a room the same order, whoever broadcasts, joins and leaves", async () => {
  await using pairs = new Pairs();
  const hub = new Hub<string>();
  const members = Array.from({ length: 8 }, () => pairs.make());
  const seen = members.map(() => [] as string[]);
  const readers = members.map(async ([, far], index) => {
    for await (const message of far) {
      if (message === "end") return;
      seen[index].push(message);
    }
  });
  // A fixed sequence that looks like chance.
  let state = 12345;
  const random = (below: number) => {
    state = Math.imul(state, 1664525) + 1013904223 >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
  const sent: string[] = [];
  for (const [near] of members) hub.join("room", near);
  for (let i = 0; i < 2000; i++) {
    const [near] = members[random(members.length)];
    if (random(4) === 0) hub.leave("room", near) || hub.join("room", near);
    hub.broadcast("room", `${i}`);
    sent.push(`${i}`);
    if (random(50) === 0) await Promise.resolve();
  }
  for (const [near] of members) hub.send(near.id, "end");
  await Promise.all(readers);
  for (const messages of seen) {
    // In the order of sending, each at most once, with gaps only while it was not there.
    assertEquals(messages, sent.filter((message) => messages.includes(message)));
    assertEquals(messages.length > 100, true);
  }
});

Deno.test("Hub keeps its rooms consistent when a callback throws, and tells onError", async () => {
  await using pairs = new Pairs();
  const broken = new Error("broken callback");
  const errors: unknown[] = [];
  const fail = () => {
    throw broken;
  };
  const hub = new Hub<string>({
    onJoin: fail,
    onLeave: fail,
    onEmpty: fail,
    onError: (error) => errors.push(error),
  });
  const [near] = pairs.make();
  assertEquals(hub.join("a", near), true);
  assertEquals(hub.leave("a", near), true);
  assertEquals(hub.rooms(), []);
  assertEquals(errors, [broken, broken, broken]);
});

Deno.test("Hub: two with one backplane act as one for broadcasts", async () => {
  await using pairs = new Pairs();
  const backplane = inProcess();
  const one = new Hub<string>({ backplane, format: text() });
  const two = new Hub<string>({ backplane, format: text() });
  const [near, far] = pairs.make();
  const [here, there] = pairs.make({ framing: "line" });
  one.join("a", near);
  two.join("a", here);
  assertEquals(one.broadcast("a", "from one ü"), 1);
  assertEquals(two.broadcast("a", "from two"), 1);
  assertEquals(one.broadcast("b", "elsewhere"), 0);
  assertEquals(await receive(far, 2), ["from one ü", "from two"]);
  assertEquals(await receive(there, 2), ["from one ü", "from two"]);
  two.leave("a", here);
  one.broadcast("a", "1");
  two.join("a", here);
  one.broadcast("a", "2");
  assertEquals(await receive(there, 1), ["2"]);
  two.close();
  one.broadcast("a", "3");
  assertEquals(two.stats.broadcasts, 3);
});

Deno.test("inProcess() has channels between hubs, apart from rooms, and none hears itself", () => {
  const backplane = inProcess();
  const heard: string[] = [];
  const attach = (name: string) =>
    backplane.attach({
      deliver: (room) => heard.push(`${name} is told of ${room}`),
      failed: (error) => heard.push(String(error)),
    });
  const [one, two] = [attach("one"), attach("two")];
  const say = (text: string) => one.channels!.publish("a", new TextEncoder().encode(text));
  for (const [name, link] of [["one", one], ["two", two]] as const) {
    link.subscribe("a");
    link.channels!.subscribe(
      "a",
      (bytes) => heard.push(`${name} hears ${new TextDecoder().decode(bytes)}`),
    );
  }
  say("1");
  say("2");
  two.channels!.unsubscribe("a");
  say("3");
  two.channels!.subscribe("a", () => heard.push("again"));
  say("4");
  two.close();
  say("5");
  two.channels!.subscribe("a", () => heard.push("closed"));
  say("6");
  assertEquals(heard, ["two hears 1", "two hears 2", "again"]);
});

Deno.test("Hub takes JSON over a backplane", async () => {
  const backplane = inProcess();
  const options: HubOptions<{ n: number }> = { backplane, format: json<{ n: number }>() };
  using one = new Hub(options);
  using two = new Hub(options);
  const [a, b] = memoryPair();
  const near = new Connection(a, { format: json<{ n: number }>() });
  const far = new Connection(b, { format: json<{ n: number }>() });
  two.join("a", near);
  one.broadcast("a", { n: 1 });
  assertEquals(await far.receive(), { n: 1 });
  await Promise.all([near.close(), far.close()]);
});

Deno.test("Hub subscribes to a room while it has members, and reports what the backplane reports", async () => {
  await using pairs = new Pairs();
  const calls: string[] = [];
  const errors: unknown[] = [];
  const ports: BackplanePort[] = [];
  const backplane: Backplane = {
    attach(port) {
      ports.push(port);
      return {
        subscribe: (room) => calls.push(`subscribe ${room}`),
        unsubscribe: (room) => calls.push(`unsubscribe ${room}`),
        publish: (room, bytes) =>
          calls.push(`publish ${room} ${new TextDecoder().decode(bytes())}`),
        close: () => calls.push("close"),
      };
    },
  };
  const hub = new Hub<string>({ backplane, onError: (error) => errors.push(error) });
  const [one] = pairs.make();
  const [two] = pairs.make();
  hub.join("a", one);
  hub.join("a", two);
  hub.leave("a", one);
  hub.broadcast("a", "text");
  hub.leave("a", two);
  hub.close();
  assertEquals(calls, ["subscribe a", "publish a text", "unsubscribe a", "close"]);
  const lost = new Error("lost");
  ports[0].failed(lost);
  assertEquals(errors, [lost]);
});
