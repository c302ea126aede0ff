/** What the client makes of a chat's events and of Tab, without a terminal. */

import { assert, assertEquals } from "@std/assert";
import { getColorEnabled, setColorEnabled, stripAnsiCode } from "@std/fmt/colors";
import { CHAT_COMMANDS, complete, OPERATOR_COMMANDS } from "../../programs/terminal/completion.ts";
import type { ChatEvent, SaidEvent } from "../../chat.ts";
import { rowsOf } from "../../chat/internal.ts";
import { MAX_NAMES, type Mention, Names } from "../../programs/terminal/names.ts";
import { paint, paintName, paintPlain, PALETTE, wholeLine } from "../../programs/terminal/paint.ts";
import { TestChat } from "../support/chat.ts";

const time = Date.parse("2026-11-20T18:12:03Z");
const room = "lobby";
const members = 2;

const WELCOME: ChatEvent = { type: "welcome", name: "guest-1", room, time, members: 1 };

function say(name: string, text: string, type: "say" | "me" = "say"): SaidEvent {
  return { type, id: 1, room, name, text, time };
}

function history(...messages: SaidEvent[]): ChatEvent {
  return { type: "history", room, messages, more: false };
}

function tell(from: string, to: string, text: string): ChatEvent {
  return { type: "tell", from, to, text, time };
}

function nick(from: string, to: string): ChatEvent {
  return { type: "nick", from, to, time };
}

function came(type: "join" | "leave", name: string): ChatEvent {
  return { type, room, name, members, time };
}

function notice(text: string): ChatEvent {
  return { type: "notice", code: "announcement", text };
}

function who(...names: string[]): ChatEvent {
  return { type: "who", room, members: names.map((name) => ({ name })) };
}

/** Someone called Ada who has been told some things. */
function ada(...events: ChatEvent[]): Names {
  const names = new Names();
  for (const event of [WELCOME, nick("guest-1", "Ada"), ...events]) names.hear(event);
  return names;
}

/** What is shown of an event. */
function shown(event: ChatEvent, names: Names, now = time): string[] {
  return paint(event, names.hear(event), names, now).map(wholeLine);
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
  assertEquals([...CHAT_COMMANDS].sort(), await listed());
  member.say("/operator open sesame");
  await member.heard();
  assertEquals([...CHAT_COMMANDS, ...OPERATOR_COMMANDS].sort(), await listed());
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
    const found = complete(before, { commands: CHAT_COMMANDS, names });
    const actual = found === undefined || found.candidates.length > 0
      ? found?.candidates
      : before.slice(0, before.length - found.length) + found.text;
    assertEquals<unknown>(actual, expected, before.slice(0, 100));
  }
});

Deno.test("complete() takes no longer for a line of long words", () => {
  const started = performance.now();
  assertEquals(complete("x".repeat(2 ** 20) + " ", { commands: [], names: ["x"] }), undefined);
  assert(performance.now() - started < 10_000);
});

Deno.test("complete() shows 100 candidates at most, and how many more there are", () => {
  const names = Array.from({ length: 260 }, (_, i) => String.fromCodePoint(0x4e00, 0x4e10 + i));
  const { candidates } = complete("\u4e00", { commands: [], names })!;
  assertEquals(candidates.length, 101);
  assertEquals(candidates[100], "and 160 more");
});

Deno.test("Names learns from the chat's events who is there", () => {
  const many = [
    { name: "a", operator: true },
    { name: "b", away: "x, y" },
    { name: "c.d", away: "(x) y", silent: true },
    { name: "e" },
  ] as const;
  for (
    const [event, ...others] of [
      [say("bob", "hello"), "bob"],
      [history(say("bob", "hello")), "bob"],
      [{ type: "found", room, query: "hello", messages: [say("bob", "hello")] }, "bob"],
      [came("join", "bob"), "bob"],
      [{ type: "away", name: "bob" }, "bob"],
      [{ type: "away", name: "bob", text: "lunch" }, "bob"],
      [{ type: "silent", name: "bob", silent: true }, "bob"],
      [{ type: "topic", room, name: "bob", text: "soup" }, "bob"],
      [tell("bob", "Ada", "psst"), "bob"],
      [nick("bob", "carol"), "carol"],
      [nick("bob", "c.d"), "c.d"],
      [who("Ada")],
      [who("Ada", "bob"), "bob"],
      [{ type: "who", room, members: many, more: 4 }, ..."a b c.d e".split(" ")],
      [say("bob", "waves", "me")],
      [notice("There is no command /x. /help lists the commands.")],
      [{ type: "rooms", rooms: [{ name: "kitchen", members: 1, topic: "dinner", last: 0 }] }],
      [{ type: "pong", text: "bob: hello" }],
      [say("Ada", "hello")],
      [came("join", "Ada")],
    ] as [ChatEvent, ...string[]][]
  ) assertEquals([...ada(event).others].sort(), others.toSorted(), JSON.stringify(event));
});

Deno.test("Names forgets who left or has another name", () => {
  const gone = [came("leave", "bob"), nick("carol", "dora")];
  const names = ada(say("bob", "hello"), say("carol", "hello"), ...gone);
  assertEquals([...names.others], ["dora"]);
});

