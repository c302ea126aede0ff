/** What the client shows at a terminal, held against what the chat says to people. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { getColorEnabled, setColorEnabled } from "@std/fmt/colors";
import type { ChatEvent } from "../../chat.ts";
import { parseEvent } from "../../chat/internal.ts";
import { Dialogue } from "../../programs/client/dialogue.ts";
import { Names } from "../../programs/terminal/names.ts";
import { paintName, wholeLine } from "../../programs/terminal/paint.ts";
import { type Person, TestChat } from "../support/chat.ts";

/** A dialogue, and what it has sent and shown. */
class Rig {
  readonly sent: string[] = [];
  readonly shown: string[] = [];
  readonly events: ChatEvent[] = [];
  readonly names = new Names();
  readonly dialogue: Dialogue;

  constructor({ mayAsk = true, send = (_line: string) => {} } = {}) {
    this.dialogue = new Dialogue({
      names: this.names,
      mayAsk,
      send: (line) => {
        this.sent.push(line);
        send(line);
      },
      show: (lines) => this.shown.push(...lines.map(wholeLine)),
      take: (event) => {
        this.events.push(event);
        return false;
      },
    });
  }

  hear(...messages: string[]): this {
    for (const message of messages) this.dialogue.hear(message, false);
    return this;
  }
}

function withColor<T>(enabled: boolean, fn: () => T): T {
  const before = getColorEnabled();
  setColorEnabled(enabled);
  try {
    return fn();
  } finally {
    setColorEnabled(before);
  }
}

/** What the one who watches does and sees; the others act in between. */
const STORY: readonly (readonly [who: string, ...lines: string[]])[] = [
  ["bob", "hello", "/me waves", "one more"],
  ["eye"],
  ["eye", "/nick Eye", "hi", "/me looks", "//slash"],
  ["bob", "Eye: hi", "/away lunch", "/away", "/topic soup"],
  ["eye", "/who", "/rooms", "/WHO", "/history", "/history 2", "/history 2 before 3", "/topic"],
  ["eye", "/search hello", "/search nothing", "/ping", "/ping x", '/ping {"a":1}'],
  ["eye", "/msg bob psst", "/msg Eye note", "/msg nobody x", "/nope", "/nick bob", "/help"],
  ["bob", "/msg Eye yes", "/nick Bill", "/me tells you: Eye", "/me is now Eye.", "/join den"],
  ["eye", "/history before 1", "/join empty", "/leave", "/join den", "/topic -", "/rooms x"],
  ["bob", "in here", '{"type":"say","name":"eve","text":"x"}', "\x1b[2J"],
  ["eye", "/ignore Bill", "/ignore", "/unignore Bill", "/operator x", "/operator open sesame"],
  ["time"],
  ["eye", "/stats", "/announce tea", "/ban", "/kick Bill out", "/rooms", "/who"],
  ["time"],
  ["eye", "/join lobby", "/history 1 before 1", "/quit"],
];

/** Plays the story; `watch` makes the eye, which tells what it has shown. */
async function play(
  watch: (test: TestChat) => Promise<{ act(...lines: string[]): Promise<string[]> }>,
): Promise<string[][]> {
  await using test = new TestChat({ flood: { burst: 10_000 }, operatorToken: "open sesame" });
  const bob = await test.join("bob");
  let eye: { act(...lines: string[]): Promise<string[]> } | undefined;
  const seen: string[][] = [];
  for (const [who, ...lines] of STORY) {
    if (who === "bob") await bob.ask(...lines);
    else if (who === "time") test.pass(600_000);
    else if (eye === undefined) eye = await watch(test);
    if (eye === undefined) continue;
    seen.push(await eye.act(...(who === "eye" ? lines : [])));
  }
  return seen;
}

Deno.test("Dialogue shows of a chat's events what the chat says to people, line by line", async () => {
  const plain = await play((test) => {
    const person = test.enter();
    return Promise.resolve({ act: (...lines) => person.ask(...lines) });
  });
  const [now, wasColored] = [Date.now, getColorEnabled()];
  setColorEnabled(false);
  Date.now = () => Date.parse("2026-11-20T18:12:03.456Z"); // as the chat's clock begins
  try {
    const events = await play(watchByDialogue);
    assertEquals(events.map(withoutCount), plain.map(withoutCount));
    assert(plain.flat().length > 80);
  } finally {
    Date.now = now;
    setColorEnabled(wasColored);
  }
});

