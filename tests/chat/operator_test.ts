/** What operators can do, who becomes one, and who stays out. */

import { assertEquals, assertMatch } from "@std/assert";
import type { ChatOptions } from "../../chat.ts";
import { Bans, distinctHostOf } from "../../chat/engine/bans.ts";
import { Archive } from "../../chat/history/archive.ts";
import { memoryHistory } from "../../chat/history/memory.ts";
import { TestChat } from "../support/chat.ts";

async function withOperator(options: ChatOptions = {}) {
  const test = new TestChat({ operatorToken: "open sesame", ...options });
  const root = await test.join("Root");
  assertEquals(await root.ask("/operator open sesame"), [
    "* You are an operator. /help lists what you can do.",
  ]);
  return { test, root };
}

Deno.test("Chat makes nobody an operator without a token, and disconnects after three wrong ones", async () => {
  await using none = new TestChat();
  const ada = await none.join();
  assertEquals(await ada.ask("/operator x"), ["* There are no operators: no token was set."]);
  await using test = new TestChat({ operatorToken: "secret" });
  const eve = await test.join();
  assertEquals(await eve.ask("/kick guest-1"), [
    "* There is no command /kick. /help lists the commands.",
  ]);
  assertEquals((await eve.ask("/help")).some((line) => line.includes("/kick")), false);
  assertEquals(await eve.ask("/operator Secret", "/operator secre", "/operator secret2"), [
    "* That is not the token.",
    "* That is not the token.",
    "* Disconnected: that was not the token, again.",
  ]);
  assertEquals(test.chat.names, []);
});

Deno.test("Chat looks at no more tokens from an address that guessed ten times", async () => {
  await using test = new TestChat({ operatorToken: "secret" });
  const guess = async (remote: string) => {
    const eve = await test.join(undefined, remote);
    return await eve.ask("/operator a", "/operator b", "/operator c");
  };
  for (let i = 0; i < 3; i++) await guess("192.0.2.7:1000");
  const last = await guess("192.0.2.7:2000");
  assertEquals(last, [
    "* That is not the token.",
    "* Too many wrong tokens. Try again later.",
    "* Too many wrong tokens. Try again later.",
  ]);
  const late = await test.join(undefined, "192.0.2.7:3000");
  assertEquals(await late.ask("/operator secret"), ["* Too many wrong tokens. Try again later."]);
  const other = await test.join(undefined, "192.0.2.8:3000");
  assertMatch((await other.ask("/operator secret"))[0], /You are an operator/);
  test.pass(600_001);
  assertMatch((await late.ask("/operator secret")).at(-1)!, /You are an operator/);
});

Deno.test("Chat /kick disconnects a member, tells it and the room why, and frees its name", async () => {
  const { test, root } = await withOperator();
  await using _ = test;
  const eve = await test.join("Eve");
  const bob = await test.join("Bob");
  await root.heard();
  assertEquals(await root.ask("/kick eve too loud", "/kick eve"), [
    "* Eve left. 2 here.",
    "* Eve was kicked by Root: too loud",
    '* Nobody here is called "eve".',
  ]);
  assertEquals((await eve.heard()).at(-1), "* You were kicked by Root: too loud");
  assertEquals((await eve.near.closed).reason, "You were kicked by Root: too loud");
  assertEquals(await bob.ask("/nick Eve"), [
    "* Eve left. 2 here.",
    "* Eve was kicked by Root: too loud",
    "* Bob is now Eve.",
  ]);
});

Deno.test("Chat hears nothing more of a member that was kicked, even if it was written before", async () => {
  const { test, root } = await withOperator();
  await using _ = test;
  const eve = await test.join("Eve");
  await root.heard();
  root.say("/kick Eve");
  eve.say(..."abcd");
  const heard = await root.heard();
  const after = heard.slice(heard.indexOf("* Eve left. 1 here."));
  assertEquals(after, ["* Eve left. 1 here.", "* Eve was kicked by Root."]);
  await eve.heard();
});

