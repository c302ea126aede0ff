/** What programs are told after `/json`. */

import {
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertMatch,
  assertThrows,
} from "@std/assert";
import { Chat } from "../../chat.ts";
import { MAX_REMEMBERED, Once } from "../../chat/engine/once.ts";
import { memoryHistory } from "../../chat/history/memory.ts";
import { connect, ConnectionLostError, listen, text } from "../../mod.ts";
import { type Person, TestChat } from "../support/chat.ts";

Deno.test("Chat answers /json with welcome, who, rooms and history, and then in JSON alone", async () => {
  await using test = new TestChat({ flood: { burst: 100 } });
  const time = test.now;
  const ada = await test.join("Ada");
  await ada.ask("one", "/me waves", "/topic tea");
  const page = await test.join("Page");
  page.say("/json");
  const messages = [
    { type: "say", id: 1, room: "lobby", name: "Ada", text: "one", time },
    { type: "me", id: 2, room: "lobby", name: "Ada", text: "waves", time },
  ];
  assertEquals(await page.events(), [
    { type: "welcome", name: "Page", room: "lobby", time, members: 2 },
    { type: "who", room: "lobby", members: [{ name: "Ada" }, { name: "Page" }] },
    { type: "rooms", rooms: [{ name: "lobby", members: 2, topic: "tea", last: 2 }] },
    { type: "history", room: "lobby", messages, more: false },
  ]);
  await ada.ask("three", "/away out", "/nick Eve", "/topic -", "/msg Page psst");
  test.pass(600_000);
  await ada.ask("/quit");
  const later = time + 600_000;
  assertEquals(await page.events(), [
    { type: "say", id: 3, room: "lobby", name: "Ada", text: "three", time },
    { type: "away", name: "Ada", text: "out" },
    { type: "nick", from: "Ada", to: "Eve", time },
    { type: "topic", room: "lobby", name: "Eve", text: "" },
    { type: "tell", from: "Eve", to: "Page", text: "psst", time },
    { type: "silent", name: "Eve", silent: true },
    { type: "silent", name: "Page", silent: true },
    { type: "rooms", rooms: [{ name: "lobby", members: 2, topic: "", last: 3 }] },
    { type: "leave", room: "lobby", name: "Eve", members: 1, time: later },
  ]);
});

Deno.test("Chat answers a program's questions and mistakes in JSON", async () => {
  await using test = new TestChat();
  const time = test.now;
  const page = await test.join("Page");
  await page.ask("/json", "hello");
  page.say(
    "/history 1",
    "/history 5 before 1",
    "/search HELL",
    "/ping x",
    "/nope",
    "/topic",
    "/who",
  );
  const said = { type: "say", id: 1, room: "lobby", name: "Page", text: "hello", time };
  assertEquals(await page.events(), [
    { type: "history", room: "lobby", messages: [said], more: false },
    { type: "history", room: "lobby", messages: [], more: false },
    { type: "found", room: "lobby", query: "HELL", messages: [said] },
    { type: "pong", text: "x" },
    {
      type: "notice",
      code: "no-such-command",
      text: "There is no command /nope. Did you mean /nick? /help lists the commands.",
      error: true,
      command: "nope",
    },
    { type: "notice", code: "topic", text: "lobby has no topic.", room: "lobby" },
    { type: "who", room: "lobby", members: [{ name: "Page" }] },
  ]);
});

Deno.test("Chat tells a program that joins a room where it is, who is there and what was said", async () => {
  const history = memoryHistory();
  await using test = new TestChat({ history, greeting: 1 });
  const time = test.now;
  const ada = await test.join("Ada");
  await ada.ask("/join dev", "/topic builds", "one", "two");
  const page = await test.join("Page");
  await page.ask("/json");
  await ada.ask("/away out");
  page.say("/join DEV");
  assertEquals(await page.events(), [
    { type: "room", name: "dev", topic: "builds", members: 2 },
    { type: "who", room: "dev", members: [{ name: "Ada", away: "out" }, { name: "Page" }] },
    {
      type: "history",
      room: "dev",
      messages: [{ type: "say", id: 2, room: "dev", name: "Ada", text: "two", time }],
      more: true,
    },
  ]);
});

