/** What members and rooms may be called, and which names are one. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { memoryHistory } from "../../chat.ts";
import { keysOf, memberNameProblem, NameIndex, roomNameProblem } from "../../chat/names/names.ts";
import { TestChat } from "../support/chat.ts";

/** Names that a reader takes for one another. */
const TWINS: readonly [name: string, other: string][] = [
  ["Ada", "aDA"],
  ["Zo\u00eb", "Zoe\u0308"],
  ["Ada", "\uff21\uff44\uff41"], // full width
  ["Ada", "\u{1d400}\u{1d41d}\u{1d41a}"], // mathematical
  ["ace", "\u0430\u0441\u0435"], // Cyrillic
  ["BEX", "\u0412\u0415\u0425"], // Cyrillic capitals
  ["NON", "\u039d\u039f\u039d"], // Greek capitals
  ["KAH", "\u039a\u0391\u0397"],
  ["TOY", "\u03a4\u039f\u03a5"],
  ["\u03bd\u03af\u03ba\u03bf\u03c2", "\u039d\u03af\u03ba\u03bf\u03a3"], // Greek, by case alone
  ["huqo", "\u0570\u057d\u0563\u0585"], // Armenian
  ["Bill", "BiII"],
  ["Bill", "B1ll"],
  ["Bob", "B0b"],
  ["modern", "modem"],
  ["wow", "vvovv"],
  ["don't", "don\u2019t"],
  ["a-b", "a\u2013b"],
  ["\u2764", "\u2764\ufe0f"],
  ["ipek", "\u0130pek"],
];

Deno.test("Names that look alike share a key; others do not", () => {
  for (const [name, other] of TWINS) {
    const keys = keysOf(name);
    assertEquals(keysOf(other).some((key) => keys.includes(key)), true, `${name} ${other}`);
  }
  const others = [
    "Ada",
    "Adam",
    "Eve",
    "Bob",
    "Bop",
    "Zo\u00eb",
    "Zoe",
    "\u65e5\u672c",
    "__proto__",
  ];
  const all = others.flatMap(keysOf);
  assertEquals(new Set(all).size, all.length);
});

Deno.test("Names that are hostile are refused, and say why", () => {
  const cases: readonly [name: string, problem: RegExp][] = [
    ["", /empty/],
    ["x".repeat(33), /longer than 32/],
    ["\u{1f600}".repeat(33), /longer than 32/],
    ["x".repeat(1_000_000), /longer than 32/],
    ["two words", /space/],
    ["two\u00a0words", /space/],
    ["two\u3000words", /space/],
    ["tab\tbed", /space/],
    ["line\nfeed", /space/],
    ["nul\0", /invisible/],
    ["\x1b[31mred", /invisible/],
    ["c1\u009b", /invisible/],
    ["rtl\u202eada", /invisible/],
    ["iso\u2066late", /invisible/],
    ["mark\u200e", /invisible/],
    ["alm\u061c", /invisible/],
    ["zero\u200bwidth", /invisible/],
    ["non\u200cjoiner", /invisible/],
    ["joi\u200dner", /invisible/],
    ["bom\ufeff", /invisible/],
    ["soft\u00adhyphen", /invisible/],
    ["hangul\u3164", /invisible/],
    ["half\uffa0", /invisible/],
    ["braille\u2800", /invisible/],
    ["tag\u{e0041}", /invisible/],
    ["selector\ufe01", /invisible/],
    ["private\ue000", /invisible/],
    ["lone\ud800", /invisible/],
    ["unassigned\u0378", /invisible/],
    ["back\\slash", /backslash/],
    ["...", /no letter/],
    ["z\u0335\u0336\u0337\u0338algo", /marks/],
    ["\u0301a", /marks/],
    ["Ada:", /punctuation/],
    ["Ada\ua789", /punctuation/],
    ["Ada\uff1a", /punctuation/],
    ["*Ada", /punctuation/],
    ["\u2217Ada", /punctuation/],
    ["a,b", /punctuation/],
    ["/quit", /punctuation/],
    ["\u0430da", /mixes alphabets/],
    ["Ad\u03b1", /mixes alphabets/],
    ["a\u05e1", /mixes alphabets/],
  ];
  for (const [name, problem] of cases) {
    assertMatch(memberNameProblem(name) ?? "none", problem, JSON.stringify(name).slice(0, 50));
    assertMatch(roomNameProblem(name) ?? "none", problem, JSON.stringify(name).slice(0, 50));
  }
});

