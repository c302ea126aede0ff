/** Sessions in a cluster: carriers that come to another server, and servers that go. */

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertLess,
  assertMatch,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import { type BackplaneChannels, inProcess } from "../../backplane.ts";
import { connect } from "../../client.ts";
import { Cluster, joinCluster } from "../../cluster.ts";
import { encodeOpening, encodeStreamMessage, Kind } from "../../cluster/messages.ts";
import { RefusedError, SessionLostError } from "../../errors.ts";
import { listen } from "../../server.ts";
import { SessionCode } from "../../session.ts";
import { decodeFrame, encodeHello, FrameType } from "../../session/wire.ts";
import { faulty, World } from "./world.ts";

const HELLO = { received: 0, limit: 2 ** 20, retentionTime: 120_000, attempt: 1 };
const texts = (messages: readonly Uint8Array[]) =>
  messages.map((bytes) => new TextDecoder().decode(bytes));

/** The channels of somebody who is no server. */
function stranger({ backplane }: World): BackplaneChannels & Disposable {
  const link = backplane.attach({ deliver: () => {}, failed: () => {} });
  return Object.assign(link.channels!, { [Symbol.dispose]: () => link.close() });
}

/** The code with which a server refuses a carrier that comes for this session. */
async function refusalOf(endpoint: string, id: string): Promise<number> {
  await using carrier = await connect(endpoint.replace(/[?&]session=1/, ""));
  carrier.send(encodeHello({ ...HELLO, id }));
  const frame = decodeFrame((await carrier.receive())!);
  assertEquals(frame.type, FrameType.REFUSED);
  return (frame as { code: number }).code;
}

Deno.test("Session goes on through another server of the cluster: all once, in order, both ways", async () => {
  await using world = new World();
  const [one, two, three] = [await world.open(), await world.open(), await world.open()];
  world.lead(one);
  const session = await world.connect();
  const sent: string[] = [];
  const got: string[] = [];
  const say = (message: string) => {
    sent.push(message);
    session.send(message);
  };
  const hear = async () => {
    while (got.length < sent.length) got.push((await session.receive())!);
  };
  say("at home");
  await hear();
  for (const site of [two, three, one, two]) {
    say(`under way to ${site.cluster.id}`);
    world.move(site);
    for (let i = 0; i < 50; i++) say(`${i}`.repeat(i));
    say("x".repeat(1_000_000)); // More than is ever on the way.
    await hear();
  }
  assertEquals(got, sent);
  assertEquals(one.heard, sent);
  assertEquals([two.heard, three.heard], [[], []]);
  assertEquals(session.stats.resumes, 4);
  assertEquals([two.cluster.stats.carriedAway, one.cluster.stats.carriedHere], [1, 1]);
  assertEquals((await session.close()).clean, true);
});

Deno.test("Session that is carried has its client's address at home, and ends in order", async () => {
  await using world = new World();
  const [one, two] = [await world.open(), await world.open()];
  world.lead(one);
  const session = await world.connect();
  const [atHome] = one.server.connections;
  const before = atHome.remote;
  world.move(two);
  session.send("carried");
  assertEquals(await session.receive(), "carried");
  assertMatch(atHome.remote, /^127\.0\.0\.1:\d+$/);
  assertNotEquals(atHome.remote, before);
  const closed = atHome.closed;
  assertEquals((await session.close({ reason: "done" })).clean, true);
  assertEquals((await closed).reason, "done");
});

Deno.test("Session is lost at once when its server has gone, with what was not acknowledged", async () => {
  await using world = new World();
  const [one, two] = [await world.open(), await world.open()];
  world.lead(one);
  const session = await world.connect();
  session.send("heard");
  await session.flush();
  const startedAt = performance.now();
  world.proxy.shut();
  session.send("unheard");
  one.cluster.close(); // As its end does, however it comes.
  world.lead(two);
  world.proxy.open();
  const { error } = await session.closed;
  assertInstanceOf(error, SessionLostError);
  assertEquals([error.code, texts(error.unacknowledged)], [SessionCode.GONE, ["unheard"]]);
  assertLess(performance.now() - startedAt, 60_000); // Alone it would be two minutes.
  assertEquals(two.cluster.stats.gone, 1);
});

Deno.test("Session that is carried is lost soon after its server has gone", async () => {
  await using world = new World();
  const [one, two] = [await world.open(), await world.open()];
  world.lead(one);
  const session = await world.connect();
  world.move(two);
  session.send("carried");
  assertEquals(await session.receive(), "carried");
  one.cluster.close();
  const { error } = await session.closed;
  assertInstanceOf(error, SessionLostError);
  assertEquals(error.code, SessionCode.GONE);
});

Deno.test("Session outlives a server that only carried it", async () => {
  await using world = new World();
  const [one, two, three] = [await world.open(), await world.open(), await world.open()];
  world.lead(one);
  const session = await world.connect();
  world.move(two);
  session.send("1");
  assertEquals(await session.receive(), "1");
  world.lead(three);
  await two.server.close();
  session.send("2");
  assertEquals(await session.receive(), "2");
  assertEquals(three.cluster.stats.carriedAway, 1);
  await session.close();
});

