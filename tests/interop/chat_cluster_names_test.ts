/** Names of rooms of any characters, over a real broker: of hubs, and of a chat. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Connection } from "../../connection.ts";
import { Hub } from "../../hub.ts";
import { nats } from "../../nats.ts";
import { memoryPair } from "../../testing.ts";
import { Broker, NATS, Site } from "./chat_cluster_world.ts";
import { testWith } from "./engines/engine.ts";

const test = (name: string, body: () => Promise<void>) => testWith(NATS, name, body);

/** What subjects, lines and JSON have a meaning for, and what is no character by itself. */
const ODD = [
  ..." .*>\t\r\n\0/\\\"'`$%{}[]:;,\x7f\u00ad\u200b\u202e\u2028\ufeff\uffff",
  "\ud800",
  "\udfff",
];

/** 256 code units of all planes, the odd ones among them, from a seed. */
function nameFrom(seed: number): string {
  let state = seed;
  const next = (below: number) => (state = (state * 48_271) % 0x7fffffff) % below;
  let name = "";
  while (name.length < 256) {
    name += next(2) === 0 ? ODD[next(ODD.length)] : String.fromCodePoint(next(0x110000));
  }
  return name.slice(0, 256);
}

await test("Hubs over NATS have rooms with names of any 256 characters, each for itself", async () => {
  await using broker = await Broker.start();
  const names = [
    ...ODD.map((character) => character.repeat(256)),
    ...["a..b", ".a", "a.", "a.>.b", "", "_INBOX.>", "$JS.>"],
    ...Array.from({ length: 100 }, (_, n) => nameFrom(n + 1)),
  ];
  await using near = await nats({ servers: broker.address });
  await using far = await nats({ servers: broker.address });
  const options = { maxRoomsPerMember: names.length };
  const speaker = new Hub({ backplane: near, ...options });
  const listener = new Hub({ backplane: far, ...options });
  const ends = names.map((name) => {
    const [served, member] = memoryPair().map((transport) => new Connection(transport));
    listener.join(name, served);
    return { name, served, member };
  });
  const decoder = new TextDecoder();
  for (const [n, { name, member }] of ends.entries()) {
    // It is said until it is heard: the subscription may not be at the broker yet.
    const timer = setInterval(() => speaker.broadcast(name, `${n}`), 20);
    assertEquals(decoder.decode(await member.receive()), `${n}`);
    clearInterval(timer);
  }
  // Everything that anybody has heard was for its own room.
  for (const { name } of ends) speaker.broadcast(name, "end");
  for (const [n, { member }] of ends.entries()) {
    for (;;) {
      const text = decoder.decode(await member.receive());
      if (text === "end") break;
      assertEquals(text, `${n}`);
    }
  }
  assertEquals([near.stats.foreign, far.stats.foreign], [0, 0]);
  speaker.close();
  listener.close();
  await Promise.all(ends.flatMap(({ served, member }) => [served.close(), member.close()]));
});

await test("A chat of many servers refuses names of rooms that it cannot have, and takes all others", async () => {
  await using broker = await Broker.start();
  await using one = await Site.open(broker.address);
  await using two = await Site.open(broker.address);
  const ada = await one.enter("Ada", { json: true });
  const bob = await two.enter("Bob", { json: true });
  for (let seed = 1; seed <= 30; seed++) {
    const answer = (await ada.ask(`/join ${nameFrom(seed)}`)).at(-1)!;
    assertMatch(answer, /"code":"(?:room-invalid|usage)"/);
  }
  const names = ["a.b", "a*", ">", "$JS.API", "комната", "部屋", "🦊".repeat(16), "x".repeat(32)];
  for (const name of names) {
    const events = (await ada.ask(`/join ${name}`)).map((line) => JSON.parse(line));
    if (events.some(({ code }) => code === "room-invalid")) {
      assert(/[*]/.test(name), name);
      continue;
    }
    assertEquals(events.find(({ type }) => type === "room").name, name);
    await bob.ask(`/join ${name}`);
    ada.say("hello");
    await bob.until(/"type":"say".*"hello"/);
  }
  await ada.catchUp();
  assertEquals([one.chat.stats.rooms, two.chat.stats.rooms], [2, 2]);
  assertEquals([one.cluster.stats.foreign, two.cluster.stats.foreign], [0, 0]);
});
