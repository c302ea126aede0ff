// deno-lint-ignore-file no-control-regex
import { assert, assertEquals, assertMatch } from "@std/assert";
import { BREAK, endOfInterrupt, takePaste } from "../../programs/terminal/paste.ts";
import { Ruler } from "../../programs/terminal/ruler.ts";
import { Pty, ptyTest as test } from "../support/pty.ts";

const fixture = new URL("../support/fixtures/terminal.ts", import.meta.url).pathname;
/** The fixture, once its prompt is there. */
async function open(columns: number, rows: number, env: Record<string, string> = {}): Promise<Pty> {
  const pty = await Pty.open(columns, rows, [fixture], { env });
  await pty.until((screen) => screen.line === "you>" && screen.column === 5);
  return pty;
}

test("Terminal gives out the line as it was edited", async (t) => {
  await using pty = await open(60, 10);
  for (
    const [name, keys, line] of [
      ["left", "ac\x1b[Db", "abc"],
      ["right", "ab\x1b[D\x1b[D\x1b[Cx", "axb"],
      ["home", "b\x1b[Ha", "ab"],
      ["home, as in a VT220", "b\x1b[1~a", "ab"],
      ["end", "a\x1b[H\x1b[Fb", "ab"],
      ["delete", "abc\x1b[D\x1b[D\x1b[3~", "ac"],
      ["backspace", "abc\x7f", "ab"],
      ["Ctrl-A and Ctrl-E", "b\x01a\x05c", "abc"],
      ["Ctrl-K", "abc\x1b[D\x0b", "ab"],
      ["Ctrl-U", "abc\x1b[D\x15", "c"],
      ["Ctrl-W", "one two three\x17", "one two "],
      ["Ctrl-D inside a line", "abc\x1b[D\x04", "ab"],
      ["Ctrl-Left", "one two\x1b[1;5Dx", "one xtwo"],
      ["Alt-B", "one two\x1bbx", "one xtwo"],
      ["wide characters", "漢字\x1b[D\x7fか", "か字"],
      ["an emoji of two code units", "a😀b\x1b[D\x7f", "ab"],
      ["a tab", "a\tb", "a\tb"],
      ["Ctrl-Z, where no shell could let it go on", "a\x1ab", "ab"],
      ["control characters without a meaning", "a\x00\x07\x1c\x1db\u009b", "ab"],
      ["keys unknown to it", "a\x1b[27;5;13~b\x1b[?1;2cc\x1b[<0;1;1Md", "abcd"],
      ["Escape alone", "ab\x1b", "ab"],
    ]
  ) {
    await t.step(name, async () => {
      pty.send({ keys: keys + "\r" });
      await pty.until(({ rows }) => rows.at(-2) === `${line.length}: ${JSON.stringify(line)}`);
    });
  }
});

test("Terminal puts an escape sequence together that arrives in two parts", async () => {
  await using pty = await open(60, 10);
  pty.send({ keys: "ab\x1b" });
  await pty.until((screen) => screen.line === "you> ab");
  pty.send({ keys: "[DX\r" });
  await pty.until(({ rows }) => rows.includes('3: "aXb"'));
});

test("Terminal puts characters together that arrive in two parts", async () => {
  await using pty = await open(60, 10);
  // The kernel hands out 4095 bytes at most, which ends within a character of three.
  pty.send({ keys: "x" + "漢".repeat(3000) + "\r" });
  await pty.until(({ text }) => text.includes("3001: "));
  assert(!pty.output.includes("\ufffd"));
});

test("Terminal puts the cursor where wide characters and marks end", async (t) => {
  await using pty = await open(60, 10);
  let width = 61;
  for (
    const [name, typed, columns] of [
      ["Chinese", "漢字", 4],
      ["emoji", "😀🚀🧠", 6],
      ["an accent of its own", "e\u0301", 1],
      ["Thai", "ก็ดี", 2],
      ["Hebrew with points", "ש\u05b8ל\u05d5\u05b9ם", 4],
      ["Devanagari", "क्ष", 2],
      ["Korean in parts", "\u1112\u1161\u11ab", 2],
    ] as const
  ) {
    await t.step(name, async () => {
      pty.send({ keys: typed + "x\x1b[D" });
      await pty.until(({ line }) => line.endsWith("x"));
      // Drawn anew, so that the column is the program's own reckoning.
      pty.send({ resize: [width++, 10] });
      await pty.until(({ column }) => column === "you> ".length + columns);
      pty.send({ keys: "\x05\x15" });
      await pty.until(({ line }) => line === "you>");
    });
  }
});