Deno.test("Session goes on when the backplane loses messages of its carrier", async () => {
  let count = 0;
  let lost = 0;
  await using world = new World((channel, [, kind]) => {
    if (!channel.startsWith("session.") || kind !== Kind.DATA || ++count % 10 !== 0) return "pass";
    return ++lost <= 5 ? "lose" : "pass";
  });
  const [one, two] = [await world.open(), await world.open()];
  world.lead(one);
  const session = await world.connect();
  world.move(two);
  const sent = Array.from({ length: 200 }, (_, i) => `${i} ${"x".repeat(5_000)}`);
  for (const message of sent) session.send(message);
  const got: string[] = [];
  while (got.length < sent.length) got.push((await session.receive())!);
  assertEquals(got, sent);
  assertEquals(one.heard, sent);
  assert(lost >= 5 && session.stats.resumes > 1);
  await session.close();
});

Deno.test("Session that is carried stays with its user, and its token is asked for where it comes", async () => {
  await using world = new World();
  const users: Record<string, { id: string }> = { a: { id: "ada" }, e: { id: "eve" } };
  const options = {
    token: true as const,
    authorize: ({ token = "" }) => users[token] ?? new RefusedError("who are you?"),
  };
  const [one, two] = [await world.open(options), await world.open(options)];
  world.lead(one);
  const session = await world.connect({}, "a");
  world.move(two);
  session.send("carried");
  assertEquals(await session.receive(), "carried");
  const [atHome] = one.server.connections;
  assertEquals(atHome.user, { id: "ada" });
  // Another user knows the id.
  const id = await newSession(two.server.endpoints[0], "a");
  for (
    const [token, code] of [["e", SessionCode.DENIED], ["x", SessionCode.UNAUTHORIZED]] as const
  ) {
    await using carrier = await connect(one.server.endpoints[0].replace(/[?&]session=1/, ""), {
      token,
    });
    carrier.send(encodeHello({ ...HELLO, id, attempt: 2 }));
    const frame = decodeFrame((await carrier.receive())!) as { code: number };
    assertEquals(frame.code, code);
  }
  await session.close();
});

/** The id of a new session. */
async function newSession(endpoint: string, token: string): Promise<string> {
  const carrier = await connect(endpoint.replace(/[?&]session=1/, ""), { token });
  carrier.send(encodeHello({ ...HELLO, id: undefined }));
  const frame = decodeFrame((await carrier.receive())!);
  carrier.abort();
  assert(frame.type === FrameType.WELCOME);
  return frame.id;
}

Deno.test("Server of a cluster refuses ids that nobody has, and looks for each server once", async () => {
  await using world = new World();
  const [one, two] = [await world.open(), await world.open()];
  const { GONE } = SessionCode;
  const [endpoint] = one.server.endpoints;
  const rest = "0".repeat(22);
  assertEquals(await refusalOf(endpoint, one.cluster.id + rest), GONE);
  assertEquals(await refusalOf(endpoint, two.cluster.id + rest), GONE);
  const nobody = Array.from({ length: 5 }, () => refusalOf(endpoint, `0123456789${rest}`));
  assertEquals(await Promise.all(nobody), [GONE, GONE, GONE, GONE, GONE]);
  const refused = [one, two].map(({ server }) => server.stats.refusals.session);
  assertEquals(refused, [6, 1]); // The second one by the server that should have it.
  assertEquals([one.cluster.stats.carriedAway, two.cluster.stats.carriedHere], [0, 0]);
});

Deno.test("Server of a cluster never carries on what was carried to it", async () => {
  await using world = new World();
  const [one, two] = [await world.open(), await world.open()];
  using channels = stranger(world);
  const answers: Uint8Array[] = [];
  const answered = Promise.withResolvers<void>();
  const from = "ffffffffff";
  channels.subscribe(`session.${from}`, (bytes) => {
    if (bytes[1] === Kind.DATA) answers.push(bytes.slice(11));
    if (bytes[1] === Kind.END || bytes[1] === Kind.ABORT) answered.resolve();
  });
  const say = (kind: Kind, number: number, body?: Uint8Array) =>
    channels.publish(
      `session.${one.cluster.id}`,
      encodeStreamMessage(kind, "0011223344556677", number, body),
    );
  say(Kind.OPEN, 0, encodeOpening({ from, remote: "192.0.2.1:1", endpoint: "" }));
  // For a session of the other one, as in a circle.
  const hello = encodeHello({ ...HELLO, id: two.cluster.id + "0".repeat(22) });
  say(Kind.DATA, 1, Uint8Array.of(0, 0, 0, hello.length, ...hello));
  await answered.promise;
  const frame = decodeFrame(answers[0].subarray(4)) as { code: number };
  assertEquals(frame.code, SessionCode.GONE);
  assertEquals([one.cluster.stats.carriedAway, two.cluster.stats.carriedHere], [0, 0]);
  say(Kind.END, 2);
});

