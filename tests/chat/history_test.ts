/** What a chat remembers: the same over memory and file, and what the file promises beyond that. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { TextLineStream } from "@std/streams/text-line-stream";
import { DatabaseSync } from "node:sqlite";
import { migrate, MIGRATIONS } from "../../chat/history/file.ts";
import { HistoryError } from "../../errors.ts";
import type { History } from "../../chat/history/history.ts";
import { memoryHistory } from "../../chat/history/memory.ts";
import {
  backUpHistory,
  sqliteHistory,
  type SqliteHistoryOptions,
} from "../../chat/history/sqlite.ts";

const ROOT = new URL("../../", import.meta.url);
const TIME = Date.UTC(2026, 10, 20, 18, 12);

/** Strings that end, escape or break things elsewhere. */
const HOSTILE = [
  "__proto__",
  "constructor",
  "",
  "a\0b",
  "a",
  "a\0c",
  "'; DROP TABLE messages; --",
  `"quoted" OR 1`,
  "%_*?",
  "👩‍🚀",
  "\ud800",
  "\udc00x",
  "\ufffd",
  "\x1a0000",
  "\x1a",
  "x".repeat(2000),
];

interface Limits {
  maxMessages?: number;
  maxRooms?: number;
  maxBytes?: number;
}

/** A folder that is gone with its scope. */
function folder(): { file: string } & Disposable {
  const path = Deno.makeTempDirSync();
  return {
    file: `${path}/chat.db`,
    [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }),
  };
}

/** A history that is closed with its scope. */
function scoped(history: History): History & Disposable {
  return Object.assign(history, { [Symbol.dispose]: () => history.close() });
}

function say(history: History, text: string, room = "lobby", time = TIME): number {
  return history.add({ room, kind: "say", name: "Ada", text, time }).id;
}

/** The texts of a room's last messages. */
function textsOf(history: History, room = "lobby", count = 1000): string[] {
  return history.last(room, count).map(({ text }) => text);
}

const kinds: [name: string, open: (limits: Limits, file: string) => History][] = [
  ["memoryHistory()", (limits) => memoryHistory(limits)],
  ["sqliteHistory()", (limits, file) => sqliteHistory(file, { now: () => TIME, ...limits })],
];