test("Terminal brings back lines with up and down", async () => {
  await using pty = await open(60, 10);
  pty.send({ keys: "one\rtwo\rdraft\x15" });
  pty.send({ keys: "\x1b[A\x1b[A" });
  await pty.until((screen) => screen.line === "you> one");
  pty.send({ keys: "\x1b[B" });
  await pty.until((screen) => screen.line === "you> two");
  pty.send({ keys: "\x1b[B" });
  await pty.until((screen) => screen.line === "you>");
});

test("Terminal.print() leaves the line being typed intact, and its cursor in place", async () => {
  await using pty = await open(40, 8);
  pty.send({ keys: "/flood 60\r" });
  await pty.until(({ rows }) => rows.includes("message 3"));
  pty.send({ keys: "half 漢" });
  await pty.until(({ rows }) => rows.at(-1) === "you> half 漢");
  pty.send({ keys: "\x1b[D" });
  await pty.shows(["you> /flood 60", ...messages(60), "you> half 漢"]);
  assertEquals(pty.screen.column, "you> half ".length);
});

test("Terminal.print() leaves a line intact that takes several rows", async () => {
  for (
    const [text, ...rows] of [
      ["0123456789".repeat(4), "0123456789012345", "678901234567890123456", "789"],
      ["漢字".repeat(10), "漢字漢字漢字漢字", "漢字漢字漢字漢字漢字", "漢字"],
      ["x漢字漢字漢字漢字漢", "x漢字漢字漢字漢", "字漢"],
    ]
  ) {
    await using pty = await open(21, 8);
    pty.send({ keys: "/flood 60\r" });
    let typed = "you> ";
    for (const character of text) {
      pty.send({ keys: character });
      typed += character;
      await pty.until(({ rows }) => rows.join("").endsWith(typed));
    }
    pty.send({ keys: "\x1b[D" });
    await pty.shows(["you> /flood 60", ...messages(60), `you> ${rows[0]}`, ...rows.slice(1)]);
  }
});

test("Terminal.print() leaves a line intact that is higher than the screen", async () => {
  await using pty = await open(21, 4);
  const text = "0123456789".repeat(20);
  pty.send({ keys: "/flood 60\r" });
  pty.send({ keys: text });
  await pty.until(({ rows }) => rows.includes("message 59"));
  await pty.until(({ rows }) => rows.slice(-10).join("") === `you> ${text}`);
  pty.send({ keys: "\r" });
  await pty.until(({ text }) => text.includes('200: "'));
});

test("Terminal draws the line anew when the window is resized", async () => {
  await using pty = await open(60, 8);
  pty.send({ keys: "before\r" });
  const before = ["you> before", '6: "before"'];
  pty.send({ keys: "0123456789012345678901234567890123456789" });
  await pty.shows([...before, "you> 0123456789012345678901234567890123456789"]);
  for (
    const [columns, ...rows] of [
      [30, "you> 0123456789012345678901234", "567890123456789"],
      [20, "you> 012345678901234", "56789012345678901234", "56789"],
      [50, "you> 0123456789012345678901234567890123456789"],
    ] as [number, ...string[]][]
  ) {
    const { drawings } = pty.screen;
    pty.send({ resize: [columns, 8] });
    await pty.until((screen) => screen.drawings > drawings);
    await pty.shows([...before, ...rows]);
  }
});

test("Terminal.setPrompt() leaves what is typed alone", async () => {
  await using pty = await open(60, 8);
  pty.send({ keys: "/prompt 12ms\rhalf\x1b[D" });
  await pty.until((screen) => screen.line === "12ms> half" && screen.column === 9);
});

test("Terminal.setPrompt() shows what was printed before first", async () => {
  await using pty = await open(60, 8);
  pty.send({ keys: "one\rtwo\r/prompt gone\r" });
  await pty.until((screen) => screen.line === "gone>");
  const output = pty.output;
  assert(output.indexOf('3: "two"') !== -1, "not printed");
  assert(output.indexOf('3: "two"') < output.indexOf("gone> "));
});

test("Terminal takes colour codes in the prompt, and shows none under NO_COLOR", async () => {
  {
    await using pty = await open(60, 8);
    assert(pty.output.includes("\x1b[32myou\x1b[39m"));
  }
  await using pty = await open(60, 8, { NO_COLOR: "1" });
  pty.send({ keys: "hello\r" });
  await pty.until(({ rows }) => rows.includes('5: "hello"'));
  assert(!pty.output.includes("\x1b[3"), "a colour");
});

