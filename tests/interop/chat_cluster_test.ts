/** One chat of several servers, over a real NATS with JetStream. */

import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { connect as connectToNats } from "@nats-io/transport-node";
import { ConnectError } from "../../errors.ts";
import { Broker, type Guest, NATS, Site } from "./chat_cluster_world.ts";
import { freePort, RunningEngine, testWith } from "./engines/engine.ts";

const test = (name: string, body: () => Promise<void>) => testWith(NATS, name, body);

await test("Members of all servers hear everything in one order, and history has the same", async () => {
  await using broker = await Broker.start();
  await using one = await Site.open(broker.address);
  await using two = await Site.open(broker.address);
  await using three = await Site.open(broker.address);
  const people: Guest[] = [];
  for (const site of [one, two, three]) {
    for (let n = 0; n < 3; n++) {
      people.push(await site.enter(`P${people.length}`, { json: true }));
    }
  }
  for (let n = 0; n < 40; n++) {
    for (const [index, person] of people.entries()) person.say(`${index}-${n}`);
  }
  for (const person of people) person.say("/me ends");
  for (const person of people) {
    for (const _ of people) await person.until(/"type":"me".*"ends"/);
  }
  const [first] = people;
  assertEquals(first.said.length, people.length * 41);
  for (const person of people) assertEquals(person.said, first.said);
  const ids = first.said.map(({ id }) => id);
  assertEquals(ids, [...new Set(ids)].toSorted((a, b) => a - b), "each id once, rising");
  for (const index of people.keys()) {
    const own = first.said.filter(({ text }) => text.startsWith(`${index}-`)).map(({ text }) =>
      text
    );
    assertEquals(own, Array.from({ length: 40 }, (_, n) => `${index}-${n}`));
  }
  await using late = await Site.open(broker.address);
  const reader = await late.enter("Reader", { json: true });
  const [answer] = (await reader.ask(`/history 100 after ${ids[100]}`)).slice(-1);
  const { messages, more, next } = JSON.parse(answer);
  assertEquals(messages.map(({ id }: { id: number }) => id), ids.slice(101, 201));
  assertEquals([more, next], [true, `/history 100 after ${ids[200]}`]);
  for (const { cluster } of [one, two, three, late]) {
    const { gaps, foreign, late, repeated } = cluster.stats;
    assertEquals([gaps, foreign, late, repeated], [0, 0, 0, 0]);
  }
});

await test("A name belongs to one member of all servers, whoever is first", async () => {
  await using broker = await Broker.start();
  await using one = await Site.open(broker.address);
  await using two = await Site.open(broker.address);
  const [a, b] = [await one.enter("Ada"), await two.enter()];
  assertMatch((await b.ask("/nick ADA")).at(-1)!, /Cannot use the name "ADA": Ada is here\.$/);
  for (let round = 0; round < 20; round++) {
    const name = `Same${round}`;
    await Promise.all([a.ask(`/nick ${name}`), b.ask(`/nick ${name}`)]);
    const owners = [one, two].map(({ chat }) => chat.names.filter((other) => other === name));
    assertEquals(owners, [[name], [name]]);
    assertEquals(one.chat.names.toSorted(), two.chat.names.toSorted());
  }
  const guests = await Promise.all([one, two].map((site) => site.enter()));
  assertNotEquals(guests[0].all[0].split(".")[0], guests[1].all[0].split(".")[0]);
  await a.ask("/nick Free");
  a.say("/quit");
  await b.until(/^\* Free left\./);
  await b.ask("/nick Free");
  // A server that has given a name later has come to that in the log.
  const c = await one.enter("Cy");
  assert(one.chat.names.includes("Free"));
  await b.ask("/claim");
  const [, key] = /"?Your key is (\S+)\./.exec(b.all.find((line) => line.includes("key is"))!)!;
  await c.catchUp(); // Its server has to know the key.
  assertMatch((await c.ask("/claim Free wrong")).at(-1)!, /Free is here/);
  await c.ask(`/claim Free ${key}`);
  await b.until("* Free was taken over by another connection, with its key.");
  assertEquals(two.chat.names.filter((name) => name === "Free"), ["Free"]);
});

