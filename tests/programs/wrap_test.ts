import { assert, assertEquals } from "@std/assert";
import { stripAnsiCode } from "@std/fmt/colors";
import { openPrompt, statePrompt } from "../../programs/client/talking/prompt.ts";
import { Unheard } from "../../programs/client/talking/unheard.ts";
import { Margin } from "../../programs/terminal/margin.ts";
import { columnsOf, cropped } from "../../programs/terminal/width.ts";
import { wrap } from "../../programs/terminal/wrap.ts";

const FAMILY = "👨‍👩‍👧";

Deno.test("wrap() ends rows between words, and breaks only words that are longer than a row", () => {
  for (
    const [line, ...rows] of [
      [""],
      ["one", "one"],
      ["0123456789", "0123456789"],
      ["one two three four", "one two", "three four"],
      ["one  two   three", "one  two", "three"],
      ["one two 67 end", "one two 67", "end"],
      ["012345678901234", "0123456789", "01234"],
      ["see 0123456789012 x", "see 012345", "6789012 x"],
      ["012345678 0123456789", "012345678", "0123456789"],
      ["0123456789 012345678901", "0123456789", "0123456789", "01"],
      ["größe größe", "größe", "größe"],
      ["漢字漢字漢字", "漢字漢字漢", "字"],
      ["x漢字漢字漢字", "x漢字漢字", "漢字"],
      ["hello 漢字漢字", "hello 漢字", "漢字"],
      [`12345 ${FAMILY}`, "12345", FAMILY],
      [`${FAMILY.repeat(2)}`, FAMILY, FAMILY],
      ["e\u0301".repeat(11), "e\u0301".repeat(10), "e\u0301"],
      ["\x1b[1mone two three\x1b[22m", "\x1b[1mone two", "three\x1b[22m"],
      ["one two\x1b[2m three", "one two", "\x1b[2mthree"],
      ["a\tb", "a\tb"],
      ["a\tbcd", "a", "bcd"],
    ]
  ) {
    assertEquals(wrap(line, { columns: 10, indent: 0 }), rows.length === 0 ? [""] : rows, line);
  }
  assertEquals(wrap("one two three", { columns: 10, indent: 4 }), ["one", "two", "three"]);
});

Deno.test("wrap() loses nothing, and no row is wider than the window, whatever its width", () => {
  const line = `Hello ${FAMILY} 漢字かな \x1b[1mgrößer\x1b[22m ${"x".repeat(30)} ก็ดี 🇩🇪 end`;
  const bare = stripAnsiCode(line).replaceAll(" ", "");
  for (let columns = 8; columns < 90; columns++) {
    const rows = wrap(line, { columns, indent: 2 });
    assertEquals(stripAnsiCode(rows.join("")).replaceAll(" ", ""), bare);
    for (const row of rows) assert(columnsOf(stripAnsiCode(row)) <= columns - 2, row);
  }
});

Deno.test("wrap() takes a line of a mebibyte in no time", () => {
  for (const line of ["x".repeat(2 ** 20), "é ".repeat(2 ** 18), "漢".repeat(2 ** 18)]) {
    const start = performance.now();
    wrap(line, { columns: 80, indent: 6 });
    assert(performance.now() - start < 60_000);
  }
});

Deno.test("cropped() leaves out what does not fit, and says so", () => {
  for (
    const [text, columns, expected] of [
      ["lobby", 5, "lobby"],
      ["lobby", 4, "lob…"],
      ["漢字漢字", 6, "漢字…"],
      ["lobby", 1, "…"],
      ["lobby", 0, ""],
      [`${FAMILY}x`, 4, "…"],
    ] as const
  ) assertEquals(cropped(text, columns), expected);
});

Deno.test("Margin puts the time beside the first row, and a date above the first line of another day", () => {
  const at = (text: string) => new Date(text).getTime();
  const margin = new Margin(at("2026-11-20T10:00"));
  const shown = (time: string, line: string, columns = 40) =>
    stripAnsiCode(margin.beside(at(time), line)(columns));
  assertEquals(shown("2026-11-20T09:05", "Ada: hi"), "09:05 Ada: hi");
  assertEquals(
    shown("2026-11-20T18:12", "Ada: one two three four five six seven eight"),
    "18:12 Ada: one two three four five six\n      seven eight",
  );
  assertEquals(shown("2026-11-19T23:59", "late"), "--- 2026-11-19 ---\n23:59 late");
  assertEquals(shown("2026-11-19T23:59", "later"), "23:59 later");
  assertEquals(shown("2026-11-20T00:00", "now"), "--- 2026-11-20 ---\n00:00 now");
  assertEquals(
    shown("2026-11-20T00:00", "one two three four five six", 20),
    "one two three four\nfive six",
  );
});

Deno.test("openPrompt() and statePrompt() leave room for typing", () => {
  const ada = { room: "lobby", name: "Ada" };
  const long = { room: "a-room-with-a-long-name", name: "漢字漢字漢字漢字漢字" };
  for (
    const [prompt, columns, expected] of [
      [openPrompt(), 80, "[open] "],
      [openPrompt(undefined, 12.4), 80, "[open 12 ms] "],
      [openPrompt(ada), 80, "[lobby] Ada> "],
      [openPrompt(ada, 0.42), 80, "[lobby 0.4 ms] Ada> "],
      [openPrompt(ada, 0.42), 30, "[lobby] Ada> "],
      [openPrompt(long, 12), 120, "[a-room-with-a-long-name 12 ms] 漢字漢字漢字漢字漢字> "],
      [openPrompt(long, 12), 40, "[a-room…] 漢字漢…> "],
      [openPrompt(long, 12), 10, "[…] …> "],
      [
        statePrompt("offline", " 3 s, again in 2 s", "Ada"),
        80,
        "[offline 3 s, again in 2 s] Ada> ",
      ],
      [statePrompt("offline", " 3 s, again in 2 s", "Ada"), 40, "[offline 3 s, again in 2 s] "],
      [statePrompt("offline", " 3 s, again in 2 s", "Ada"), 20, "[offline] "],
      [statePrompt("sent away"), 80, "[sent away] "],
    ] as const
  ) assertEquals(stripAnsiCode(prompt(columns)), expected);
});

Deno.test("Unheard knows what was said and not passed on", () => {
  const unheard = new Unheard();
  const say = (text: string, name = "Ada", type: "say" | "me" = "say") =>
    unheard.hear({ type, id: 1, room: "lobby", name, text, time: 0 }, "Ada");
  for (const line of ["one", "/who", "", "/me waves", "//slash", "a\x1bb", "two"]) {
    unheard.sent(line);
  }
  say("one", "Bob");
  say("one");
  assertEquals(unheard.take(), ["/me waves", "//slash", "a\x1bb", "two"]);
  assertEquals(unheard.take(), []);
  for (const line of ["one", "/me waves", "//slash", "a\x1bb", "two"]) unheard.sent(line);
  say("waves", "Ada", "me");
  assertEquals(unheard.take(), ["//slash", "a\x1bb", "two"]);
  for (const line of ["//slash", "a\x1bb", "two"]) unheard.sent(line);
  say("/slash");
  say("a\\x1bb");
  assertEquals(unheard.take(), ["two"]);
});