for (const [name, open] of kinds) {
  /** A test over this kind. */
  const test = (title: string, run: (history: History) => void, limits: Limits = {}) =>
    Deno.test(`${name} ${title}`, () => {
      using place = folder();
      using history = scoped(open(limits, place.file));
      run(history);
    });

  test("gives back what was added, oldest first", (history) => {
    const entries = (["say", "me"] as const).map((kind, i) =>
      history.add({ room: "lobby", kind, name: "Ada", text: `text ${i}`, time: TIME + i })
    );
    assertEquals(entries, [
      { id: 1, room: "lobby", kind: "say", name: "Ada", text: "text 0", time: TIME },
      { id: 2, room: "lobby", kind: "me", name: "Ada", text: "text 1", time: TIME + 1 },
    ]);
    assertEquals(history.last("lobby", 10), entries);
    assertEquals(history.last("elsewhere", 10), []);
  });

  test("numbers messages across rooms and knows the last of each", (history) => {
    assertEquals(["a", "b", "a", "c"].map((room) => say(history, "hi", room)), [1, 2, 3, 4]);
    assertEquals(["a", "b", "c", "d"].map((room) => history.lastId(room)), [3, 2, 4, 0]);
  });

  test("pages back with an id", (history) => {
    for (let n = 1; n <= 9; n++) say(history, `${n}`, n % 3 === 0 ? "other" : "lobby");
    const ids = (count: number, before?: number) =>
      history.last("lobby", count, before).map(({ id }) => id);
    assertEquals(ids(3), [5, 7, 8]);
    assertEquals(ids(3, 5), [1, 2, 4]);
    assertEquals(ids(3, 6), [2, 4, 5]);
    assertEquals(ids(3, 1), []);
    assertEquals(ids(0), []);
  });

  test("since() gives the first messages after an id", (history) => {
    for (let n = 1; n <= 9; n++) say(history, `${n}`, n % 3 === 0 ? "other" : "lobby");
    const ids = (count: number, after: number) =>
      history.since("lobby", count, after).map(({ id }) => id);
    assertEquals(ids(3, 0), [1, 2, 4]);
    assertEquals(ids(3, 3), [4, 5, 7]);
    assertEquals(ids(3, 7), [8]);
    assertEquals(ids(3, 8), []);
    assertEquals(ids(0, 0), []);
    assertEquals(history.since("elsewhere", 1, 0), []);
  });

  test("refuses counts, ids and times that are none", (history) => {
    for (const wrong of [-1, 0.5, NaN, Infinity]) {
      assertThrows(() => history.last("lobby", wrong), RangeError, `count ${wrong}`);
      assertThrows(() => history.last("lobby", 1, wrong), RangeError, `before ${wrong}`);
      assertThrows(() => history.since("lobby", wrong, 0), RangeError, `count ${wrong}`);
      assertThrows(() => history.since("lobby", 1, wrong), RangeError, `after ${wrong}`);
      assertThrows(() => history.search("lobby", "x", wrong), RangeError, `count ${wrong}`);
    }
    for (const wrong of [0.5, NaN, Infinity, 1e16]) {
      assertThrows(() => say(history, "x", "lobby", wrong), RangeError, `time ${wrong}`);
    }
    assertEquals(say(history, "first"), 1);
  });

  test("search() finds the newest messages that contain all the words", (history) => {
    for (const text of ["red apple", "Apple pie", "green", "REDDISH pineapple"]) say(history, text);
    say(history, "red apple", "other");
    const found = (query: string, count = 10) =>
      history.search("lobby", query, count).map(({ text }) => text);
    assertEquals(found("apple red"), ["red apple", "REDDISH pineapple"]);
    assertEquals(found("  apple\tapple "), ["red apple", "Apple pie", "REDDISH pineapple"]);
    assertEquals(found("apple", 2), ["Apple pie", "REDDISH pineapple"]);
    assertEquals(found("apple green"), []);
    assertEquals(found(""), []);
    assertEquals(found(" \0 "), []);
  });

  test("search() does not mind case in any script", (history) => {
    const cases: [text: string, query: string][] = [
      ["Straße", "STRASSE"],
      ["МОСКВА", "москв"],
      ["ΟΔΟΣ", "οδος"],
      ["İstanbul", "istanbul"],
      ["ﬁne Ｗide", "FINE wide"],
      ["Cafe\u0301", "CAFÉ"],
      ["東京タワー", "京タ"],
      ["well 👍🏽 done", "👍🏽"],
    ];
    for (const [text] of cases) say(history, text);
    for (const [text, query] of cases) {
      assertEquals(history.search("lobby", query, 10).map((entry) => entry.text), [text], query);
    }
  });

  test("search() takes no word for syntax", (history) => {
    say(history, `plain`);
    const odd = ["50%_off", `say "hi"`, "a AND b* NEAR(c)", "text:x -y ^z", "it's", "c:\\dir"];
    for (const text of odd) say(history, text);
    for (const text of odd) {
      assertEquals(history.search("lobby", text, 10).map((entry) => entry.text), [text]);
    }
    for (const query of ["%", "_", `"`, "*", "'", "\\", "pl%in", "p_ain", "plain OR x", "\ud800"]) {
      const texts = history.search("lobby", query, 10).map((entry) => entry.text);
      assertEquals(texts, odd.filter((text) => text.includes(query)), query);
    }
  });

  test("search() takes 256 characters and no more", (history) => {
    say(history, "a b ".repeat(64));
    assertEquals(history.search("lobby", "a b ".repeat(64), 1).length, 1);
    const many = Array.from({ length: 128 }, (_, i) => String.fromCharCode(0x4e00 + i));
    assertEquals(history.search("lobby", many.join(" "), 1), []);
    assertThrows(() => history.search("lobby", "x".repeat(257), 1), RangeError, "limit is 256");
  });

  test("takes any string for a room, a name, a text and a key", (history) => {
    for (const text of HOSTILE) {
      const entry = history.add({ room: text, kind: "say", name: text, text, time: TIME });
      assertEquals(history.last(text, 10), [entry]);
      assertEquals(history.get(text), undefined);
      history.set(text, text);
    }
    HOSTILE.forEach((text, i) => {
      assertEquals(history.lastId(text), i + 1);
      assertEquals(history.last(text, 10).map((entry) => entry.text), [text]);
      assertEquals(history.get(text), text);
    });
  });

  test("keeps settings until they are removed", (history) => {
    history.set("topic", "one");
    history.set("topic", "two");
    history.set("ban", "");
    assertEquals([history.get("topic"), history.get("ban"), history.get("x")], [
      "two",
      "",
      undefined,
    ]);
    history.set("topic", undefined);
    history.set("x", undefined);
    assertEquals(history.get("topic"), undefined);
  });

  test("keeps settings of 4096 characters and no more", (history) => {
    history.set("k", "v".repeat(4095));
    assertThrows(() => history.set("k", "v".repeat(4096)), RangeError, "limit is 4096 characters");
    assertEquals(history.get("k")!.length, 4095);
  });

  test("forgets a room's oldest message beyond maxMessages", (history) => {
    for (let n = 1; n <= 10; n++) say(history, `${n}`);
    say(history, "alone", "other");
    assertEquals(textsOf(history), ["8", "9", "10"]);
    assertEquals(history.search("lobby", "7", 10), []);
    assertEquals(textsOf(history, "other"), ["alone"]);
  }, { maxMessages: 3 });

  test("forgets the room that was silent for longest beyond maxRooms", (history) => {
    for (const room of ["a", "b", "a", "c"]) say(history, `in ${room}`, room);
    assertEquals(["a", "b", "c"].map((room) => textsOf(history, room).length), [2, 0, 1]);
    assertEquals(history.lastId("b"), 0);
    assertEquals(say(history, "anew", "b"), 5);
    assertEquals(["a", "b", "c"].map((room) => textsOf(history, room)), [[], ["anew"], ["in c"]]);
  }, { maxRooms: 2 });

  test("takes from the largest room beyond maxBytes", (history) => {
    say(history, "quiet", "small");
    for (let n = 0; n < 500; n++) say(history, `${n} ${"x".repeat(400)}`, "flood");
    assertEquals(textsOf(history, "small"), ["quiet"]);
    const flood = textsOf(history, "flood");
    assert(flood.length > 5 && flood.length < 70, `${flood.length}`);
    assertMatch(flood.at(-1)!, /^499 /);
  }, { maxBytes: 64 * 1024 });

  test("keeps a message as large as maxBytes, alone, and refuses a larger one", (history) => {
    const room = 1000 - 128 - 2 * ("lobby".length + "Ada".length);
    for (let n = 0; n < 5; n++) say(history, "small", "b");
    say(history, "y".repeat(room / 2));
    assertEquals(textsOf(history, "b"), []);
    assertEquals(textsOf(history).length, 1);
    const tooLarge = () => say(history, "z".repeat(room / 2 + 1));
    assertThrows(tooLarge, RangeError, "Cannot keep message of 1002 bytes: limit is 1000 bytes");
    assertEquals(say(history, "next", "b"), 7);
  }, { maxBytes: 1000 });

  test("hands out messages that nobody can change", (history) => {
    const entry = { room: "lobby", kind: "say" as const, name: "Ada", text: "kept", time: TIME };
    Object.assign(history.add(entry), { text: "changed" });
    Object.assign(history.last("lobby", 1)[0], { text: "changed" });
    entry.text = "changed";
    assertEquals(textsOf(history), ["kept"]);
  });

  test("close() may be called twice, and nothing works after it", (history) => {
    say(history, "x");
    history.close();
    history.close();
    const uses = [
      () => say(history, "x"),
      () => history.last("lobby", 1),
      () => history.search("lobby", "x", 1),
      () => history.lastId("lobby"),
      () => history.get("x"),
      () => history.set("x", "y"),
    ];
    for (const use of uses) {
      assertThrows(use, HistoryError, "Cannot use history: it is closed");
    }
  });

  test("refuses limits that are none", () => {
    for (const limit of ["maxMessages", "maxRooms", "maxBytes"] as const) {
      for (const wrong of [0, -1, 1.5, NaN]) {
        assertThrows(() => open({ [limit]: wrong }, "unused"), RangeError, `${limit} ${wrong}`);
      }
    }
  });
}