test("Terminal inserts a paste where the cursor is, and gives it out at Enter", async () => {
  await using pty = await open(60, 10);
  pty.send({ keys: "ad\x1b[D" });
  await pty.until(({ line, column }) => line === "you> ad" && column === 6);
  pty.paste("b\tc");
  await pty.until(({ line }) => line === "you> ab cd");
  pty.send({ keys: "\r" });
  await pty.until(({ rows }) => rows.includes('5: "ab\\tcd"'));
});

test("Terminal shows the line breaks of a paste, and gives out its lines at Enter", async () => {
  await using pty = await open(60, 10);
  pty.send({ keys: "0" });
  await pty.until(({ line }) => line === "you> 0");
  pty.paste("one\n\ntwo ↵\n");
  await pty.until(({ line, column }) => line === "you> 0one↵↵two ↵" && column === 16);
  pty.send({ keys: "\x7f3\r/count\r" });
  await pty.until(({ rows }) => rows.includes("taken 4"));
  assertEquals(
    pty.screen.rows.filter((row) => /^\d/.test(row)),
    ['4: "0one"', '0: ""', '5: "two 3"'],
  );
  pty.send({ keys: "\x1b[A\x1b[A" });
  await pty.until(({ line }) => line === "you> 0one↵↵two 3");
  pty.send({ keys: "\x1b[D".repeat(5) + "\x7f\x7f\r" });
  await pty.until(({ rows }) => rows.includes('9: "0onetwo 3"'));
});

test("Terminal tells line breaks of a paste from what is shown in their place", async () => {
  await using pty = await open(60, 10);
  pty.send({ keys: "a↵\ufdd0b\r" });
  await pty.until(({ rows }) => rows.includes('3: "a↵b"'));
  pty.paste("a↵\ufdd0\nb");
  await pty.until(({ line }) => line === "you> a↵↵b");
  pty.send({ keys: "\r" });
  await pty.until(({ rows }) => rows.includes('1: "b"'));
  assert(pty.screen.rows.includes('2: "a↵"'));
});

test("Terminal obeys nothing in a paste", async () => {
  await using pty = await open(60, 10);
  pty.send({ keys: "one\r" });
  await pty.until(({ rows }) => rows.includes('3: "one"'));
  pty.paste("a\x03\x04\x1bOAb\x15\x7f\x1b[Dc\x1b[200~d\u009b\x00");
  await pty.until(({ line }) => line === "you> aOAb[Dc[200~d");
  pty.send({ keys: "e\r" });
  await pty.until(({ rows }) => rows.includes('14: "aOAb[Dc[200~de"'));
});

test("Terminal puts a paste together that arrives in parts, however late", async () => {
  await using pty = await open(60, 10);
  pty.send({ keys: "\x1b[200~one\r" });
  await pty.until(({ line }) => line === "you> one");
  pty.send({ keys: "\ntwo\x1b[20" });
  await pty.until(({ line }) => line === "you> one↵two");
  pty.send({ keys: "1~" });
  pty.send({ keys: "!\r" });
  await pty.until(({ rows }) => rows.includes('4: "two!"'));
  assert(pty.screen.rows.includes('3: "one"'));
});

test("Terminal takes no paste above its limit, none of its lines, and what is typed next", async () => {
  await using pty = await open(60, 20);
  pty.paste(`${"x".repeat(140_000)}\nsecond\nthird`);
  await pty.until(({ rows }) => rows.includes("Cannot take line: limit is 131072 characters"));
  pty.send({ keys: "next\r/count\r" });
  await pty.until(({ rows }) => rows.includes("taken 2"));
  assert(pty.screen.rows.includes('4: "next"'));
});

test("Terminal takes each line of a paste that is not told from typing, whatever ends it", async () => {
  await using pty = await open(60, 20);
  pty.send({ keys: "one\rtwo\nthree\r\n\r\nfive\u2028six" });
  await pty.until((screen) => screen.line === "you> six");
  pty.send({ keys: "\r/count\r" });
  await pty.until(({ rows }) => rows.includes("taken 7"));
  assertEquals(
    pty.screen.rows.filter((row) => /^\d/.test(row)),
    ['3: "one"', '3: "two"', '5: "three"', '0: ""', '4: "five"', '3: "six"'],
  );
});

