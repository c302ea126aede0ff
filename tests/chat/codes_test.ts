/** The codes of notices: what programs go by, whatever the words are. */

import { assert, assertEquals } from "@std/assert";
import { Chat, type ChatOptions, type NoticeCode, type NoticeEvent } from "../../chat.ts";
import { memoryHistory } from "../../chat/history/memory.ts";
import { connect, listen, text } from "../../mod.ts";
import { type Person, TestChat } from "../support/chat.ts";

const seen = new Set<NoticeCode>();
const TOKEN = "open sesame";

class Program {
  constructor(readonly person: Person) {}

  /** Writes lines, and tells which notices came. */
  async ask(...lines: string[]): Promise<NoticeEvent[]> {
    this.person.say(...lines);
    const events = await this.person.events();
    const notices = events.filter((event): event is NoticeEvent => event.type === "notice");
    for (const { code } of notices) seen.add(code);
    return notices;
  }

  /** The same, their codes. */
  async codes(...lines: string[]): Promise<string[]> {
    return (await this.ask(...lines)).map(({ code }) => code);
  }
}

async function enter(test: TestChat, name: string, remote?: string): Promise<Program> {
  const program = new Program(await test.join(name, remote));
  await program.person.ask("/json");
  return program;
}

function open(options: ChatOptions = {}): TestChat {
  return new TestChat({ operatorToken: TOKEN, flood: { burst: 1000 }, ...options });
}

Deno.test("Chat's notices say by a code what a command came to", async () => {
  await using test = open({ maxRooms: 2 });
  const ada = await enter(test, "Ada");
  const bob = await enter(test, "Bob");
  for (
    const [line, ...codes] of [
      ["/nope", "no-such-command"],
      ["/msg", "usage"],
      ["/help nick", "help"],
      ["/help nope", "no-such-command"],
      ["/nick Bob", "name-taken"],
      ["/nick a:b", "name-invalid"],
      ["/claim", "key"],
      ["/claim Bob", "usage"],
      ["/claim Bob no-key-of-his", "name-taken"],
      ["/msg nobody x", "no-such-member"],
      ["/join a:b", "room-invalid"],
      ["/join lobby", "room-already"],
      ["/join one"],
      ["/join two", "rooms-full"],
      ["/once one hello"],
      ["/once one hello again", "said-already"],
      ["/once", "usage"],
      ["/topic", "topic"],
      [`/topic ${"x".repeat(201)}`, "topic-too-long"],
      [`/search ${"x".repeat(257)}`, "query-too-long"],
      ["/away", "not-away"],
      [`/away ${"x".repeat(201)}`, "away-too-long"],
      ["/ignore Ada", "not-yourself"],
      ["/ignore", "ignore-list"],
      ["/ignore Bob", "ignoring"],
      [`/ignore ${"x".repeat(65)}`, "no-such-member"],
      ["/unignore Bob", "hearing-again"],
      ["/unignore Bob", "not-ignored"],
      ["x".repeat(5000), "line-too-long"],
      ["/operator x", "operator-wrong-token"],
    ]
  ) assertEquals(await ada.codes(line), codes, line.slice(0, 100));
  await bob.codes("/ignore Ada");
  assertEquals(await ada.codes("/msg Bob x"), ["not-heard"]);
  for (let i = 0; i < 100; i++) await ada.codes(`/ignore x${i}`);
  assertEquals(await ada.codes("/ignore y"), ["ignored-too-many"]);
  assertEquals(await ada.codes("/quit"), ["bye"]);
});

Deno.test("Chat's notices have the names that they are about in fields of their own", async () => {
  await using test = open();
  const ada = await enter(test, "Ada");
  await enter(test, "Bob");
  assertEquals(await ada.ask("/nick Bob"), [{
    type: "notice",
    code: "name-taken",
    text: 'Cannot use the name "Bob": Bob is here.',
    error: true,
    name: "Bob",
  }]);
  await ada.ask("/ignore Bob");
  const [list] = await ada.ask("/ignore");
  assertEquals([list.names, list.error], [["Bob"], undefined]);
  await ada.ask(`/operator ${TOKEN}`);
  const [kicked] = await ada.ask("/kick Bob too loud");
  assertEquals(kicked, {
    type: "notice",
    code: "member-kicked",
    text: "Bob was kicked by Ada: too loud",
    name: "Bob",
    by: "Ada",
    reason: "too loud",
  });
});

Deno.test("Chat's notices say by a code what operators do", async () => {
  await using test = open();
  const root = await enter(test, "Root");
  const [eve, mallory] = [await enter(test, "Eve"), await enter(test, "Mallory")];
  for (
    const [line, ...codes] of [
      [`/operator ${TOKEN}`, "operator"],
      ["/kick nobody", "no-such-member"],
      ["/ban", "ban-list"],
      ["/ban Root", "not-yourself"],
      ["/kick Eve loud", "member-kicked"],
      ["/ban Mallory", "ban-added", "member-banned"],
      ["/nick Mallory", "name-banned"],
      ["/unban Mallory", "ban-ended"],
      ["/unban Mallory", "not-banned"],
      ["/announce tea", "announcement"],
      ["/stats", "stats"],
    ]
  ) assertEquals(await root.codes(line), codes, line);
  assertEquals(await eve.codes(), ["kicked"]);
  assertEquals((await mallory.codes()).at(-1), "banned");
  test.chat.close();
  assertEquals(await root.codes(), ["closing"]);
});