Deno.test("Chat /ban keeps an address and a name out, after a restart too, until /unban", async () => {
  const history = memoryHistory();
  {
    const { test, root } = await withOperator({ history });
    await using _ = test;
    const eve = await test.join("Eve", "192.0.2.7:1000");
    await root.heard();
    assertEquals(await root.ask("/ban Eve"), [
      "* Eve is banned by name and address 192.0.2.7. /unban Eve ends that.",
      "* Eve left. 1 here.",
      "* Eve was banned by Root.",
    ]);
    assertEquals((await eve.heard()).at(-1), "* You were banned by Root.");
  }
  const { test, root } = await withOperator({ history });
  await using _ = test;
  const again = test.enter("[::ffff:192.0.2.7]:2000");
  assertEquals(await again.heard(), ["* You are banned from this chat."]);
  const other = await test.join(undefined, "192.0.2.8:1");
  assertEquals(await other.ask("/nick \u0415v\u0435", "/nick eve"), [
    '* Cannot use the name "\u0415v\u0435": it mixes alphabets that look alike.',
    '* Cannot use the name "eve": it is banned.',
  ]);
  await root.heard();
  assertEquals(await root.ask("/ban", "/unban 192.0.2.7", "/unban Eve", "/ban"), [
    "* Banned: Eve (192.0.2.7).",
    "* 1 ban of 192.0.2.7 ended.",
    "* Eve is not banned.",
    "* Nobody is banned.",
  ]);
  assertMatch((await test.enter("192.0.2.7:3").heard())[0], /^\* Welcome/);
});

Deno.test("Chat /ban bans only the name where all addresses are one", async () => {
  const { test, root } = await withOperator();
  await using _ = test;
  const eve = await test.join("Eve", "127.0.0.1:1000");
  await root.heard();
  assertEquals((await root.ask("/ban Eve"))[0], "* Eve is banned by name. /unban Eve ends that.");
  await eve.heard();
  assertMatch((await test.enter("127.0.0.1:1001").heard())[0], /^\* Welcome/);
  assertEquals(await root.ask("/ban Root"), [
    "* guest-3 joined. 2 here.",
    "* You cannot ban yourself.",
  ]);
});

Deno.test("Bans are kept, hundreds of them, and nobody's settings can crowd them out", () => {
  const history = memoryHistory();
  const archive = new Archive(history, (error) => {
    throw error;
  });
  const bans = new Bans(archive);
  for (let i = 0; i < 600; i++) {
    const name = `${i}-`.padEnd(32, "\u{1f600}");
    assertEquals(bans.add({ name, host: "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff" }), true);
  }
  assertEquals(bans.all.length, 500);
  const again = new Bans(archive);
  assertEquals(again.all, bans.all);
  assertEquals(again.hasHost("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"), true);
  assertEquals(again.remove("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"), 500);
  history.set("bans 3", "not JSON");
  history.set("bans 4", '[{"name":1},{"name":"x","host":2},{"name":"Eve"},null]');
  const broken = new Bans(archive);
  assertEquals(broken.all, [{ name: "Eve" }]);
});

Deno.test("distinctHostOf() finds the address that tells peers apart", () => {
  const cases: [remote: string, host: string | undefined][] = [
    ["192.0.2.7:80", "192.0.2.7"],
    ["[2001:DB8::1]:80", "2001:db8::1"],
    ["[::ffff:192.0.2.7]:80", "192.0.2.7"],
    ["[::ffff:127.0.0.1]:80", undefined],
    ["127.0.0.1:80", undefined],
    ["[::1]:80", undefined],
    ["unix:/run/chat", undefined],
    ["memory:pair#1", undefined],
    ["", undefined],
  ];
  for (const [remote, host] of cases) assertEquals(distinctHostOf(remote), host, remote);
});

Deno.test("Chat lets operators announce, count, and write as fast as they like", async () => {
  const { test, root } = await withOperator();
  await using _ = test;
  const bob = await test.join("Bob");
  await bob.ask("/join elsewhere");
  await root.heard();
  assertEquals(await root.ask("/announce tea is ready"), ["* Announcement: tea is ready"]);
  assertEquals(await bob.heard(), ["* Announcement: tea is ready"]);
  const many = await root.ask(...Array.from({ length: 30 }, () => "x"));
  assertEquals(many.length, 30);
  assertMatch(
    (await root.ask("/stats"))[0],
    /^\* 2 members in 2 rooms\. 30 messages said, \d+ lines told, 0 dropped\. 0 bans\.$/,
  );
  assertEquals(await root.ask("/who"), ["* 1 here: Root (operator)."]);
});