/** Without how many lines there were, which are more in events. */
function withoutCount(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/\d+ lines told/, "lines told"));
}

async function watchByDialogue(test: TestChat) {
  const person: Person = test.enter();
  const rig = new Rig({ send: (line) => person.say(line) });
  const take = async () => {
    // What it hears makes it write, and what it writes is answered.
    for (let heard: string[]; (heard = await person.heard()).length > 0;) rig.hear(...heard);
  };
  await take();
  return {
    async act(...lines: string[]) {
      for (const line of lines) {
        person.say(...rig.dialogue.lines(line));
      }
      await take();
      return rig.shown.splice(0);
    },
  };
}

const WELCOME = "* Welcome, guest-1. 2026-11-20 18:12:03Z. 1 here. /help lists the commands.";
const TIME = Date.parse("2026-11-20T18:12:03Z");
const EVENT = JSON.stringify({
  type: "welcome",
  name: "guest-1",
  room: "lobby",
  time: TIME,
  members: 1,
});
const OPENING = [
  EVENT,
  '{"type":"who","room":"lobby","members":[{"name":"guest-1"}]}',
  '{"type":"rooms","rooms":[{"name":"lobby","members":1,"topic":"","last":1}]}',
];

function said(text: string, type = "say") {
  return { type, id: 1, room: "lobby", name: "bob", text, time: TIME };
}

function history(...messages: unknown[]): string {
  return JSON.stringify({ type: "history", room: "lobby", messages, more: false });
}

Deno.test("Dialogue asks for JSON whoever begins as a chat does, and nobody else", () => {
  for (
    const [first, ...sent] of [
      [WELCOME, "/json"],
      ["* any words", "/json"],
      ["hello"],
      ["*bold*"],
      ["220 smtp ready"],
      ["{}"],
      [""],
    ]
  ) {
    const rig = new Rig().hear(first, "* more", "words");
    assertEquals(rig.sent, sent, first);
    rig.dialogue.end();
    assertEquals(rig.shown.length, 3);
  }
});

Deno.test("Dialogue promises a chat that speaks JSON to answer its pings, and answers them", () => {
  const rig = new Rig().hear(WELCOME, '{"type":"ping"}');
  assertEquals(rig.sent, ["/json"]);
  rig.hear(...OPENING, history());
  assertEquals(rig.sent, ["/json", "/pong"]);
  const { length } = rig.shown;
  rig.hear('{"type":"ping"}', '{"type":"ping","later":1}');
  assertEquals(rig.sent, ["/json", "/pong", "/pong", "/pong"]);
  rig.dialogue.lines("/json");
  assertEquals(rig.hear('{"type":"ping"}').sent.length, 4);
  assertEquals(rig.shown.slice(length), ['{"type":"ping"}']);
});

Deno.test("Dialogue hides from its user that an older chat knows no pings, once", () => {
  const rig = new Rig().hear(WELCOME, ...OPENING, history());
  const { length } = rig.shown;
  const notice = { type: "notice", code: "no-such-command", text: "There is no command /pong." };
  const about = (command: string) => JSON.stringify({ ...notice, command, error: true });
  rig.hear(about("claim"), about("pong"), about("pong"), JSON.stringify(said("hi")));
  assertEquals(rig.shown.length, length + 3);
});

Deno.test("Dialogue asks neither an echo of what was typed, nor a refusal, nor where events have no room", () => {
  const echo = new Rig();
  echo.dialogue.lines("* hi");
  assertEquals(echo.hear("* hi").sent, []);
  const refused = new Rig();
  refused.dialogue.hear("* The chat is closed.", true);
  assertEquals(refused.sent, []);
  assertEquals(new Rig({ mayAsk: false }).hear(WELCOME).sent, []);
});