Deno.test("Chat's notices say by a code that somebody writes too much, or guesses", async () => {
  await using test = open({ flood: { burst: 2 } });
  const ada = await enter(test, "Ada");
  const codes = await ada.codes(...Array.from({ length: 20 }, (_, i) => `${i}`));
  assertEquals(codes[0], "slow-down");
  assertEquals(codes.slice(1, -1), Array(9).fill("line-dropped"));
  assertEquals(codes.at(-1), "disconnected-flood");
  await using lost = open();
  const ghost = await enter(lost, "Ann");
  const [{ key, name }] = await ghost.ask("/claim");
  assertEquals(name, "Ann");
  await (await enter(lost, "Again")).ask(`/claim Ann ${key}`);
  assertEquals((await ghost.codes()).at(-1), "taken-over");
  await using guessed = open();
  for (let i = 0; i < 4; i++) {
    const eve = await enter(guessed, `Eve${i}`);
    const guesses = await eve.codes("/operator 1", "/operator 2", "/operator 3");
    assertEquals(guesses.at(-1), i < 3 ? "disconnected-token" : "operator-too-many-tokens");
  }
  await using without = open({ operatorToken: undefined });
  assertEquals(await (await enter(without, "Ada")).codes("/operator x"), ["operator-none"]);
});

Deno.test("Chat's notices say by a code what cannot be kept, what is full, and how big a crowd is", async () => {
  const history = memoryHistory();
  let fails = false;
  const failing = new Proxy(history, {
    get(target, key) {
      const value = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        if (fails) throw new Error("the disk is full");
        return value.apply(target, args);
      };
    },
  });
  await using test = open({ history: failing, maxMembersPerRoom: 3, onError() {} });
  const ada = await enter(test, "Ada");
  await ada.codes(`/operator ${TOKEN}`);
  const others = [await enter(test, "b"), await enter(test, "c")];
  await ada.codes("/join den");
  await enter(test, "d");
  assertEquals(await ada.codes("/leave"), ["room-full"]);
  await others[0].codes("/join den");
  fails = true;
  assertEquals(await ada.codes("hello"), ["not-said"]);
  assertEquals(await ada.codes("/history"), ["history-failed"]);
  assertEquals(await ada.codes("/topic x"), ["topic-not-kept"]);
  assertEquals(await ada.codes("/ban x"), ["ban-added", "ban-not-kept"]);

  await using crowd = open();
  const page = await enter(crowd, "Page");
  const many = Array.from({ length: 300 }, () => crowd.enter());
  await many.at(-1)!.heard();
  crowd.pass(1000);
  assertEquals((await page.codes()).at(-1), "crowd");
});

Deno.test("Chat tells whom it does not let in by a line, and by the code of the WebSocket's close", async () => {
  for (
    const [maxMembersPerRoom, code, reason] of [
      [1, 1013, "The chat is full, try again later."],
      [2, 1001, "The chat is closed."],
    ] as const
  ) {
    using chat = new Chat({ maxMembersPerRoom });
    await using server = await listen("ws://127.0.0.1:0", { format: text() }, (connection) => {
      return chat.serve(connection);
    });
    await using first = await connect(server.endpoints[0], { format: text() });
    await first.receive();
    if (code === 1001) chat.close();
    await using second = await connect(server.endpoints[0], { format: text() });
    assertEquals(await second.receiveAll(), [`* ${reason}`]);
    const info = await second.close();
    assertEquals([info.code, info.reason], [code, reason]);
  }
});

Deno.test("Chat closes with code 3003 on whom it has banned", async () => {
  await using test = open();
  const root = await enter(test, "Root");
  await root.ask(`/operator ${TOKEN}`);
  const eve = await enter(test, "Eve", "192.0.2.7:1");
  await root.ask("/ban Eve");
  await eve.ask();
  const again = test.enter("192.0.2.7:2");
  assertEquals(await again.heard(), ["* You are banned from this chat."]);
  const { code, reason } = await again.near.closed;
  assertEquals([code, reason], [3003, "You are banned from this chat."]);
});

Deno.test("docs/chat.md lists all codes of notices, and none that there is not", async () => {
  const docs = await Deno.readTextFile(new URL("../../docs/chat.md", import.meta.url));
  const [, table] = docs.split("### Codes of notices");
  const listed = [...table.split("\n## ")[0].matchAll(/^\| `([a-z-]+)`/gm)].map(([, code]) => code);
  const source = await Deno.readTextFile(
    new URL("../../chat/engine/notices.ts", import.meta.url),
  );
  const codes = [...source.matchAll(/^ {2}\| "([a-z-]+)"/gm)].map(([, code]) => code);
  assertEquals(listed.toSorted(), codes.toSorted());
  assert(codes.length > 40);
  // The tests above have seen each of them, but for those that only a chat of many servers has.
  const unseen = codes.filter((code) => !seen.has(code as NoticeCode));
  assertEquals(unseen.toSorted(), ["apart", "name-lost", "together"]);
});
