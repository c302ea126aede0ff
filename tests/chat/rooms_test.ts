/** The chat's rooms and what members tell each other in and across them. */

import { assertEquals, assertLess, assertMatch, assertRejects } from "@std/assert";
import { memoryHistory } from "../../chat/history/memory.ts";
import { Connection } from "../../connection.ts";
import { ConnectionLostError } from "../../errors.ts";
import { text } from "../../format.ts";
import { TestChat } from "../support/chat.ts";

Deno.test("Chat /join moves a member, tells both rooms, and finds the room by any spelling", async () => {
  await using test = new TestChat();
  const ada = await test.join("Ada");
  const bob = await test.join("Bob");
  await ada.heard();
  assertEquals(await bob.ask("/join Kitchen"), ["* You are in Kitchen. 1 here."]);
  assertEquals(await ada.heard(), ["* Bob left. 1 here."]);
  assertEquals(await ada.ask("/join kıtchen"), ["* You are in Kitchen. 2 here."]);
  assertEquals(await bob.heard(), ["* Ada joined. 2 here."]);
  assertEquals(await ada.ask("hello"), ["Ada: hello"]);
  assertEquals(await bob.heard(), ["Ada: hello"]);
  assertEquals(await ada.ask("/rooms"), ["* 2 rooms: lobby (0), Kitchen (2)."]);
  assertEquals(await ada.ask("/leave"), ["* You are in lobby. 1 here."]);
  assertEquals(await ada.ask("/leave"), ["* You are in lobby already."]);
  assertEquals(await bob.ask("/leave"), ["* Ada left. 1 here.", "* You are in lobby. 2 here."]);
  assertEquals(await bob.ask("/rooms"), ["* 1 room: lobby (2)."]);
});

Deno.test("Chat refuses rooms that cannot be, that are full, or are too many", async () => {
  await using test = new TestChat({ maxRooms: 2, maxMembersPerRoom: 2 });
  const ada = await test.join("Ada");
  const bob = await test.join("Bob");
  assertEquals(await test.enter().heard(), ["* The chat is full, try again later."]);
  await ada.ask("/join a");
  const eve = await test.join("Eve");
  assertEquals(await eve.ask("/join b"), ['* Cannot join "b": there are 2 rooms already.']);
  await eve.ask("/join a");
  const last = (await bob.ask("/join a")).at(-1);
  assertEquals(last, '* Cannot join "a": it is full.');
  assertMatch((await bob.ask("/join")).at(-1)!, /it is empty, say \/join ROOM\.$/);
  assertMatch((await bob.ask("/join two words")).at(-1)!, /it has a space/);
  assertEquals(await bob.ask("/join __proto__"), [
    '* Cannot join "__proto__": there are 2 rooms already.',
  ]);
  assertEquals(test.chat.stats, { ...test.chat.stats, members: 3, rooms: 2 });
});

Deno.test("Chat shows newcomers the room's last messages, after a restart too", async () => {
  const history = memoryHistory();
  {
    await using test = new TestChat({ history, greeting: 2 });
    const ada = await test.join("Ada");
    await ada.ask("/join Dev", "/topic builds", "one", "/me waves", "three");
  }
  await using test = new TestChat({ history, greeting: 2 });
  const bob = await test.join("Bob");
  assertEquals(await bob.ask("/join dev"), [
    "* You are in dev. 1 here.",
    "* The topic: builds",
    "* The last 2 messages:",
    "[18:12] * Ada waves",
    "[18:12] Ada: three",
  ]);
  assertEquals(await bob.ask("/history 1 before 3"), [
    "* The last message:",
    "[18:12] * Ada waves",
    "* /history 1 before 2 shows what was said earlier.",
  ]);
  assertEquals(await bob.ask("/history before 1"), ["* There are no messages."]);
  test.pass(25 * 60 * 60 * 1000);
  assertEquals((await bob.ask("/search WAVES")).slice(-2), [
    "* Found 1 message: WAVES",
    "[2026-11-20 18:12] * Ada waves",
  ]);
  assertEquals(await bob.ask("/search nothing"), ["* Nothing found: nothing"]);
});

Deno.test("Chat's welcome is followed by what was said in the lobby, and only by that", async () => {
  await using test = new TestChat();
  const ada = await test.join("Ada");
  await ada.ask("hello");
  assertEquals(await test.enter().heard(), [
    "* Welcome, guest-2. 2026-11-20 18:12:03Z. 2 here. /help lists the commands.",
    "* The last message:",
    "[18:12] Ada: hello",
  ]);
});