Deno.test("Chat tells programs of rooms once a second, and only when something changed", async () => {
  await using test = new TestChat();
  const ada = await test.join("Ada");
  const page = await test.join("Page");
  await page.ask("/json", "/join elsewhere");
  test.pass(1000);
  await page.heard();
  for (let i = 0; i < 5; i++) await ada.ask(`${i}`);
  assertEquals(await page.events(), []);
  test.pass(1000);
  assertEquals(await page.events(), [{
    type: "rooms",
    rooms: [
      { name: "lobby", members: 1, topic: "", last: 5 },
      { name: "elsewhere", members: 1, topic: "", last: 0 },
    ],
  }]);
  test.pass(1000);
  assertEquals(await page.events(), []);
});

Deno.test("Chat lists five hundred members and says how many more there are", async () => {
  await using test = new TestChat();
  const page = await test.join("Page");
  await page.ask("/json");
  const many = Array.from({ length: 502 }, () => test.enter());
  await many.at(-1)!.heard();
  await page.heard();
  page.say("/who");
  const [who] = await page.events();
  assertEquals([who.members.length, who.more], [500, 3]);
});

Deno.test("Chat shows people and programs of a room the same order", async () => {
  await using test = new TestChat({ flood: { burst: 1000 } });
  const people = [];
  for (let i = 0; i < 6; i++) people.push(await test.join(`n${i}`));
  for (const person of people.slice(3)) person.say("/json");
  for (const person of people) await person.heard();
  for (let i = 0; i < 50; i++) {
    for (const person of people) person.say(`${i}`);
    if (i % 7 === 0) await Promise.resolve();
  }
  // Nobody has been heard to the end before everybody has.
  for (const person of people) person.say("/me ends");
  const seen = await Promise.all(people.map(async ({ connection }, index) => {
    const lines: string[] = [];
    for (let ends = 0; ends < people.length;) {
      const line = (await connection.receive())!;
      const event = index < 3 ? undefined : JSON.parse(line);
      const shown = event === undefined || event.name === undefined
        ? line
        : event.type === "say"
        ? `${event.name}: ${event.text}`
        : `* ${event.name} ${event.text}`;
      if (shown.endsWith(" ends")) ends++;
      lines.push(shown);
    }
    return lines;
  }));
  assertEquals(seen[0].length, 306);
  for (const lines of seen) assertEquals(lines, seen[0]);
});

/** The times of a chat that asks after 3 s, and gives up 2 s later. */
const PINGS = { pingInterval: 3_000, pongTimeout: 2_000 };
const PING = '{"type":"ping"}';

/** Seconds pass, and what is written in each of them, by either side, arrives. */
async function seconds(
  test: Pick<TestChat, "pass">,
  count: number,
  { words = () => {}, late = 0 } = {},
): Promise<void> {
  for (let i = 0; i < count; i++) {
    words();
    // A message takes one turn of the event loop through memory.
    await new Promise((resolve) => setTimeout(resolve));
    test.pass(1_000 + late);
  }
}

/** A program that has promised to answer. */
async function promising(test: TestChat, name: string): Promise<Person> {
  const person = await test.join(name);
  await person.ask("/json", "/pong");
  return person;
}

