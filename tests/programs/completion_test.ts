/** What the client makes of a chat's lines and of Tab, without a terminal. */

import { assert, assertEquals } from "@std/assert";
import { getColorEnabled, setColorEnabled, stripAnsiCode } from "@std/fmt/colors";
import { COMMANDS, complete, OPERATOR_COMMANDS } from "../../programs/terminal/completion.ts";
import { MAX_NAMES, Names, paint, paintName, PALETTE } from "../../programs/terminal/names.ts";
import { TestChat } from "../support/chat.ts";

const WELCOME = "* Welcome, guest-1. 2026-11-20 18:12:03Z. 1 here. /help lists the commands.";

/** Someone called Ada who has heard some lines. */
function ada(...lines: string[]): Names {
  const names = new Names();
  for (const line of [WELCOME, "* guest-1 is now Ada.", ...lines]) names.hear(line);
  return names;
}

/** Runs something with colours, or without. */
function withColor<T>(enabled: boolean, fn: () => T): T {
  const before = getColorEnabled();
  setColorEnabled(enabled);
  try {
    return fn();
  } finally {
    setColorEnabled(before);
  }
}

Deno.test("complete() knows the chat's commands, and those of operators", async () => {
  await using test = new TestChat({ operatorToken: "open sesame" });
  const member = await test.join("ada");
  const listed = async () => {
    member.say("/help");
    const lines = await member.heard();
    return lines.flatMap((line) => /^\* (\/\w+)/.exec(line)?.[1] ?? []).sort();
  };
  assertEquals([...COMMANDS].sort(), await listed());
  member.say("/operator open sesame");
  await member.heard();
  assertEquals([...COMMANDS, ...OPERATOR_COMMANDS].sort(), await listed());
});

Deno.test("complete() completes commands at the start, and names elsewhere", () => {
  const names = ["ada", "Adam", "bob", "Zoë"];
  for (
    const [before, expected] of [
      ["/he", "/help "],
      ["/HE", "/help "],
      ["/n", "/nick "],
      ["/quit", "/quit "],
      ["b", "bob: "],
      ["B", "bob: "],
      ["zo", "Zoë: "],
      ["ZOË", "Zoë: "],
      ["hello b", "hello bob "],
      ["hello\tb", "hello\tbob "],
      ["/msg bo", "/msg bob "],
      ["/msg bob b", "/msg bob bob "],
      [" b", " bob "],
      ["adam", "Adam: "],
      ["a", "ada"],
      ["A", "Ada"],
      ["/ig", "/ignore "],
      ["/un", "/unignore "],
      ["/j", ["/join", "/json"]],
      ["ada", ["Adam", "ada"]],
      ["", undefined],
      ["bob ", undefined],
      ["bob: ", undefined],
      ["/x", undefined],
      ["//he", undefined],
      ["say /he", undefined],
      ["x", undefined],
      ["x".repeat(100_000), undefined],
    ] as [string, string | string[] | undefined][]
  ) {
    const found = complete(before, { commands: COMMANDS, names });
    const actual = found === undefined || found.candidates.length > 0
      ? found?.candidates
      : before.slice(0, before.length - found.length) + found.text;
    assertEquals<unknown>(actual, expected, before.slice(0, 100));
  }
});

Deno.test("complete() takes no longer for a line of long words", () => {
  const started = performance.now();
  assertEquals(complete("x".repeat(128 * 1024) + " ", { commands: [], names: ["x"] }), undefined);
  assert(performance.now() - started < 1_000);
});

Deno.test("complete() shows 100 candidates at most, and how many more there are", () => {
  const names = Array.from({ length: 260 }, (_, i) => String.fromCodePoint(0x4e00, 0x4e10 + i));
  const { candidates } = complete("\u4e00", { commands: [], names })!;
  assertEquals(candidates.length, 101);
  assertEquals(candidates[100], "and 160 more");
});

Deno.test("Names learns from the chat's lines who is there", () => {
  for (
    const [line, ...others] of [
      ["bob: hello", "bob"],
      ["[18:12] bob: hello", "bob"],
      ["[2026-11-19 18:12] bob: hello", "bob"],
      ["* bob joined. 2 here.", "bob"],
      ["* bob is back.", "bob"],
      ["* bob is away: lunch", "bob"],
      ["* bob has fallen silent.", "bob"],
      ["* bob set the topic: soup", "bob"],
      ["* bob tells you: psst", "bob"],
      ["* bob is now carol.", "carol"],
      ["* bob is now c.d.", "c.d"],
      ["* 1 here: Ada."],
      ["* 2 here: Ada, bob.", "bob"],
      [
        "* 9 here: a (operator), Ada, b (away: x, y), c.d (away: (x) y, silent), e and 4 more.",
        ..."a b c.d e".split(" "),
      ],
      ["* bob waves"],
      ["* There is no command /x. /help lists the commands."],
      ["* 2 rooms: lobby (1), kitchen (1, what is for dinner)."],
      ["two words: hello"],
      ["Ada: hello"],
      ["* Ada joined. 1 here."],
    ]
  ) assertEquals([...ada(line).others].sort(), others.toSorted(), line);
});

Deno.test("Names forgets who left or has another name", () => {
  const names = ada("bob: hello", "carol: hello", "* bob left. 2 here.", "* carol is now dora.");
  assertEquals([...names.others], ["dora"]);
});

Deno.test("Names knows one's own name, and does not take /me for another", () => {
  const names = ada();
  assertEquals(names.own, "Ada");
  names.sent("/me is now away.");
  names.hear("* Ada is now away.");
  assertEquals(names.own, "Ada");
  names.sent("/nick away");
  names.hear("* Ada is now away.");
  assertEquals(names.own, "away");
  names.hear(WELCOME);
  assertEquals(names.own, "guest-1");
});