await test("Commands reach members of all servers", async () => {
  await using broker = await Broker.start();
  const options = { chat: { operatorToken: "open sesame" } };
  await using one = await Site.open(broker.address, options);
  await using two = await Site.open(broker.address, options);
  const root = await one.enter("Root");
  await root.ask("/operator open sesame");
  const eve = await two.enter("Eve", { remote: "192.0.2.7:1" });
  assertMatch((await eve.ask("/who")).at(-1)!, /^\* 2 here: Root \(operator\), Eve\.$/);
  await eve.ask("/topic tea");
  await root.until("* Eve set the topic: tea");
  await eve.ask("/away out");
  await root.until("* Eve is away: out");
  assertEquals((await root.ask("/msg eve psst")).slice(-2), [
    "* You tell Eve: psst",
    "* Eve is away: out",
  ]);
  await eve.until("* Root tells you: psst");
  await eve.ask("/ignore Root");
  assertEquals((await root.ask("/msg Eve psst")).at(-1), "* Eve does not listen to you.");
  await eve.ask("/join kitchen", "/topic soup");
  await root.until("* Eve left. 1 here.");
  await root.catchUp();
  assertEquals((await root.ask("/rooms")).at(-1), "* 2 rooms: lobby (1, tea), kitchen (1, soup).");
  assertEquals((await root.ask("/join Kitchen")).slice(0, 2), [
    "* You are in kitchen. 2 here.",
    "* The topic: soup",
  ]);
  assertMatch(
    (await root.ask("/stats")).at(-1)!,
    / 2 servers with 2 members; broker 127\.0\.0\.1:/,
  );
  await root.ask("/announce dinner");
  await eve.until("* Announcement: dinner");
  await root.ask("/kick Eve too loud");
  await eve.until("* You were kicked by Root: too loud");
  const again = await two.enter("Eve", { remote: "192.0.2.7:2" });
  await root.catchUp(); // A member who is not known is not disconnected.
  await root.ask("/ban Eve");
  await again.until("* You were banned by Root.");
  await assertRejects(() => two.enter(undefined, { remote: "192.0.2.7:3" }), Error, "banned");
  const other = await two.enter("Other");
  assertMatch((await other.ask("/nick Eve")).at(-1)!, /it is banned/);
  await root.ask("/unban Eve");
  await other.catchUp();
  await other.ask("/nick Eve");
  await root.catchUp();
  assertEquals(one.chat.names, ["Root", "Eve"]);
  assertEquals((await root.ask("/msg Nobody x")).at(-1), '* Nobody here is called "Nobody".');
  assertEquals(one.chat.stats.members, 2);
});

await test("What was said and set is there again when all servers were away", async () => {
  await using broker = await Broker.start();
  {
    await using one = await Site.open(broker.address, { chat: { operatorToken: "token" } });
    const ada = await one.enter("Ada");
    await ada.ask("/operator token", "/ban Mallory", "hello", "/topic tea", "/once r1 once");
  }
  await broker.kill();
  await broker.start();
  await using two = await Site.open(broker.address);
  assertEquals(two.chat.names, []);
  const bob = await two.enter("Bob");
  assertEquals(bob.all.slice(0, 4).map((line) => line.replace(/\[.*\]/, "[]")), [
    bob.all[0],
    "* The last 2 messages:",
    "[] Ada: hello",
    "[] Ada: once",
  ]);
  assertNotEquals(bob.all[0].split(".")[0], "* Welcome, guest-1");
  assertEquals(await bob.ask("/topic", "/once r1 once", "/nick Mallory"), [
    "* The topic: tea",
    "* That was said already.",
    '* Cannot use the name "Mallory": it is banned.',
  ]);
});

await test("Clusters on one broker never mix, and what is none of ours is dropped and counted", async () => {
  await using broker = await Broker.start();
  await using blue = await Site.open(broker.address, { cluster: "blue" });
  await using red = await Site.open(broker.address, { cluster: "red" });
  const [a, b] = [await blue.enter("Same", { json: true }), await red.enter("Same")];
  const stranger = await connectToNats({ servers: broker.address });
  const wrong = [
    "",
    "hello",
    "{}",
    '{"v":1,"from":"x","number":1,"items":[{"do":"say"}]}',
    '{"v":1,"from":"x","number":1,"items":[{"do":"toString"}]}',
    '{"v":1,"from":"x","number":1,"items":[{"do":"topic","who":1,"text":"\\u001b[2J"}]}',
  ];
  for (const text of wrong) {
    for (const subject of ["log.entries", "beats"]) {
      stranger.publish(`lengthwise.blue.${subject}`, text);
    }
  }
  // Of a server that never came.
  stranger.publish(
    "lengthwise.blue.log.entries",
    '{"v":1,"from":"x","number":1,"items":[{"do":"announce","who":1,"text":"gotcha"}]}',
  );
  await stranger.flush();
  await stranger.close();
  await a.ask("still here");
  await b.ask("here as well");
  assertEquals(a.said.map(({ text }) => text), ["still here"]);
  assertEquals(blue.cluster.stats.foreign, 2 * wrong.length);
  assertEquals(blue.cluster.stats.late, 1);
  assertEquals([red.cluster.stats.foreign, red.cluster.stats.servers], [0, 1]);
});