Deno.test("Chat keeps a message before anyone sees it, and refuses it when that fails", async () => {
  const history = memoryHistory();
  const errors: unknown[] = [];
  let fails = false;
  const broken = new Error("disk full");
  await using test = new TestChat({
    history: {
      ...history,
      add(entry) {
        if (fails) throw broken;
        return history.add(entry);
      },
      last(...args) {
        if (fails) throw broken;
        return history.last(...args);
      },
      search: (...args) => history.search(...args),
      lastId: (room) => history.lastId(room),
      get: (key) => history.get(key),
      set: (key, value) => history.set(key, value),
      close: () => history.close(),
    },
    onError: (error) => errors.push(error),
  });
  const ada = await test.join("Ada");
  const bob = await test.join("Bob");
  await ada.heard();
  assertEquals(await ada.ask("kept"), ["Ada: kept"]);
  fails = true;
  assertEquals(await ada.ask("lost", "/history"), [
    "* That was not said: the history cannot be written.",
    "* The history cannot be read.",
  ]);
  assertEquals(errors, [broken]);
  fails = false;
  assertEquals(await ada.ask("kept again"), ["Ada: kept again"]);
  assertEquals(await bob.heard(), ["Ada: kept", "Ada: kept again"]);
  assertEquals(history.last("lobby", 9).map(({ text }) => text), ["kept", "kept again"]);
});

Deno.test("Chat /msg reaches a member in any room, and nobody else", async () => {
  await using test = new TestChat();
  const ada = await test.join("Ada");
  const bob = await test.join("Bob");
  const eve = await test.join("Eve");
  await ada.heard();
  await bob.ask("/join elsewhere", "/away lunch");
  await Promise.all([ada.heard(), eve.heard()]);
  assertEquals(await ada.ask("/msg bob how  are you"), [
    "* You tell Bob: how  are you",
    "* Bob is away: lunch",
  ]);
  assertEquals(await bob.heard(), ["* Ada tells you: how  are you"]);
  assertEquals(await eve.heard(), []);
  assertEquals(await ada.ask("/msg nobody hi", "/msg bob"), [
    '* Nobody here is called "nobody".',
    "* Cannot understand that: /msg NAME TEXT tells one member something, in whatever room it is.",
  ]);
});

Deno.test("Chat /me, /topic and /away are told to the room", async () => {
  await using test = new TestChat();
  const ada = await test.join("Ada");
  const bob = await test.join("Bob");
  assertEquals(await bob.ask("/topic", "/topic tea", "/topic"), [
    "* lobby has no topic.",
    "* Bob set the topic: tea",
    "* The topic: tea",
  ]);
  await ada.heard();
  assertEquals(await ada.ask("/me waves", "/away out", "/who", "/away"), [
    "* Ada waves",
    "* Ada is away: out",
    "* 2 here: Ada (away: out), Bob.",
    "* Ada is back.",
  ]);
  assertEquals(await bob.ask("/topic -", "/away"), [
    "* Ada waves",
    "* Ada is away: out",
    "* Ada is back.",
    "* Bob cleared the topic.",
    "* You are not away. /away TEXT tells that you are.",
  ]);
  const long = await bob.ask(`/topic ${"x".repeat(201)}`);
  assertEquals(long, ["* Cannot set the topic: a topic has at most 200 characters."]);
});

Deno.test("Chat /ignore keeps a name's words away, under its next name too", async () => {
  await using test = new TestChat();
  const ada = await test.join("Ada");
  const bob = await test.join("Bob");
  await ada.heard();
  assertEquals(await ada.ask("/ignore bob", "/ignore"), [
    "* You ignore Bob. /unignore Bob ends that.",
    "* You ignore Bob.",
  ]);
  assertEquals(await bob.ask("hello", "/me waves", "/msg Ada psst", "/nick Rob"), [
    "Bob: hello",
    "* Bob waves",
    "* Ada does not listen to you.",
    "* Bob is now Rob.",
  ]);
  await bob.ask("again");
  assertEquals(await ada.heard(), ["* Bob is now Rob."]);
  // What he said under his old name is not ignored any more: that name may be anybody's now.
  assertEquals(await ada.ask("/unignore rob", "/unignore rob"), [
    "* You hear rob again.",
    "* You do not ignore rob.",
  ]);
  test.pass(1000);
  await bob.ask("heard");
  assertEquals(await ada.heard(), ["Rob: heard"]);
  assertEquals(await ada.ask("/ignore ada", "/ignore two words"), [
    "* You cannot ignore yourself.",
    "* Cannot understand that: /ignore [NAME] hears no more of a name, or lists those.",
  ]);
});

Deno.test("Chat announces who has fallen silent, and who is back", async () => {
  await using test = new TestChat({ silentAfter: 60_000 });
  const ada = await test.join("Ada");
  const bob = await test.join("Bob");
  await ada.heard();
  test.pass(30_000);
  await bob.ask("hello");
  await ada.heard();
  test.pass(30_000);
  assertEquals(await bob.ask("/who"), [
    "* Ada has fallen silent.",
    "* 2 here: Ada (silent), Bob.",
  ]);
  test.pass(1_000);
  assertEquals(await ada.ask("/msg bob psst", "hi"), [
    "* Ada has fallen silent.",
    "* You tell Bob: psst",
    "* Ada is back.",
    "Ada: hi",
  ]);
});

