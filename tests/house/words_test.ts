/** Programs do not read English: what the chat says is recognised by its codes, not by its words. */

import { assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);

/** Where the chat is read; chat/engine writes it. */
const READERS = ["programs", "listen", "connect", "chat/page", "chat/commands"];

/** What is generated. */
const GENERATED = ["chat/page/page.ts"];

/** Lines that look so and are in order, with the reason. */
const EXCEPTIONS: Record<string, string> = {
  'programs/client/dialogue.ts: const mayBeChat = text.startsWith("* ") && !this.#sent.has(text);':
    "the mark of the chat's own lines, which docs/chat.md promises; no words",
  'programs/terminal/paint.ts: return line.startsWith("* ") ? dim(line) : line;':
    "the same mark, for a colour",
  'chat/page/browser/hearing.ts: return text.replace(/^\\* /, "").trimEnd();':
    "the same mark, which the page does not show",
};

/** A regular expression for a line of the chat, `/^\* `. */
const PATTERN = /\/\^?(?:\(\?:)?\\\* |String\.raw`\^?\\\*/;
/** A comparison with the beginning of one. */
const COMPARISON = /(?:startsWith|endsWith|includes|indexOf|test|match|===|!==)\(? ?["'`]\* /;
/** The beginnings of what the chat says in its own words, in a pattern or a comparison. */
const WORDS =
  /(?:startsWith\(|includes\(|test\(|\/\^?\(?)["'`]?(?:Welcome,|Cannot \(?(?:join|use|enter|take)|You (?:are|were|tell)|Disconnected)/;

function isReading(line: string): boolean {
  return PATTERN.test(line) || COMPARISON.test(line) || WORDS.test(line);
}

async function* files(folder: string): AsyncIterable<string> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* files(path);
    else if (/\.(ts|html)$/.test(name) && !GENERATED.includes(path)) yield path;
  }
}

Deno.test("No program recognises what the chat says by its words", async () => {
  const used = new Set<string>();
  const found: string[] = [];
  for (const folder of READERS) {
    for await (const path of files(folder)) {
      const source = await Deno.readTextFile(new URL(path, ROOT));
      for (const line of source.split("\n").filter(isReading)) {
        const where = `${path}: ${line.trim()}`;
        if (where in EXCEPTIONS) used.add(where);
        else found.push(where);
      }
    }
  }
  assertEquals(found, []);
  assertEquals(Object.keys(EXCEPTIONS).filter((one) => !used.has(one)), [], "not needed any more");
});

Deno.test("isReading() knows the ways in which words were recognised", () => {
  for (
    const line of [
      "const REFUSAL = /^\\* (?:Cannot join: )/;",
      "const LISTED = /^\\* \\d+ here: /;",
      "const TOLD = new RegExp(String.raw`^\\* ${name} tells you: `);",
      'if (text.startsWith("* Welcome, ")) {',
      "if (text !== `* pong ${token}`) return;",
      "if (/^(You were (kicked|banned) by |Disconnected: )/.test(text)) {",
      "if (/^Cannot (join|enter)/.test(text)) giveUp();",
    ]
  ) assertEquals(isReading(line), true, line);
  for (const line of ["/** A comment. */", " * A list * of words", "return `* ${text}`;"]) {
    assertEquals(isReading(line), false, line);
  }
});