await test("chatCluster() says clearly why it cannot be", async () => {
  const nobody = freePort();
  await assertRejects(
    () => Site.open(`127.0.0.1:${nobody}`),
    ConnectError,
    `Cannot connect to NATS at 127.0.0.1:${nobody}: `,
  );
  const port = freePort();
  await using _bare = await RunningEngine.start(
    ["nats-server", "-a", "127.0.0.1", "-p", `${port}`, "--auth", "secret"],
    { ready: "Server is ready", at: [`tcp://127.0.0.1:${port}`], endBy: "SIGKILL" },
  );
  await assertRejects(
    () => Site.open(`127.0.0.1:${port}`, { token: "wrong" }),
    ConnectError,
    "uthorization",
  );
  const off = await assertRejects(
    () => Site.open(`127.0.0.1:${port}`, { token: "secret" }),
    ConnectError,
    "The line `jetstream {}` in its configuration, or its option -js, turns JetStream on",
  );
  assertEquals(off.message.includes("\n"), false);
  await using broker = await Broker.start();
  await assertRejects(() => Site.open(broker.address, { cluster: "a.b" }), TypeError, '"a.b"');
  await assertRejects(
    () => Site.open(broker.address, { maxLogBytes: 2 ** 62 }),
    RangeError,
    "maxLogBytes",
  );
  await assertRejects(
    () => Site.open(broker.address, { maxLogBytes: 2 ** 52 }),
    ConnectError,
    "Cannot keep the log of cluster lengthwise in JetStream's stream lengthwise_lengthwise",
  );
});

await test("A server that comes late has the whole state, also when the log has lost its beginning", async () => {
  await using broker = await Broker.start();
  const options = { entriesPerState: 50, maxLogBytes: 1024 * 1024, chat: { operatorToken: "t" } };
  await using one = await Site.open(broker.address, options);
  const ada = await one.enter("Ada", { json: true });
  const bob = await one.enter("Bob");
  await bob.ask("/join kitchen", "/topic soup", "/away out", "/ignore Carol", "/claim");
  const [, key] = /Your key is (\S+)\./.exec(bob.all.find((line) => line.includes("key is"))!)!;
  await ada.ask("/topic tea", "/operator t", "/ban Mallory", "/once first hello");
  for (let n = 0; n < 1_000; n++) await ada.ask(`/once r${n} ${n} ${"x".repeat(3_000)}`);
  // Where servers write down the state, somebody else may write, too.
  await using stranger = await connectToNats({ servers: broker.address });
  for (const words of ["no mark", "{}"]) stranger.publish("lengthwise.lengthwise.log.marks", words);
  await stranger.flush();
  await using two = await Site.open(broker.address, options);
  assertEquals(two.chat.names, one.chat.names);
  const eve = await two.enter("Eve", { json: true });
  const [who] = await eve.ask("/who");
  assertEquals(JSON.parse(who).members, [{ name: "Ada", operator: true }, { name: "Eve" }]);
  const [rooms] = await eve.ask("/rooms");
  assertEquals(
    JSON.parse(rooms).rooms.map(({ name, topic }: Record<string, string>) => [name, topic]),
    [
      ["lobby", "tea"],
      ["kitchen", "soup"],
    ],
  );
  assertMatch((await eve.ask("/nick Mallory"))[0], /it is banned/);
  assertMatch((await eve.ask("/once first hello"))[0], /"said-already"/);
  const [history] = await eve.ask("/history 20");
  const { messages } = JSON.parse(history);
  assertEquals(messages.length, 20);
  assertEquals(
    messages,
    ada.said.slice(-20).map((said) => ({ type: "say", ...said })).map(
      ({ ref: _, ...said }: Record<string, unknown>) => said,
    ),
  );
  assertEquals((await eve.ask("/msg Bob psst")).length, 2);
  const carol = await two.enter("Carol");
  assertEquals((await carol.ask("/msg Bob psst")).at(-1), "* Bob does not listen to you.");
  await carol.ask(`/claim Bob ${key}`);
  await bob.until(/taken over by another connection/);
  assertEquals(two.chat.names.toSorted(), one.chat.names.toSorted());
  assertEquals(one.cluster.stats.gaps, 0);
});
