/** What the chat does with members that write too much, and with long and unknown lines. */

import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Chat } from "../../chat.ts";
import { COST, Flood } from "../../chat/engine/flood.ts";
import { TestChat } from "../support/chat.ts";

const WARNING = "* Slow down: 5 at once, then 2 per second. Your line was dropped.";

Deno.test("Chat takes five messages at once, then two per second, and says what it drops", async () => {
  await using test = new TestChat();
  const ada = await test.join();
  const bob = await test.join();
  await ada.heard();
  const said = Array.from({ length: 7 }, (_, i) => `m${i}`);
  assertEquals(await ada.ask(...said), [
    ...said.slice(0, 5).map((text) => `guest-1: ${text}`),
    WARNING,
    "* Your line was dropped.",
  ]);
  assertEquals((await bob.heard()).length, 5);
  test.pass(500);
  assertEquals(await ada.ask("a", "b"), ["guest-1: a", "* Your line was dropped."]);
  test.pass(60_000);
  assertEquals((await ada.ask(...said)).slice(4), [
    "guest-1: m4",
    WARNING,
    "* Your line was dropped.",
  ]);
});

Deno.test("Chat disconnects who goes on after ten dropped lines, and says why", async () => {
  await using test = new TestChat();
  const ada = await test.join();
  const bob = await test.join();
  await ada.heard();
  const heard = await ada.ask(...Array.from({ length: 40 }, (_, i) => `m${i}`));
  assertEquals(heard.length, 5 + 10 + 1);
  assertEquals(heard.at(-1), "* Disconnected: you wrote too much too fast.");
  await ada.served;
  assertEquals((await bob.heard()).at(-1), "* guest-1 left. 1 here.");
  assertEquals(test.chat.names, ["guest-2"]);
  assertEquals((await ada.near.closed).reason, "Disconnected: you wrote too much too fast.");
});

Deno.test("Chat forgives dropped lines after a pause", async () => {
  await using test = new TestChat();
  const ada = await test.join();
  for (let i = 0; i < 5; i++) {
    const heard = await ada.ask(...Array.from({ length: 12 }, () => "x"));
    assertEquals(heard.filter((line) => line === WARNING).length, 1);
    test.pass(10_001);
  }
  assertEquals(test.chat.names, ["guest-1"]);
});

Deno.test("Chat counts questions for a quarter of a message, /ping for nothing", async () => {
  await using test = new TestChat();
  const ada = await test.join();
  await ada.ask(...Array.from({ length: 100 }, () => "/ping"));
  const heard = await ada.ask(...Array.from({ length: 21 }, () => "/who"));
  assertEquals(heard.filter((line) => line === "* 1 here: guest-1.").length, 20);
  assertEquals(heard.at(-1), WARNING);
});

Deno.test("Flood survives a clock that is set back, and never holds more than its burst", () => {
  const flood = new Flood({ burst: 2, perSecond: 1 }, 1_000_000);
  assertEquals(flood.take(COST.message, 1_000_000), "pass");
  assertEquals(flood.take(COST.message, 0), "pass");
  assertEquals(flood.take(COST.message, 0), "warn");
  assertEquals(flood.take(COST.message, 1_000), "pass");
  assertEquals(flood.take(COST.message, 1_000_000), "pass");
  assertEquals(flood.take(COST.message, 1_000_000), "pass");
  assertEquals(flood.take(COST.message, 1_000_000), "warn");
});

Deno.test("Chat refuses a line above the limit, and takes one at it", async () => {
  await using test = new TestChat({ maxLineLength: 30 });
  const ada = await test.join();
  const bob = await test.join();
  await ada.heard();
  assertEquals(await ada.ask(`${"x".repeat(30)}\r\n`, "x".repeat(31), "x".repeat(100_000)), [
    `guest-1: ${"x".repeat(30)}`,
    "* Your line was dropped: it has 31 characters, the limit is 30.",
    "* Your line was dropped: it has 100000 characters, the limit is 30.",
  ]);
  assertEquals(await bob.heard(), [`guest-1: ${"x".repeat(30)}`]);
});

Deno.test("Chat names the command that was probably meant", async () => {
  await using test = new TestChat();
  const ada = await test.join();
  assertEquals(await ada.ask("/nik x", "/hist", "/", "/zzz", "/PING up", "/toString"), [
    "* There is no command /nik. Did you mean /nick? /help lists the commands.",
    "* There is no command /hist. Did you mean /history? /help lists the commands.",
    "* There is no command /. /help lists the commands.",
    "* There is no command /zzz. /help lists the commands.",
    "* pong up",
    "* There is no command /toString. /help lists the commands.",
  ]);
  const [line] = await ada.ask(`/${"k".repeat(4000)}\x1b`);
  assertMatch(line, /^\* There is no command \/k{32}…\. \/help/);
});

Deno.test("Chat says how a command is written that it cannot understand", async () => {
  await using test = new TestChat({ operatorToken: "secret", flood: { burst: 100 } });
  const ada = await test.join();
  const lines = [
    "/me",
    "/msg",
    "/unignore",
    "/history x",
    "/history 5 around 6",
    "/search",
    "/operator",
  ];
  for (const line of lines) {
    assertMatch((await ada.ask(line))[0], /^\* Cannot understand that: \//, line);
  }
  await ada.ask("/operator secret");
  for (const line of ["/kick", "/unban", "/announce", "/ban two words"]) {
    assertMatch((await ada.ask(line))[0], /^\* Cannot understand that: \//, line);
  }
  const [usage] = await ada.ask("/help /kick");
  assertEquals(usage, "* /kick NAME [REASON] disconnects a member");
});

Deno.test("Chat shows what would reverse or hide text, in every place where text is shown", async () => {
  await using test = new TestChat({ flood: { burst: 100 } });
  const ada = await test.join("Ada");
  const bob = await test.join("Bob");
  await ada.heard();
  const evil = "\u202e\u2066\x1b[2J\u200b";
  await ada.ask(evil, `/me ${evil}`, `/msg Bob ${evil}`, `/topic ${evil}`, `/away ${evil}`);
  await ada.ask(`/ping ${evil}`, `/nick ${evil}`, `/join ${evil}`, `/ignore ${evil}`, `/${evil}`);
  await ada.ask("/history", "/rooms", `/search ${evil}`);
  const heard = [...await bob.heard(), ...await bob.ask("/history", "/who", "/rooms")];
  assertEquals(heard.length >= 8, true);
  const shown = "\\u202e\\u2066\\x1b[2J\\u200b";
  for (const line of heard) {
    assertEquals([...evil].some((character) => character > "~" && line.includes(character)), false);
    assertEquals(line.includes("\x1b"), false);
    assertEquals(line.includes(shown) || !line.includes("2J"), true, line);
  }
});

Deno.test("Chat refuses options that are wrong", () => {
  assertThrows(() => new Chat({ greeting: 101 }), RangeError, "greeting");
  assertThrows(() => new Chat({ silentAfter: 0 }), RangeError, "silentAfter");
  assertThrows(() => new Chat({ flood: { burst: 0 } }), RangeError, "burst");
  assertThrows(() => new Chat({ flood: { perSecond: NaN } }), RangeError, "perSecond");
  assertThrows(() => new Chat({ operatorToken: "" }), TypeError, "operatorToken");
});