Deno.test("Chat deals with what was written before the connection was lost, and stays in order", async () => {
  await using test = new TestChat();
  const ada = await test.join("Ada");
  await ada.ask("/join a");
  const come = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  const chunks = [new Uint8Array(["/join a", "/json", "/join b", "bye"].flatMap(frameOf))];
  const lost = new Connection<string>({
    abilities: {},
    local: "memory:here",
    remote: "memory:there",
    async read() {
      await come.promise;
      const chunk = chunks.shift();
      if (chunk === undefined) throw new Deno.errors.ConnectionReset();
      return chunk;
    },
    write: () => gone.promise.then(() => 0),
    closeWrite: () => Promise.resolve(),
    close: () => gone.resolve(),
  }, { format: text() });
  const served = test.chat.serve(lost);
  come.resolve();
  await assertRejects(() => served, ConnectionLostError);
  assertEquals(test.chat.names, ["Ada"]);
  assertEquals(test.chat.stats, { ...test.chat.stats, members: 1, rooms: 2 });
});

Deno.test("Chat reads a line of nothing but line ends and spaces in no time", async () => {
  await using test = new TestChat({ flood: { burst: 1000 } });
  const ada = await test.join("Ada");
  const startedAt = performance.now();
  for (let i = 0; i < 150; i++) {
    ada.say(`${"\n".repeat(4090)}x`, `/ping ${" ".repeat(4080)}x`, `/ping x${" ".repeat(4080)}x`);
  }
  assertEquals((await ada.heard()).length, 450);
  assertLess(performance.now() - startedAt, 6_000);
});

Deno.test("Chat has a timer only while anyone is there", async () => {
  await using test = new TestChat();
  assertEquals(test.ticks, false);
  const ada = await test.join("Ada");
  assertEquals(test.ticks, true);
  await ada.ask("/quit");
  await ada.served;
  assertEquals(test.ticks, false);
});

Deno.test("Chat.close() tells everyone, and turns away who comes later", async () => {
  await using test = new TestChat();
  const ada = await test.join("Ada");
  test.chat.close();
  assertEquals(await ada.heard(), ["* The chat is closing."]);
  assertEquals((await ada.near.closed).clean, true);
  assertEquals(await test.enter().heard(), ["* The chat is closed."]);
  assertEquals(test.chat.names, []);
});

Deno.test("Chat adds up comings and goings that are too many to be told one by one", async () => {
  await using test = new TestChat();
  const ada = await test.join("Ada");
  const many = Array.from({ length: 300 }, () => test.enter());
  await many.at(-1)!.heard();
  const told = (await ada.heard()).length;
  test.pass(1000);
  const [line, ...rest] = await ada.heard();
  const [, more] = /^\* (\d+) more joined, 0 left, 0 fell silent\. 301 here\.$/.exec(line)!;
  assertEquals(rest, []);
  assertEquals(told + Number(more), 300);
  assertEquals(told > 100, true);
});

Deno.test("Chat's books are in order after any joins, renames and ends", async () => {
  await using test = new TestChat({ flood: { burst: 10_000 } });
  let state = 99;
  const random = (below: number) => {
    state = Math.imul(state, 1664525) + 1013904223 >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
  let people = [await test.join()];
  for (let i = 0; i < 300; i++) {
    const person = people[random(people.length)];
    const what = random(10);
    if (what < 2 && people.length < 20) people.push(test.enter());
    else if (what < 5) person.say(`/nick n${random(10)}`);
    else if (what < 8) person.say(`/join r${random(5)}`);
    else if (people.length > 1) {
      if (what === 8) person.connection.abort();
      else person.connection.close();
      people = people.filter((other) => other !== person);
      await person.served;
    }
  }
  for (const person of people) await person.heard();
  const names = test.chat.names;
  assertEquals(names.length, people.length);
  assertEquals(new Set(names).size, names.length);
  let count = 0;
  for (let room = 0; room < 5; room++) {
    await people[0].ask(`/join r${room}`);
    const who = (await people[0].ask("/who")).at(-1)!;
    const [, size, list] = /^\* (\d+) here: (.*)\.$/.exec(who)!;
    assertEquals(list.split(", ").length, Number(size));
    count += Number(size) - 1;
  }
  await people[0].ask("/join lobby");
  const [, size] = /^\* (\d+) here/.exec((await people[0].ask("/who")).at(-1)!)!;
  assertEquals(count + Number(size), people.length);
  for (const person of people) person.connection.close();
  await Promise.all(people.map(({ served }) => served));
  assertEquals(test.chat.stats, { ...test.chat.stats, members: 0, rooms: 1 });
});

function frameOf(line: string): number[] {
  const bytes = new TextEncoder().encode(line);
  return [0, 0, 0, bytes.length, ...bytes];
}