Deno.test("memoryHistory() keeps 10000 settings and no more", () => {
  using history = scoped(memoryHistory());
  for (let n = 0; n < 10_000; n++) history.set(`key ${n}`, "v");
  assertThrows(() => history.set("more", "v"), HistoryError, "limit is 10000 keys");
  history.set("key 7", "other");
  history.set("key 8", undefined);
  history.set("more", "v");
  assertEquals([history.get("key 7"), history.get("more")], ["other", "v"]);
});

/** Changes the database in a file behind a history's back. */
function alter(file: string, sql: string): void {
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
}

function valueOf(file: string, sql: string): unknown {
  const database = new DatabaseSync(file);
  try {
    return Object.values(database.prepare(sql).get()!)[0];
  } finally {
    database.close();
  }
}

Deno.test("sqliteHistory() keeps 10000 settings and no more, after a restart too", () => {
  using place = folder();
  sqliteHistory(place.file).close();
  alter(
    place.file,
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
     INSERT INTO settings SELECT 'key ' || i, 'v' FROM n`,
  );
  using history = scoped(sqliteHistory(place.file));
  history.set("the last", "v");
  assertThrows(() => history.set("more", "v"), HistoryError, "limit is 10000 keys");
  history.set("key 7", "other");
  history.set("key 8", undefined);
  history.set("more", "v");
  assertEquals([history.get("key 7"), history.get("more")], ["other", "v"]);
});

Deno.test("sqliteHistory() remembers everything after a restart, and goes on counting", () => {
  using place = folder();
  const options = { now: () => TIME };
  const before = sqliteHistory(place.file, options);
  HOSTILE.forEach((text) => say(before, text, text));
  before.set("topic", "tea");
  before.close();
  using after = scoped(sqliteHistory(place.file, options));
  for (const text of HOSTILE) assertEquals(textsOf(after, text), [text]);
  assertEquals(after.get("topic"), "tea");
  assertEquals(say(after, "next"), HOSTILE.length + 1);
});

Deno.test("sqliteHistory() gives no id twice when all messages are gone after a restart", () => {
  using place = folder();
  let now = TIME;
  const options = { now: () => now, maxAge: 1000, maxRooms: 1 };
  const before = sqliteHistory(place.file, options);
  for (const room of ["a", "b", "b"]) say(before, "x", room);
  before.close();
  now += 10_000;
  const after = sqliteHistory(place.file, options);
  for (let n = 4; n <= 20; n++) assertEquals(say(after, "old already", "c"), n);
  assertEquals(after.lastId("c"), 0);
  after.close();
  using last = scoped(sqliteHistory(place.file, options));
  assertEquals(say(last, "x", "a", now), 21);
});

Deno.test("sqliteHistory() shows nothing older than maxAge, and removes it with time", () => {
  using place = folder();
  let now = TIME;
  const history = sqliteHistory(place.file, { now: () => now, maxAge: 60_000 });
  for (let n = 0; n < 300; n++) say(history, "old", n % 2 ? "lobby" : "quiet", now);
  now += 60_001;
  for (const room of ["lobby", "quiet"]) {
    assertEquals(history.last(room, 10), []);
    assertEquals(history.search(room, "old", 10), []);
    assertEquals(history.lastId(room), 0);
  }
  for (let n = 0; n < 24; n++) say(history, "new", "lobby", now);
  history.close();
  assertEquals(valueOf(place.file, "SELECT count(*) FROM messages"), 24);
  assertEquals(valueOf(place.file, "SELECT sum(count) FROM rooms"), 24);
});

Deno.test("sqliteHistory() removes a forgotten room little by little, and all of it", () => {
  using place = folder();
  const options = { maxRooms: 1, now: () => TIME };
  const history = sqliteHistory(place.file, options);
  for (let n = 0; n < 100; n++) say(history, "x", "first");
  say(history, "x", "second");
  history.close();
  assertEquals(valueOf(place.file, "SELECT count(*) FROM messages"), 69);
  // What is left to do outlives a restart.
  const again = sqliteHistory(place.file, options);
  assertEquals(textsOf(again, "first"), []);
  for (let n = 0; n < 3; n++) say(again, "x", "second");
  again.close();
  assertEquals(valueOf(place.file, "SELECT count(*) FROM messages"), 4);
  assertEquals(valueOf(place.file, "SELECT count(*) FROM rooms"), 1);
});

Deno.test("sqliteHistory() counts right whatever is pruned", () => {
  using place = folder();
  let now = TIME;
  const limits: SqliteHistoryOptions = {
    maxMessages: 20,
    maxRooms: 5,
    maxBytes: 20_000,
    maxAge: 99,
  };
  const history = sqliteHistory(place.file, { ...limits, now: () => now });
  for (let n = 0; n < 600; n++) {
    now++;
    say(history, "x".repeat((n * 37) % 300), `room ${(n * n) % 11}`, now - n % 50);
  }
  history.close();
  const counts = `SELECT count(*) FROM rooms WHERE
    (count, bytes) IS NOT (SELECT count(*), coalesce(sum(messages.bytes), 0)
      FROM messages WHERE room = rooms.id)`;
  assertEquals(valueOf(place.file, counts), 0);
  assert(valueOf(place.file, "SELECT sum(bytes) FROM rooms") as number <= 20_000);
  assertEquals(valueOf(place.file, "SELECT count(name) FROM rooms"), 5);
  assertEquals(valueOf(place.file, "SELECT max(count) <= 20 FROM rooms"), 1);
});

Deno.test("sqliteHistory() exceeds maxMessages by 31 at most", () => {
  using place = folder();
  using history = scoped(sqliteHistory(place.file, { maxMessages: 600, now: () => TIME }));
  let most = 0;
  for (let n = 0; n < 700; n++) {
    say(history, `${n}`);
    if (n >= 600) most = Math.max(most, textsOf(history).length);
  }
  assertEquals(most, 631);
  assert(textsOf(history).length >= 600);
  assertEquals(textsOf(history).at(-1), "699");
});

Deno.test("sqliteHistory() holds to smaller limits than it was written with", () => {
  using place = folder();
  const before = sqliteHistory(place.file, { now: () => TIME });
  for (let n = 0; n < 60; n++) say(before, "x", `room ${n % 6}`);
  before.close();
  using history = scoped(
    sqliteHistory(place.file, { maxMessages: 2, maxRooms: 2, now: () => TIME }),
  );
  say(history, "y", "room 0");
  assertEquals(
    Array.from({ length: 6 }, (_, n) => textsOf(history, `room ${n}`).length),
    [2, 0, 0, 0, 0, 10],
  );
});

Deno.test("sqliteHistory() survives SIGKILL with everything that add() returned for", async () => {
  using place = folder();
  const code = `
    import { backUpHistory, sqliteHistory } from "${new URL("chat/history/sqlite.ts", ROOT)}";
    const history = sqliteHistory(Deno.args[0]);
    const encoder = new TextEncoder();
    for (let n = 0;; n++) {
      const entry = { room: "r" + n % 3, kind: "say", name: "Ada", text: "x".repeat(n % 999) };
      const { id } = history.add({ ...entry, time: Date.now() });
      Deno.stdout.writeSync(encoder.encode(id + "\\n"));
    }`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", code, place.file],
    cwd: ROOT,
    stdout: "piped",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream({ allowCR: false }));
  let printed = 0;
  let seen = 0;
  for await (const line of lines) {
    // The last line may be cut off in the middle of its digits: then it is lower, never higher.
    printed = Math.max(printed, Number(line));
    if (++seen === 500) child.kill("SIGKILL");
  }
  assertEquals((await child.status).signal, "SIGKILL");
  assert(printed >= 500);
  using history = scoped(sqliteHistory(place.file));
  const ids = ["r0", "r1", "r2"].flatMap((room) => history.last(room, 1e6).map(({ id }) => id));
  ids.sort((a, b) => a - b);
  assertEquals(ids, Array.from({ length: ids.length }, (_, i) => i + 1));
  assert(ids.length >= printed, `${ids.length} kept, ${printed} printed`);
  assertEquals(say(history, "next"), ids.length + 1);
});

Deno.test({
  name: "sqliteHistory() says so when the disk takes no more, can be read, and loses nothing",
  ignore: Deno.build.os === "windows",
  async fn() {
    using place = folder();
    // A file may grow to 8 MB; without the trap the system would end the process instead.
    const code = `
      import { backUpHistory, sqliteHistory } from "${new URL("chat/history/sqlite.ts", ROOT)}";
      const history = sqliteHistory(Deno.args[0]);
      const entry = { room: "lobby", kind: "say", name: "Ada", time: Date.now() };
      let id = 0;
      const fill = (text) => {
        try {
          for (;;) id = history.add({ ...entry, text }).id;
        } catch (error) {
          return error.name + ": " + error.message;
        }
      };
      const errors = [fill("x".repeat(300_000)), fill("y".repeat(300_000))];
      console.log(JSON.stringify({ errors, id, last: history.lastId("lobby") }));
      history.close();`;
    const { stdout } = await new Deno.Command("sh", {
      args: [
        ...["-c", `trap "" XFSZ; ulimit -f 16000; exec "$@"`, "sh"],
        ...[Deno.execPath(), "eval", code, place.file],
      ],
      cwd: ROOT,
    }).output();
    const { errors, id, last } = JSON.parse(new TextDecoder().decode(stdout));
    for (const error of errors) {
      assertMatch(
        error,
        /^HistoryError: Cannot keep message in history .*: the disk (fails|is full)/,
      );
    }
    assert(id > 10, `${id}`);
    assertEquals(last, id);
    using history = scoped(sqliteHistory(place.file));
    assertEquals(history.last("lobby", 1000).length, id);
    assertEquals(say(history, "room again"), id + 1);
  },
});

Deno.test("sqliteHistory() undoes an add() that fails, and goes on", () => {
  using place = folder();
  const options = { now: () => TIME, maxRooms: 2 };
  const before = sqliteHistory(place.file, options);
  say(before, "one", "a");
  before.close();
  alter(
    place.file,
    `CREATE TRIGGER refuse BEFORE INSERT ON messages WHEN new.text = 'poison'
     BEGIN SELECT raise(ABORT, 'poisoned'); END`,
  );
  using history = scoped(sqliteHistory(place.file, options));
  for (let n = 0; n < 5; n++) {
    const error = assertThrows(() => say(history, "poison", `new ${n}`), HistoryError);
    assertEquals(error.message, `Cannot keep message in history ${place.file}: poisoned`);
    assert(error.cause instanceof Error);
  }
  assertEquals(say(history, "two", "b"), 2);
  assertEquals(["a", "b", "new 0"].map((room) => textsOf(history, room)), [["one"], ["two"], []]);
});

Deno.test("sqliteHistory() is one process's alone", () => {
  using place = folder();
  const first = sqliteHistory(place.file);
  const startedAt = performance.now();
  assertThrows(
    () => sqliteHistory(place.file),
    HistoryError,
    `Cannot open history ${place.file}: another process has it open`,
  );
  assert(performance.now() - startedAt < 60_000);
  assertEquals(say(first, "still works"), 1);
  first.close();
  sqliteHistory(place.file).close();
});

Deno.test("sqliteHistory() leaves one file behind when it is closed", () => {
  using place = folder();
  const history = sqliteHistory(place.file);
  say(history, "x");
  history.close();
  const names = [...Deno.readDirSync(place.file.replace(/[^/\\]*$/, ""))].map(({ name }) => name);
  assertEquals(names, ["chat.db"]);
});

Deno.test("sqliteHistory() refuses a file that is no history", () => {
  using place = folder();
  const refusal = (reason: string) =>
    assertThrows(
      () => sqliteHistory(place.file),
      HistoryError,
      `Cannot open history ${place.file}: ${reason}`,
    );
  const text = "Dear diary, ".repeat(1000);
  Deno.writeTextFileSync(place.file, text);
  refusal("the file is no database");
  assertEquals(Deno.readTextFileSync(place.file), text);
  Deno.removeSync(place.file);
  alter(place.file, "CREATE TABLE diary (text)");
  const bytes = Deno.readFileSync(place.file);
  refusal("it is the database of another program");
  assertEquals(Deno.readFileSync(place.file), bytes);
  Deno.removeSync(place.file);
  Deno.mkdirSync(place.file);
  refusal("it is a folder, or its folder does not exist or may not be used");
});

Deno.test({
  name: "sqliteHistory() refuses a file that it cannot write",
  // Who is root may write anything.
  ignore: Deno.build.os === "windows" || Deno.uid() === 0,
  fn() {
    using place = folder();
    sqliteHistory(place.file).close();
    Deno.chmodSync(place.file, 0o444);
    assertThrows(() => sqliteHistory(place.file), HistoryError, "the file is read-only");
  },
});

Deno.test("sqliteHistory() refuses a file of a newer version, and leaves it as it is", () => {
  using place = folder();
  sqliteHistory(place.file).close();
  alter(place.file, "PRAGMA user_version = 99");
  assertThrows(
    () => sqliteHistory(place.file),
    HistoryError,
    `it is of version 99, this program knows versions up to ${MIGRATIONS.length}`,
  );
  assertEquals(valueOf(place.file, "PRAGMA user_version"), 99);
});

Deno.test("sqliteHistory() takes an empty file for a new one", () => {
  using place = folder();
  Deno.writeFileSync(place.file, new Uint8Array());
  using history = scoped(sqliteHistory(place.file));
  assertEquals(say(history, "x"), 1);
});

Deno.test("sqliteHistory() says that the file is damaged", () => {
  using place = folder();
  const options = { now: () => TIME };
  const before = sqliteHistory(place.file, options);
  for (let n = 0; n < 200; n++) say(before, "x".repeat(200));
  before.close();
  const bytes = Deno.readFileSync(place.file);
  bytes.fill(0xee, 5 * 4096); // the first pages hold the schema
  Deno.writeFileSync(place.file, bytes);
  const error = assertThrows(() => {
    using history = scoped(sqliteHistory(place.file, options));
    history.last("lobby", 1000);
  }, HistoryError);
  assertStringIncludes(error.message, `history ${place.file}: the file is damaged`);
});

Deno.test("sqliteHistory() refuses names that are no file's", () => {
  for (const name of ["", ":memory:", "a\0b"]) {
    assertThrows(() => sqliteHistory(name), TypeError, "it is no name of a file");
  }
});

Deno.test("sqliteHistory() needs the file's own flags only, and names them", async () => {
  using place = folder();
  const script = `${place.file}.ts`;
  Deno.writeTextFileSync(
    script,
    `import { backUpHistory, sqliteHistory } from "${new URL("chat/history/sqlite.ts", ROOT)}";
     try {
       const history = sqliteHistory(Deno.args[0]);
       history.add({ room: "lobby", kind: "say", name: "Ada", text: "x", time: Date.now() });
       history.close();
       console.log("kept");
     } catch (error) {
       console.log(error.name + ": " + error.message);
     }`,
  );
  const run = async (...flags: string[]) => {
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", ...flags, script, place.file],
      cwd: ROOT,
    }).output();
    return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  };
  const [read, write] = [`--allow-read=${place.file}`, `--allow-write=${place.file}`];
  const refusal = (flags: string) =>
    `HistoryError: Cannot open history ${place.file}: no permission; run with ${flags}\n`;
  assertEquals(await run(), refusal(`${read} ${write}`));
  assertEquals(await run(read), refusal(write));
  assertEquals(await run(write), refusal(read));
  assertEquals(await run(read, write), "kept\n");
});

Deno.test("migrate() runs what is new, once and in order, and keeps what is there", () => {
  using database = new DatabaseSync(":memory:");
  const done: number[] = [];
  const first = (database: DatabaseSync) => {
    done.push(1);
    database.exec("CREATE TABLE a (x); INSERT INTO a VALUES ('kept')");
  };
  const second = (database: DatabaseSync) => {
    done.push(2);
    database.exec("ALTER TABLE a ADD COLUMN y DEFAULT 'new'");
  };
  migrate(database, [first]);
  migrate(database, [first, second]);
  migrate(database, [first, second]);
  assertEquals(done, [1, 2]);
  assertEquals({ ...database.prepare("SELECT x, y FROM a").get() }, { x: "kept", y: "new" });
});

Deno.test("migrate() that fails changes nothing", () => {
  using database = new DatabaseSync(":memory:");
  const create = (database: DatabaseSync) => database.exec("CREATE TABLE a (x)");
  const fail = (database: DatabaseSync) => database.exec("DROP TABLE a; DROP TABLE missing");
  migrate(database, [create]);
  assertThrows(() => migrate(database, [create, fail]), Error, "no such table: missing");
  assertEquals({ ...database.prepare("PRAGMA user_version").get() }, { user_version: 1 });
  database.exec("INSERT INTO a VALUES (1)");
});

/** What a copy of a history holds in the lobby. */
function copied(file: string): string[] {
  using copy = scoped(sqliteHistory(file));
  return textsOf(copy, "lobby");
}

Deno.test("sqliteHistory() lets others read and copy the file while it is written", async () => {
  using place = folder();
  const to = (name: string) => place.file.replace("chat.db", name);
  using history = scoped(sqliteHistory(place.file));
  say(history, "first");
  for (const [index, survivePowerCut] of [false, true].entries()) {
    const file = to(`other${index}.db`);
    using other = scoped(sqliteHistory(file, { survivePowerCut }));
    say(other, "one");
    using reader = new DatabaseSync(file, { readOnly: true });
    const count = () => reader.prepare("SELECT count(*) AS count FROM messages").get()!.count;
    assertEquals(count(), 1);
    say(other, "two");
    assertEquals(count(), 2);
    // What holds a reader's view does not hold up the chat.
    reader.exec("BEGIN");
    assertEquals(count(), 2);
    say(other, "three");
    assertEquals(count(), 2);
    reader.exec("COMMIT");
    assertEquals(count(), 3);
    assertThrows(
      () => {
        using writer = new DatabaseSync(file);
        writer.exec("DELETE FROM messages");
      },
      Error,
      "database is locked",
    );
  }
  const reader = new DatabaseSync(place.file);
  reader.exec(`VACUUM INTO '${to("vacuumed.db")}'`);
  reader.close();
  assertEquals(copied(to("vacuumed.db")), ["first"]);
  await backUpHistory(place.file, to("copy.db"));
  say(history, "second");
  assertEquals(copied(to("copy.db")), ["first"]);
  await backUpHistory(place.file, to("copy2.db"));
  assertEquals(copied(to("copy2.db")), ["first", "second"]);
});

Deno.test("sqliteHistory() is one process's alone however much is said meanwhile", async () => {
  using place = folder();
  const code = `
    import { backUpHistory, sqliteHistory } from ${
    JSON.stringify(new URL("../../chat/history/sqlite.ts", import.meta.url))
  };
    const history = sqliteHistory(${JSON.stringify(place.file)});
    console.log("open");
    for (;;) history.add({ room: "lobby", kind: "say", name: "a", text: "b", time: Date.now() });
  `;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", code],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  try {
    for (let i = 0; i < 20; i++) {
      assertThrows(() => sqliteHistory(place.file), HistoryError, "another process has it open");
    }
  } finally {
    child.kill("SIGKILL");
    await reader.cancel();
    await child.status;
  }
  sqliteHistory(place.file).close();
});

Deno.test("backUpHistory() refuses what it cannot copy, and overwrites nothing", async () => {
  using place = folder();
  const to = place.file.replace("chat.db", "copy.db");
  const refusal = (file: string, target: string, reason: string) =>
    assertRejects(
      () => backUpHistory(file, target),
      HistoryError,
      `Cannot copy history ${file} to ${target}: ${reason}`,
    );
  await refusal(place.file, to, `there is no ${place.file}`);
  sqliteHistory(place.file).close();
  await refusal(place.file, place.file, `there is a ${place.file} already`);
  Deno.writeTextFileSync(to, "mine");
  await refusal(place.file, to, `there is a ${to} already`);
  assertEquals(Deno.readTextFileSync(to), "mine");
  const other = new DatabaseSync(`${to}2`);
  other.exec("CREATE TABLE mine (x)");
  other.close();
  await refusal(`${to}2`, `${to}3`, "it is no history");
  await assertRejects(() => backUpHistory("", to), TypeError, "it is no name of a file");
});
