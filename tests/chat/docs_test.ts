/** The transcripts and tables of docs/chat.md, held against the chat. */

import { assert, assertEquals } from "@std/assert";
import { type Person, TestChat } from "../support/chat.ts";

const DOCS = await Deno.readTextFile(new URL("../../docs/chat.md", import.meta.url));

const UNITS = { second: 1_000, minute: 60_000 } as const;

/** Plays what people do, and compares what they get with what is written. */
async function play(transcript: string): Promise<void> {
  await using test = new TestChat({ operatorToken: "open sesame", announceAfter: 5_000 });
  const people = new Map<string, Person>();
  const heard = new Map<string, string[]>();
  // Whoever did something is heard first: then it has happened.
  const listen = async (actor?: string) => {
    for (const name of new Set([actor ?? "", ...people.keys()])) {
      heard.get(name)?.push(...await people.get(name)!.heard());
    }
  };
  for (const line of transcript.trimEnd().split("\n")) {
    const [, name, arrow, text] = /^(\w+) ([<>]) (.*)$/.exec(line) ?? [];
    const [, count, unit] = /^(\d+) (second|minute)s? pass(?:es)?$/.exec(line) ?? [];
    const [, newcomer] = /^(\w+) connects$/.exec(line) ?? [];
    if (arrow === "<") assertEquals(heard.get(name)?.shift(), text, line);
    else if (arrow === ">") people.get(name)!.say(text);
    else if (count !== undefined) test.pass(Number(count) * UNITS[unit as keyof typeof UNITS]);
    else {
      assert(newcomer !== undefined, line);
      people.set(newcomer, test.enter());
      heard.set(newcomer, []);
    }
    if (arrow !== "<") await listen(name ?? newcomer);
  }
  for (const [name, lines] of heard) assertEquals(lines, [], `unwritten lines of ${name}`);
}

const sections = DOCS.split(/^##+ /m).slice(1);
for (const section of sections) {
  for (const [, transcript] of section.matchAll(/^```transcript\n([\s\S]*?)^```$/gm)) {
    const [title] = section.split("\n");
    Deno.test(`docs/chat.md's transcript of "${title}" is what happens`, () => play(transcript));
  }
}

Deno.test("docs/chat.md lists the commands as /help does", async () => {
  const rows = [...DOCS.matchAll(/^\| `(\/[^`]*)`\s*\| ([^|]*?)\s*\|/gm)];
  const documented = rows.map(([, usage, help]) => `* ${usage} ${help}`).sort();
  await using test = new TestChat({ operatorToken: "open sesame" });
  const root = await test.join();
  await root.ask("/operator open sesame");
  const help = (await root.ask("/help")).filter((line) => !line.startsWith("* //TEXT"));
  assertEquals(documented, help.sort());
});

Deno.test("docs/chat.md has a transcript in each of its sections on what happens", () => {
  assertEquals(DOCS.match(/^```transcript$/gm)?.length, 9);
});