Deno.test("Names of newcomers and of the chat itself cannot be taken by members", () => {
  for (
    const name of ["guest-1", "GUEST-99", "\uff47uest-1", "guest-l", "guest\u20131", "guest-O"]
  ) {
    assertEquals(memberNameProblem(name), "such names are given to newcomers", name);
  }
  for (const name of ["You", "yOu", "Server", "0perator", "admin"]) {
    assertEquals(memberNameProblem(name), "it is reserved", name);
  }
  assertEquals(roomNameProblem("admin"), undefined);
});

Deno.test("Names of all the world are allowed", () => {
  const names = [
    "Ada",
    "Zo\u00eb",
    "Bj\u00f6rn-Ole",
    "O'Brien",
    "\u0410\u043d\u043d\u0430",
    "\u039d\u03af\u03ba\u03bf\u03c2",
    "\u65e5\u672c\u8a9e",
    "\u30ab\u30cada",
    "\ud64d\uae38\ub3d9",
    "\u092a\u0940\u091f\u0930",
    "\u0e01\u0e34\u0e4c\u0e15",
    "\u05d3\u05d5\u05d3",
    "\u0645\u0631\u064a\u0645",
    "\u2764\ufe0f",
    "\u{1f469}",
    "x_y.z",
    "__proto__",
    "42",
    "guest",
    "guest-one",
    "x".repeat(32),
    "\u{1f600}".repeat(32),
  ];
  for (const name of names) assertEquals(memberNameProblem(name), undefined, name);
});

Deno.test("NameIndex gives back only the keys of the one that it removes", () => {
  const index = new NameIndex<number>();
  const [greek, latin] = ["\u039d\u039f\u039d", "vov"]; // one key of the Greek one is the Latin one's
  index.add(latin, 1);
  assertEquals(index.find(greek), 1);
  assertEquals(index.find(greek, 1), undefined);
  index.remove(greek, 2);
  assertEquals(index.find(latin), 1);
  index.remove(latin, 1);
  assertEquals(index.find(latin), undefined);
});

Deno.test("Chat refuses a name that looks like that of someone in another room", async () => {
  await using test = new TestChat();
  const ace = await test.join("ace");
  await ace.ask("/join elsewhere");
  const eve = await test.join();
  assertEquals(await eve.ask("/nick \u0430\u0441\u0435"), [
    '* Cannot use the name "\u0430\u0441\u0435": ace is here.',
  ]);
  await ace.ask("/nick other");
  assertEquals(await eve.ask("/nick \u0430\u0441\u0435"), ["* guest-2 is now \u0430\u0441\u0435."]);
  // Both spellings are one name, so that its holder can go from one to the other.
  assertEquals(await eve.ask("/nick ACE"), ["* \u0430\u0441\u0435 is now ACE."]);
});

Deno.test("Chat gives back a guest's name to nobody, and members' names at once", async () => {
  await using test = new TestChat();
  const one = await test.join("Ada");
  await one.ask("/quit");
  await one.served;
  const two = await test.join("Ada");
  assertEquals(test.chat.names, ["Ada"]);
  await two.ask("/nick Eve");
  assertEquals((await test.enter().heard())[0].startsWith("* Welcome, guest-3. "), true);
});

Deno.test("Chat goes on counting its guests where the history's last chat ended, in order or not", async () => {
  const history = memoryHistory();
  const welcomed = async (test: TestChat) => {
    const guest = test.enter();
    const [welcome] = await guest.heard();
    return { guest, name: /guest-\d+/.exec(welcome)![0] };
  };
  {
    await using test = new TestChat({ history });
    assertEquals((await welcomed(test)).name, "guest-1");
    const { guest } = await welcomed(test);
    await guest.ask("mine");
    await welcomed(test);
    // It has not ended: what it kept by now is what a killed one leaves.
    await using killed = new TestChat({ history });
    const { guest: newcomer, name } = await welcomed(killed);
    assertEquals(name, "guest-3");
    assertStringIncludes((await newcomer.ask("/history")).join("\n"), "guest-2: mine");
  }
  await using test = new TestChat({ history });
  assertEquals((await welcomed(test)).name, "guest-4");
});

