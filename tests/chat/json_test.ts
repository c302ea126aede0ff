/** What programs are told after `/json`. */

import { assertEquals } from "@std/assert";
import { memoryHistory } from "../../chat/history/history.ts";
import { TestChat } from "../support/chat.ts";

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