test("Terminal holds 1024 lines at most, and notices Ctrl-C behind them", async () => {
  await using pty = await open(60, 20);
  pty.send({ keys: "/stall\r" });
  await pty.until(({ rows }) => rows.includes("you> /stall"));
  pty.send({ keys: "a\r".repeat(1200) + "\x03" });
  await pty.until(({ rows }) => rows.includes("interrupted"));
  // One line was being handled and 1024 waited. The interrupt overtook the rest.
  await pty.until(({ rows }) => rows.includes("ended after 1025"));
});

test("Terminal passes on a long paste in order", async () => {
  await using pty = await open(60, 20);
  const lines = Array.from({ length: 3000 }, (_, i) => `line ${i}`);
  pty.send({ keys: lines.join("\r") + "\r/count\r" });
  await pty.until(({ rows }) => rows.includes("taken 3001"));
  const taken = pty.screen.rows.filter((row) => row.includes(': "'));
  assertEquals(taken, lines.map((line) => `${line.length}: "${line}"`));
});

test("Terminal takes a line above 64 KiB, and says so when one is above its limit", async () => {
  await using pty = await open(60, 20);
  pty.send({ keys: "x".repeat(70_000) });
  pty.send({ keys: "\r" });
  await pty.until(({ text }) => text.includes("70000: "));
  pty.send({ keys: "x".repeat(140_000) });
  pty.send({ keys: "\rnext\r" });
  await pty.until(({ rows }) => rows.includes('4: "next"'));
  assert(pty.screen.rows.includes("Cannot take line: limit is 131072 characters"));
  assert(!pty.screen.text.includes("140000: "));
});

test("Terminal clears the line at Ctrl-C, and interrupts on an empty line", async () => {
  await using pty = await open(60, 8);
  pty.send({ keys: "draft\x1b[D\x03" });
  await pty.until((screen) => screen.line === "you>" && screen.column === 5);
  pty.send({ keys: "kept\r" });
  await pty.until(({ rows }) => rows.includes('4: "kept"'));
  pty.send({ keys: "\x03" });
  assertEquals(await pty.ended(), { exit: 0, raw: false });
  assertEquals(pty.screen.rows.slice(-3), ["interrupted", "ended after 1", ""]);
});

test("Terminal ends at Ctrl-D, after the lines typed before", async () => {
  await using pty = await open(60, 8);
  pty.send({ keys: "one\rtwo\r\x04" });
  assertEquals(await pty.ended(), { exit: 0, raw: false });
  assertEquals(pty.screen.rows.slice(-4), ['3: "one"', '3: "two"', "ended after 2", ""]);
});

test("Terminal.close() leaves a half-typed line on the screen", async () => {
  await using pty = await open(60, 8);
  pty.send({ keys: "/close\rhalf" });
  assertEquals(await pty.ended(), { exit: 0, raw: false });
  assertEquals(pty.screen.rows.slice(-3), ["you> half", "ended after 1", ""]);
});

test("Terminal is put back however the program ends", async (t) => {
  for (
    const [name, command, exit] of [
      ["an error", { keys: "/throw\r" }, 1],
      ["an error that nobody can catch", { keys: "/crash\r" }, 1],
      ["a rejection that nobody handles", { keys: "/reject\r" }, 1],
      ["Deno.exit()", { keys: "/exit\r" }, 3],
      ["SIGINT", { signal: 2 }, 0],
      ["SIGHUP", { signal: 1 }, 0],
      ["SIGTERM", { signal: 15 }, 0],
    ] as const
  ) {
    await t.step(name, async () => {
      await using pty = await open(60, 8);
      assert(pty.screen.marksPastes);
      pty.send(command);
      assertEquals(await pty.ended(), { exit, raw: false });
      assert(!pty.screen.marksPastes);
    });
  }
});

Deno.test("Terminal refuses what is not a terminal", async () => {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-net", fixture],
    env: { NO_COLOR: "1" },
    stdin: "null",
  });
  const { code, stderr } = await command.output();
  assertEquals(code, 1);
  assertMatch(
    new TextDecoder().decode(stderr),
    /Cannot open terminal: standard input or output is not a terminal/,
  );
});