Deno.test("Dialogue shows at once what greets, and the rest as it came when no events come", () => {
  withColor(false, () => {
    const rig = new Rig().hear("* OK IMAP4rev1 ready", "/json BAD", "\x1b[2J");
    assertEquals(rig.shown, ["* OK IMAP4rev1 ready"]);
    rig.dialogue.end();
    assertEquals(rig.shown.slice(1), ["/json BAD", "\\x1b[2J"]);
    assertEquals(rig.names.own, undefined);
  });
});

Deno.test("Dialogue holds lines for a second at most, and takes events that come late", () => {
  let [pass, wait] = [() => {}, 0];
  const { setTimeout } = globalThis;
  Object.assign(globalThis, {
    setTimeout: (callback: () => void, ms: number) => ([pass, wait] = [callback, ms], 0),
  });
  try {
    const rig = new Rig().hear(WELCOME, "bob: hi");
    assertEquals([rig.shown.length, wait], [1, 1000]);
    pass();
    assertEquals(rig.shown.length, 2);
    rig.hear("bob: ho");
    assertEquals(rig.shown.length, 3);
    rig.hear(...OPENING, history(), JSON.stringify(said("hey")));
    assertEquals([rig.shown.length, rig.names.own], [4, "guest-1"]);
  } finally {
    Object.assign(globalThis, { setTimeout });
  }
});

Deno.test({
  name: "Dialogue gives their colours to lines that came before the events",
  ignore: Deno.noColor, // the library gives none then
  fn() {
    withColor(true, () => {
      const rig = new Rig().hear(
        WELCOME,
        "* The last message:",
        "[18:12] bob: hi guest-1",
        "bob: now",
        "eve: not in the history",
        ...OPENING,
      );
      assertEquals(rig.shown.length, 1);
      rig.hear(history(said("hi guest-1"), said("now")));
      const bob = paintName("bob");
      assertEquals(rig.shown.slice(1), [
        "\x1b[2m* The last message:\x1b[22m",
        `\x1b[2m[18:12] \x1b[22m\x1b[1m${bob}: hi guest-1\x1b[22m`,
        `${bob}: now`,
        "eve: not in the history",
      ]);
    });
  },
});

Deno.test("Dialogue shows raw JSON to whoever asks for it", () => {
  const rig = new Rig().hear(WELCOME, ...OPENING, history());
  rig.dialogue.lines("/json");
  rig.hear(EVENT);
  assertEquals(rig.shown.at(-1), EVENT);
});

Deno.test("Dialogue takes lists that nobody asked for in silence, also around a question that failed", () => {
  const rig = new Rig().hear(WELCOME, ...OPENING, history());
  const rooms = OPENING[2];
  const { length } = rig.shown;
  const pong = (line: string) => `{"type":"pong","text":"${line.replace("/ping ", "")}"}`;
  rig.hear(rooms);
  const [begin, question, end] = rig.dialogue.lines("/rooms");
  assertEquals(question, "/rooms");
  rig.hear(rooms);
  assertEquals(rig.shown.length, length);
  const dropped = '{"type":"notice","code":"line-dropped","text":"Your line was dropped."}';
  rig.hear(pong(begin), dropped, pong(end), rooms);
  assertEquals(rig.shown.length, length + 1);
  assertMatch(rig.shown.at(-1)!, /Your line was dropped/);
  const [first, , second] = rig.dialogue.lines("/rooms");
  rig.hear(rooms, pong(first), rooms, pong(second), rooms);
  assertEquals(rig.shown.length, length + 2);
});

Deno.test("Dialogue ignores events that it does not know, and survives those that are wrong", () => {
  const rig = new Rig().hear(WELCOME, ...OPENING, history());
  const { length } = rig.shown;
  rig.hear(
    '{"type":"new"}',
    '{"type":"say"}',
    '{"type":"who","members":[null]}',
    '{"type":"history","room":"x","messages":[{}],"more":true}',
    '{"type":"welcome","name":"x","room":"x","members":1,"time":1e300}',
    '{"type":"__proto__"}',
    '{"type":"notice","code":"later","text":"words"}',
    "{",
  );
  assertEquals(rig.shown.slice(length).length, 1);
});

Deno.test("parseEvent() shows what a terminal would obey", () => {
  const event = parseEvent(JSON.stringify(said("\x1b[2J\u202e")));
  assertEquals(event, { ...said("\\x1b[2J\\u202e") } as ChatEvent);
});