Deno.test("Chat asks a silent program that promised to answer, and loses it when it says nothing", async () => {
  await using test = new TestChat(PINGS);
  const ada = await test.join("Ada");
  const page = await promising(test, "Page");
  await ada.ask("/who");
  await seconds(test, 4);
  assertEquals(await ada.ask("/who"), ["* 2 here: Ada, Page."]);
  await seconds(test, 1);
  assertEquals(await ada.ask("/who"), ["* Page left. 1 here.", "* 1 here: Ada."]);
  assertEquals((await ada.ask("/nick Page"))[0], "* Ada is now Page.");
  const { clean, error } = await page.near.closed;
  assertInstanceOf(error, ConnectionLostError);
  assertMatch(
    error.message,
    /did not answer the chat's ping within 2000 ms \(chat\.pongTimeout\)$/,
  );
  assertEquals(clean, false);
  const last: string[] = [];
  try {
    for await (const line of page.connection) last.push(line);
  } catch { /* Its end of the connection is lost as well. */ }
  assertEquals(last.filter((line) => line.includes("ping")), [PING]);
});

Deno.test("Chat loses all that are silent in one tick, whatever they are told in it", async () => {
  await using test = new TestChat(PINGS);
  for (const name of ["One", "Two", "Three"]) await promising(test, name);
  await seconds(test, 5);
  assertEquals(test.chat.names, []);
});

Deno.test("Chat gives a slow program its time from when the ping was written", async () => {
  await using test = new TestChat({ ...PINGS, flood: { burst: 1_000 } });
  const ada = await test.join("Ada");
  const page = await promising(test, "Page");
  // It does not read: what is said waits, and the ping behind it.
  await ada.ask(...Array.from({ length: 600 }, () => "x".repeat(4_000)));
  assertGreater(page.near.stats.bufferedBytes, 0);
  await seconds(test, 9);
  assertEquals(test.chat.names, ["Ada", "Page"]);
  while (await page.connection.receive() !== PING);
  await seconds(test, 1);
  assertEquals(test.chat.names, ["Ada", "Page"]);
  await seconds(test, 3);
  assertEquals(test.chat.names, ["Ada"]);
});

Deno.test("Chat keeps a program that answers, whatever it says, and asks it only when it is silent", async () => {
  for (const words of ["/pong", "/ping", "", "hello"]) {
    await using test = new TestChat({ ...PINGS, flood: { burst: 100 } });
    const page = await promising(test, "Page");
    for (let i = 0; i < 5; i++) {
      await seconds(test, 4);
      while (await page.connection.receive() !== PING);
      page.say(words);
    }
    assertEquals(test.chat.names, ["Page"], words);
    // Who speaks in time is not asked at all.
    await page.heard();
    await seconds(test, 10, { words: () => page.say(words) });
    assertEquals((await page.heard()).includes(PING), false, words);
  }
});

Deno.test("Chat asks nobody who has not promised to answer, and nobody with pingInterval 0", async () => {
  await using test = new TestChat(PINGS);
  const old = await test.join("Old");
  await old.ask("/json");
  const person = await test.join("Person");
  await person.ask("/pong");
  await old.ask("/pin", "/ping 1");
  await seconds(test, 20);
  assertEquals((await old.heard()).includes(PING), false);
  assertEquals(await person.ask("/who"), ["* 2 here: Old, Person."]);
  await using silent = new TestChat({ ...PINGS, pingInterval: 0 });
  const page = await promising(silent, "Page");
  await seconds(silent, 20);
  assertEquals((await page.heard()).includes(PING), false);
  assertThrows(() => new TestChat({ pingInterval: -1 }), RangeError, "pingInterval");
  assertThrows(() => new TestChat({ pongTimeout: 0 }), RangeError, "pongTimeout");
});

Deno.test("Chat blames nobody for its own standstill, and a clock that is set changes nothing", async () => {
  await using test = new TestChat(PINGS);
  const page = await promising(test, "Page");
  // Asked after three seconds, and due after five: it stands still where one more would be too many.
  await seconds(test, 4);
  test.pass(3_600_000);
  assertEquals(test.chat.names, ["Page"]);
  page.say("/pong");
  await seconds(test, 4);
  assertEquals(test.chat.names, ["Page"]);
  test.now -= 7_200_000;
  await seconds(test, 1);
  assertEquals(test.chat.names, []);
});