Deno.test("Names knows one's own name, and does not take /me for another", () => {
  const names = ada();
  assertEquals(names.own, "Ada");
  names.hear(say("Ada", "is now away.", "me"));
  assertEquals(names.own, "Ada");
  names.hear(nick("Ada", "away"));
  assertEquals(names.own, "away");
  names.hear(WELCOME);
  assertEquals(names.own, "guest-1");
});

Deno.test("Names learns nothing before a chat has said welcome", () => {
  const names = new Names();
  assertEquals(names.hear(say("bob", "hello")), "none");
  assertEquals([...names.others], []);
});

Deno.test("Names remembers 1000 names, those heard of last", () => {
  const names = ada(say("bob", "hello"));
  for (let i = 0; i < MAX_NAMES; i++) {
    names.hear(say(`x${i}`, "hello"));
    if (i === 500) names.hear(say("bob", "hello"));
  }
  assertEquals(names.others.size, 1000);
  assert(names.others.has("bob"));
  assert(!names.others.has("x0"));
});

Deno.test("Names takes no longer for a long answer to /who", () => {
  const lists = ["a", "a (", "a ()", "a".repeat(25)].map((name) =>
    Array.from({ length: 50_000 }, (_, i) => ({ name: `${name}${i}` }))
  );
  const started = performance.now();
  for (const members of lists) ada({ type: "who", room, members });
  assert(performance.now() - started < 10_000);
});

Deno.test("Names tells when someone says one's name as a word, or tells one in private", () => {
  for (
    const [event, call] of [
      [say("bob", "Ada, look"), "now"],
      [say("bob", "hello ADA!"), "now"],
      [say("bob", "hello @ada"), "now"],
      [say("bob", "adamant"), "none"],
      [say("bob", "ada-lovelace"), "none"],
      [say("bob", "grenada"), "none"],
      [say("Ada", "I am Ada"), "none"],
      [say("bob", "hello"), "none"],
      [history(say("bob", "hello Ada")), "none"],
      [tell("bob", "Ada", "psst"), "now"],
      [tell("Ada", "Ada", "note"), "none"],
      [tell("Ada", "bob", "I am Ada"), "none"],
      [say("bob", "waves to Ada", "me"), "now"],
      [say("Ada", "waves to Ada", "me"), "none"],
      [{ type: "away", name: "bob" }, "none"],
      [who("Ada", "bob"), "none"],
      [{ type: "room", name: "Ada", topic: "Ada", members }, "none"],
      [notice("Announcement: Ada"), "none"],
    ] as [ChatEvent, Mention][]
  ) assertEquals(ada(came("join", "bob")).hear(event), call, JSON.stringify(event));
  assert(ada().isCalledIn(say("bob", "hello Ada")), "earlier");
});

Deno.test("Names takes no character of one's own name for a pattern", () => {
  const names = ada(nick("Ada", "a.+("));
  assertEquals(names.own, "a.+(");
  assertEquals(names.hear(say("bob", "abb(")), "none");
  assertEquals(names.hear(say("bob", "hi a.+( there")), "now");
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
      const names = ada(came("join", "bob"));
      for (
        const [event, ...lines] of [
          [say("bob", "hello"), `${bob}: hello`],
          [say("bob", "Ada!"), `\x1b[1m${bob}: Ada!\x1b[22m`],
          [
            history(say("bob", "hello"), say("bob", "Ada!"), say("bob", "waves", "me")),
            "\x1b[2m* The last 3 messages:\x1b[22m",
            `\x1b[2m[18:12] \x1b[22m${bob}: hello`,
            `\x1b[2m[18:12] \x1b[22m\x1b[1m${bob}: Ada!\x1b[22m`,
            "\x1b[2m[18:12] \x1b[22m\x1b[2m* bob waves\x1b[22m",
          ],
          [{ type: "away", name: "bob" }, "\x1b[2m* bob is back.\x1b[22m"],
          [say("bob", "waves to Ada", "me"), "\x1b[1m* bob waves to Ada\x1b[22m"],
          [
            tell("bob", "Ada", "psst"),
            `\x1b[1m* ${bob} \x1b[38;5;30mtells you:\x1b[39m psst\x1b[22m`,
          ],
          [tell("Ada", "bob", "yes"), `* \x1b[38;5;30mYou tell\x1b[39m ${bob}: yes`],
        ] as [ChatEvent, ...string[]][]
      ) assertEquals(shown(event, names), lines);
      assertEquals(wholeLine(paintPlain("no name: here")), "no name: here");
      assertEquals(wholeLine(paintPlain("* words")), "\x1b[2m* words\x1b[22m");
    });
  },
});

Deno.test("paint() changes nothing but colours, and nothing without them", () => {
  const names = ada();
  for (
    const event of [
      say("bob", "hello: you"),
      tell("bob", "Ada", "psst"),
      tell("Ada", "bob", "yes"),
      history(say("bob", "* bob tells you: psst"), say("bob", "Ada!")),
      history(),
      say("bob", "waves", "me"),
      say("bob", "tells you: Ada", "me"),
      notice(""),
      WELCOME,
    ]
  ) {
    const lines = rowsOf(event, names.own, time).map(({ stamp, text }) => stamp + text);
    for (const call of ["none", "now"] as const) {
      const painted = () => paint(event, call, names, time).map(wholeLine);
      assertEquals(withColor(false, painted), lines);
      assertEquals(withColor(true, painted).map(stripAnsiCode), lines);
    }
  }
});