Deno.test("Cluster drops and counts what strangers say, and bounds what they begin", async () => {
  await using world = new World();
  const [one, two] = [await world.open({ maxConnections: 2_000 }), await world.open()];
  using channels = stranger(world);
  world.lead(one);
  const session = await world.connect();
  world.move(two);
  session.send("1");
  assertEquals(await session.receive(), "1");
  const channel = `session.${one.cluster.id}`;
  const garbage = [
    new Uint8Array(0),
    Uint8Array.of(1),
    new Uint8Array(100_000).fill(255),
    encodeStreamMessage(Kind.DATA, "00".repeat(8), 1, new Uint8Array(10)),
    encodeStreamMessage(Kind.CREDIT, "00".repeat(8), 2 ** 53 - 1),
    encodeStreamMessage(9 as Kind, "00".repeat(8), 1),
    encodeStreamMessage(Kind.OPEN, "00".repeat(8), 0, new TextEncoder().encode('{"from":1}')),
    encodeStreamMessage(Kind.OPEN, "00".repeat(8), 0, new Uint8Array(70_000)),
    encodeStreamMessage(Kind.OPEN, "00".repeat(8), 0, new TextEncoder().encode("null")),
  ];
  for (const bytes of garbage) channels.publish(channel, bytes);
  assertEquals(one.cluster.stats.foreign, garbage.length);
  let aborts = 0;
  channels.subscribe("session.eeeeeeeeee", ([, kind]) => {
    if (kind === Kind.ABORT) aborts++;
  });
  const opening = encodeOpening({ from: "eeeeeeeeee", remote: "", endpoint: "" });
  for (let i = 0; i < 1_500; i++) {
    const id = i.toString(16).padStart(16, "0");
    channels.publish(channel, encodeStreamMessage(Kind.OPEN, id, 0, opening));
  }
  assertEquals(one.cluster.stats.carriedHere, 1_000);
  assertEquals(aborts, 501);
  // Whom it concerns does not notice.
  session.send("2");
  assertEquals(await session.receive(), "2");
  await session.close();
});

Deno.test("Cluster.servers() tells who is there and how, and believes no liar", async () => {
  await using world = new World();
  const [one, two] = [await world.open(), await world.open({ maxConnections: 7 })];
  using channels = stranger(world);
  using watcher = joinCluster({ backplane: world.backplane });
  const tell = (message: unknown) =>
    channels.publish(
      `servers.${watcher.id}`,
      new TextEncoder().encode(typeof message === "string" ? message : JSON.stringify(message)),
    );
  channels.subscribe("servers", () => {
    const liar = { v: 1, id: "aaaaaaaaaa", endpoints: [], version: "", connections: 0 };
    const counts = { maxConnections: 1, carried: 0, startedAt: 0 };
    tell("no JSON");
    tell(liar);
    tell({ ...liar, ...counts, id: "../../etc" });
    tell({ ...liar, ...counts, connections: -1 });
    tell({ ...liar, ...counts, version: "x".repeat(2_000) });
    tell({ ...liar, ...counts, endpoints: Array(65).fill("tcp://x:1") });
    tell({ ...liar, ...counts, v: 2 });
    // What it says later of somebody who has answered does not count.
    setTimeout(() => tell({ ...liar, ...counts, id: one.cluster.id, connections: 99 }), 1);
  });
  world.lead(one);
  const session = await world.connect();
  const servers = await watcher.servers({ timeout: 200 });
  const known = servers.map(({ id, endpoints, version, connections, maxConnections }) => {
    return { id, endpoints, version, connections, maxConnections };
  });
  const expected = [
    [one, 1, 10_000] as const,
    [two, 0, 7] as const,
  ].map(([{ cluster, server }, connections, maxConnections]) => {
    return {
      id: cluster.id,
      endpoints: [...server.endpoints],
      version: "1.2.3",
      connections,
      maxConnections,
    };
  });
  const byId = (a: { id: string }, b: { id: string }) => a.id < b.id ? -1 : 1;
  assertEquals(known, expected.sort(byId));
  assertEquals((await one.cluster.servers({ timeout: 100 })).length, 2); // Itself, too.
  await session.close();
});

Deno.test("joinCluster() refuses what it cannot use", async () => {
  const backplane = inProcess();
  const plain = {
    attach: () => ({ subscribe() {}, unsubscribe() {}, publish() {}, close() {} }),
  };
  assertThrows(() => joinCluster({ backplane: plain }), TypeError, "it has no channels");
  using cluster = joinCluster({ backplane: faulty(backplane, () => "pass") });
  assertInstanceOf(cluster, Cluster);
  await using _server = await listen([], { cluster });
  const again = listen([], { cluster });
  const error = await again.catch((error) => error);
  assertInstanceOf(error, TypeError);
  assertEquals(error.message, "Cannot use cluster: it belongs to another server, or is closed");
});