for (const kept of ["-1", "x", "1e300", ""]) {
  Deno.test(`Chat counts from 1 when the history's last guest is ${JSON.stringify(kept)}`, async () => {
    const history = memoryHistory();
    history.set("guests", kept);
    await using test = new TestChat({ history });
    await test.join();
    assertEquals(test.chat.names, ["guest-1"]);
  });
}

Deno.test("Chat finds members, rooms and bans by names in any normal form", async () => {
  await using test = new TestChat({ operatorToken: "open sesame" });
  const [typed, onMac] = ["Zo\u00eb", "Zoe\u0308"];
  const ada = await test.join("Ada");
  await ada.ask("/operator open sesame");
  const zoe = await test.join(onMac);
  await ada.heard();
  for (const name of [typed, onMac]) {
    assertEquals(await ada.ask(`/msg ${name} hi`), [`* You tell ${typed}: hi`]);
    assertEquals((await ada.ask(`/join ${name}`))[0], `* You are in ${typed}. 1 here.`);
    await ada.ask("/leave");
    await ada.ask(`/ignore ${name}`);
    assertEquals(await ada.ask(`/unignore ${name === typed ? onMac : typed}`), [
      `* You hear ${name === typed ? onMac : typed} again.`,
    ]);
  }
  await ada.ask(`/ban ${typed}`);
  await zoe.heard();
  const eve = await test.join("Eve");
  assertEquals(await eve.ask(`/nick ${onMac}`), [
    `* Cannot use the name "${onMac}": it is banned.`,
  ]);
  await ada.heard();
  assertEquals(await ada.ask(`/unban ${onMac}`), [`* 1 ban of ${onMac} ended.`]);
  assertEquals(await eve.ask(`/nick ${onMac}`), [`* Eve is now ${typed}.`]);
});

Deno.test("Chat gives a name to who has the key of its holder, and to nobody else", async () => {
  await using test = new TestChat();
  const ghost = await test.join("Ann");
  const bob = await test.join("Bob");
  await ghost.heard();
  const again = await test.join();
  await bob.heard();
  // Nobody has asked for the key yet.
  assertEquals(await again.ask("/claim Ann undefined"), [
    '* Cannot use the name "Ann": Ann is here.',
  ]);
  const line = (await ghost.ask("/claim")).at(-1)!;
  const [, key] = /^\* Your key is (\S+)\. /.exec(line)!;
  assertEquals(await ghost.ask("/claim"), [line]);
  for (const wrong of ["x", key.slice(1), `${key} ${key}`, key.toUpperCase().replace(/\d/g, "0")]) {
    assertEquals(await again.ask(`/claim Ann ${wrong}`), [
      '* Cannot use the name "Ann": Ann is here.',
    ]);
    test.pass(10_000);
  }
  assertEquals(await again.ask(`/claim Bob ${key}`), ['* Cannot use the name "Bob": Bob is here.']);
  assertEquals(await again.ask(`/claim ANN ${key}`), [
    "* Ann left. 2 here.",
    "* guest-3 is now ANN.",
  ]);
  assertEquals(
    (await ghost.heard()).at(-1),
    "* Ann was taken over by another connection, with its key.",
  );
  assertEquals((await bob.heard()).slice(-2), ["* Ann left. 2 here.", "* guest-3 is now ANN."]);
  // The key has ended with its connection.
  test.pass(10_000);
  assertEquals(await bob.ask(`/claim Ann ${key}`), ['* Cannot use the name "Ann": ANN is here.']);
  assertEquals(await bob.ask("/claim Free anything"), ["* Bob is now Free."]);
  assertEquals(await again.ask(`/claim ann ${key}`), ["* Bob is now Free.", "* ANN is now ann."]);
});