Deno.test("Names learns nothing from a peer that is no chat", () => {
  const names = new Names();
  assertEquals(names.hear("bob: hello"), "none");
  assertEquals([...names.others], []);
});

Deno.test("Names remembers 1000 names, those heard of last", () => {
  const names = ada("bob: hello");
  for (let i = 0; i < MAX_NAMES; i++) {
    names.hear(`x${i}: hello`);
    if (i === 500) names.hear("bob: hello");
  }
  assertEquals(names.others.size, 1000);
  assert(names.others.has("bob"));
  assert(!names.others.has("x0"));
});

Deno.test("Names reads a long answer to /who in one pass", () => {
  const started = performance.now();
  for (const piece of ["a, ", "a (", "a ()", "a (), ", "aaaaaaaaaaaaaaaaaaaaaaaaa"]) {
    ada("* 9 here: " + piece.repeat(200_000 / piece.length));
  }
  assert(performance.now() - started < 2_000);
});

Deno.test("Names tells when someone says one's name as a word, or tells one in private", () => {
  for (
    const [line, call] of [
      ["bob: Ada, look", "now"],
      ["bob: hello ADA!", "now"],
      ["bob: hello @ada", "now"],
      ["bob: adamant", "none"],
      ["bob: ada-lovelace", "none"],
      ["bob: grenada", "none"],
      ["Ada: I am Ada", "none"],
      ["bob: hello", "none"],
      ["[18:12] bob: hello Ada", "earlier"],
      ["* bob tells you: psst", "now"],
      ["* Ada tells you: note", "none"],
      ["* You tell bob: I am Ada", "none"],
      ["* bob waves to Ada", "now"],
      ["* Ada waves to Ada", "none"],
      ["* bob is back.", "none"],
      ["* 2 here: Ada, bob.", "none"],
      ["* The topic: Ada", "none"],
      ["* Announcement: Ada", "none"],
    ]
  ) assertEquals(ada("* bob joined. 2 here.").hear(line), call, line);
});

Deno.test("Names takes no character of one's own name for a pattern", () => {
  const names = ada("* Ada is now a.+(.");
  assertEquals(names.own, "a.+(");
  assertEquals(names.hear("bob: abb("), "none");
  assertEquals(names.hear("bob: hi a.+( there"), "now");
});

Deno.test({
  name: "paintName() gives a name the same colour always, and others to others",
  ignore: Deno.noColor, // the library gives none then
  fn() {
    withColor(true, () => {
      assertEquals(paintName("bob"), paintName("bob"));
      const color = (name: string) => paintName(name).slice(0, paintName(name).indexOf("m"));
      assertEquals(color("BOB"), color("bob"));
      const guests = Array.from({ length: 100 }, (_, i) => color(`guest-${i}`));
      assertEquals(new Set(guests).size, PALETTE.length);
      for (let i = 2; i < 10; i++) assert(guests[i] !== guests[i - 1], `guest-${i}`);
    });
  },
});

Deno.test("paintName() uses colours that can be read on black and on white", () => {
  const levels = [0, 95, 135, 175, 215, 255];
  const linear = (level: number) => {
    const part = level / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  };
  for (const color of PALETTE) {
    const [r, g, b] = [36, 6, 1].map((unit) => linear(levels[Math.floor((color - 16) / unit) % 6]));
    const luminance = 0.2126 * r + 0.7152 * g + 0.0722 * b; // WCAG 2.2
    assert(1.05 / (luminance + 0.05) >= 3.5, `${color} on white`);
    assert((luminance + 0.05) / 0.05 >= 3.5, `${color} on black`);
  }
});

Deno.test({
  name: "paint() colours who speaks, dims the chat's own lines, marks what calls",
  ignore: Deno.noColor, // the library gives none then
  fn() {
    withColor(true, () => {
      const bob = paintName("bob");
      const names = ada("* bob joined. 2 here.");
      for (
        const [line, shown] of [
          ["bob: hello", `${bob}: hello`],
          ["bob: Ada!", `\x1b[1m${bob}: Ada!\x1b[22m`],
          ["[18:12] bob: hello", `\x1b[2m[18:12] \x1b[22m${bob}: hello`],
          ["[18:12] bob: Ada!", `\x1b[2m[18:12] \x1b[22m\x1b[1m${bob}: Ada!\x1b[22m`],
          ["* bob is back.", "\x1b[2m* bob is back.\x1b[22m"],
          ["[18:12] * bob waves", "\x1b[2m[18:12] * bob waves\x1b[22m"],
          ["* bob waves to Ada", "\x1b[1m* bob waves to Ada\x1b[22m"],
          ["* bob tells you: psst", `\x1b[1m* ${bob} \x1b[38;5;30mtells you:\x1b[39m psst\x1b[22m`],
          ["* You tell bob: yes", `* \x1b[38;5;30mYou tell\x1b[39m ${bob}: yes`],
          ["no name: here", "no name: here"],
        ]
      ) assertEquals(paint(line, names.hear(line)), shown);
    });
  },
});

Deno.test("paint() changes nothing but colours, and nothing without them", () => {
  for (const call of ["none", "earlier", "now"] as const) {
    for (
      const line of [
        "bob: hello: you",
        "* bob tells you: psst",
        "[18:12] * bob tells you: psst",
        "* You tell bob: yes",
        "[18:12] bob: hello",
        "* bob waves",
        "",
      ]
    ) {
      assertEquals(withColor(false, () => paint(line, call)), line);
      assertEquals(stripAnsiCode(withColor(true, () => paint(line, call))), line);
    }
  }
});