Deno.test("takePaste() gives the same text however a paste is cut", () => {
  const pastes: [pasted: string, text: string][] = [
    ["", ""],
    ["\r", ""],
    ["a\r\n\rb\n\u2028c\r\n", "a||b||c"],
    ["a\r\n\r\n", "a|"],
    ["\x1b[2\x1b[201a", "[2[201a"],
  ];
  for (const [pasted, text] of pastes) {
    const whole = `${pasted}\x1b[201~rest`;
    for (let first = 0; first <= whole.length; first++) {
      for (let second = first; second <= whole.length; second++) {
        let [taken, held, isOver] = ["", "", false];
        for (
          const part of [whole.slice(0, first), whole.slice(first, second), whole.slice(second)]
        ) {
          held += part;
          if (isOver) continue;
          const { text, rest, isLast } = takePaste(held);
          [taken, held, isOver] = [taken + text, rest, isLast];
        }
        assertEquals([taken.replaceAll(BREAK, "|"), held, isOver], [text, "rest", true]);
      }
    }
  }
});

Deno.test("endOfInterrupt() finds a Ctrl-C that was typed, and none that was pasted", () => {
  const [start, end] = ["\x1b[200~", "\x1b[201~"];
  for (
    const [received, isInPaste, at] of [
      ["ab", false, -1],
      ["a\x03b", false, 2],
      ["a\x03b", true, -1],
      [`a\x03${end}b`, true, -1],
      [`a${end}\x03b`, true, 8],
      [`a${start}\x03${end}b`, false, -1],
      [`\x03${start}\x03${end}b\x03${start}\x03`, false, 16],
    ] as const
  ) {
    assertEquals(endOfInterrupt(received, isInPaste), at, JSON.stringify(received));
  }
});

Deno.test("Ruler.measure() tells the column and the row where a text ends", () => {
  for (
    const [text, cols, rows] of [
      ["", 0, 0],
      ["abc", 3, 0],
      ["\x1b[38;5;30mabc\x1b[39m", 3, 0],
      ["0123456789", 0, 1],
      ["0123456789a", 1, 1],
      ["漢漢漢漢漢", 0, 1],
      ["0漢漢漢漢漢", 2, 1],
      ["e\u0301\u20dd\u200d", 1, 0],
      ["soft\xadhyphen", 1, 1],
      ["a\tb", 9, 0],
      ["a\tb\tc", 0, 1],
    ] as const
  ) {
    assertEquals(new Ruler().measure(text, 10), { cols, rows }, text);
    const ruler = new Ruler();
    for (let end = 0; end <= text.length; end++) {
      if (!/\x1b[^m]*$/.test(text.slice(0, end))) ruler.measure(text.slice(0, end), 10);
    }
    assertEquals(ruler.measure(text, 10), { cols, rows }, `${text}, bit by bit`);
    ruler.measure(text + "x", 3);
    assertEquals(ruler.measure(text, 10), { cols, rows }, `${text}, after another width`);
  }
});

Deno.test("Ruler.measure() measures each character of a growing text once", () => {
  let measured = 0;
  const ruler = new Ruler(() => ++measured && 2);
  for (let length = 1; length <= 100; length++) ruler.measure("漢".repeat(length), 80);
  assertEquals(measured, 100);
});

function messages(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `message ${i}`);
}

test("Terminal stops at Ctrl-Z, and comes back with the line and what was printed meanwhile", async () => {
  const modes = `stty -a | tr ' ;' '\\n\\n' | grep -x -e '-\\?icanon'`;
  const shell = `"$@"; ${modes}; echo away; read word; echo "read $word"; fg > /dev/null`;
  await using pty = await Pty.open(60, 10, [fixture], { shell });
  await pty.until((screen) => screen.line === "you>" && screen.column === 5);
  pty.send({ keys: "/flood 3\r" });
  await pty.until(({ rows }) => rows.includes("message 2"));
  pty.send({ keys: "half a li\x1a" });
  await pty.until(({ rows }) => rows.at(-2) === "away");
  const away = pty.screen;
  assertEquals([away.rows.at(-3), away.marksPastes], ["icanon", false]);
  assert(!away.text.includes("half"), "the line being typed is away, too");
  pty.send({ keys: "words\r" });
  await pty.until(({ rows, line }) => rows.includes("read words") && line === "you> half a li");
  assert(pty.screen.marksPastes);
  pty.send({ keys: "ne\r" });
  await pty.until(({ rows }) => rows.includes('11: "half a line"'));
  pty.send({ keys: "\x04" });
  await pty.until(({ rows }) => rows.includes("ended after 2"));
});