Deno.test("Chat loses a silent program also where every step of the clock is late", async () => {
  await using test = new TestChat(PINGS);
  await promising(test, "Page");
  await seconds(test, 9, { late: 1_000 });
  assertEquals(test.chat.names, []);
});

Deno.test("Chat leaves it to a session to find out whether its peer is there", async () => {
  let tick = () => {};
  let now = Date.now();
  using chat = new Chat({
    ...PINGS,
    now: () => new Date(now),
    every: (callback) => (tick = callback, () => {}),
  });
  await using server = await listen(
    ["memory:promises", "tcp://127.0.0.1:0?session=1"],
    { format: text() },
    (connection) => chat.serve(connection).catch(() => {}),
  );
  for (const [endpoint, members] of [[server.endpoints[0], 0], [server.endpoints[1], 1]] as const) {
    await using page = await connect(endpoint, { format: text() });
    page.send("/json");
    page.send("/pong");
    page.send("/ping heard");
    while (!(await page.receive())!.includes("heard"));
    await seconds({ pass: (ms) => (now += ms, tick()) }, 6);
    assertEquals(chat.names.length, members, endpoint);
  }
});

Deno.test("Chat says with /once what is sent again only once, and tells the sender where", async () => {
  await using test = new TestChat({ flood: { burst: 100 } });
  const time = test.now;
  const ada = await test.join("Ada");
  const page = await test.join("Page");
  await page.ask("/json");
  page.say("/once a-1 hello", "/once a_2 /me waves", "/once a3 //etc", "/once a-1 hello");
  const common = { room: "lobby", name: "Page", time };
  assertEquals(await page.events(), [
    { type: "say", id: 1, ...common, text: "hello", ref: "a-1" },
    { type: "me", id: 2, ...common, text: "waves", ref: "a_2" },
    { type: "say", id: 3, ...common, text: "/etc", ref: "a3" },
    {
      type: "notice",
      code: "said-already",
      text: "That was said already.",
      ref: "a-1",
      id: 1,
      room: "lobby",
    },
  ]);
  const again = await test.join("Again");
  assertEquals(await again.ask("/once a_2 /me waves"), ["* That was said already."]);
  const heard = (await ada.heard()).filter((line) => line.includes("Page"));
  assertEquals(heard.slice(1), ["Page: hello", "* Page waves", "Page: /etc"]);
  for (const wrong of ["/once", "/once a", "/once a.b x", `/once ${"a".repeat(65)} x`]) {
    assertMatch((await again.ask(wrong))[0], /^\* Cannot understand that: \/once REF TEXT /);
  }
  assertMatch((await again.ask("/once b /nick Eve"))[0], /^\* Cannot understand that: /);
});

Deno.test("Chat remembers 65536 messages said with /once, and then forgets the oldest", () => {
  const once = new Once();
  for (let id = 0; id <= MAX_REMEMBERED; id++) once.add(`${id}`, { id, room: "lobby" });
  assertEquals([0, 1, MAX_REMEMBERED].map((ref) => once.find(`${ref}`)?.id), [
    undefined,
    1,
    MAX_REMEMBERED,
  ]);
});

Deno.test("Chat tells with /history after what was missed, in order and in parts", async () => {
  await using test = new TestChat({ flood: { burst: 100 } });
  const ada = await test.join("Ada");
  await ada.ask("one", "two", "/join dev", "three", "/leave", "four", "five");
  assertEquals(await ada.ask("/history 2 after 1"), [
    "* The next 2 messages:",
    "[18:12] Ada: two",
    "[18:12] Ada: four",
    "* /history 2 after 4 shows what was said later.",
  ]);
  const page = await test.join("Page");
  await page.ask("/json");
  page.say("/history 3 after 1", "/history AFTER 5");
  const [first, none] = await page.events();
  assertEquals([first.messages.map(({ id }: { id: number }) => id), first.more], [
    [2, 4, 5],
    false,
  ]);
  assertEquals(none, { type: "history", room: "lobby", messages: [], more: false, after: 5 });
});
