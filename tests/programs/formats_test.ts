import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { framing, type FramingText } from "../../codec.ts";
import { PRESET_NAMES } from "../../codec/presets/names.ts";
import { document } from "../../programs/formats/document.ts";
import type { ProgramFormat } from "../../programs/formats/format.ts";
import { FORMATS } from "../../programs/formats/table.ts";
import { parseEndpoint } from "../../transport.ts";
import { eventsIn } from "../support/events.ts";
import { outcomeOf } from "../support/bytes.ts";
import { runHere } from "../support/in_process.ts";

/** The framing in the endpoint of a format. A format of files and pipes has no more than that. */
function textOf({ endpoint }: ProgramFormat): FramingText {
  return (endpoint.split("?framing=")[1] ?? endpoint) as FramingText;
}

Deno.test("The table of formats has every framing that is named after a program", () => {
  assertEquals(FORMATS.map(({ name }) => name), [...PRESET_NAMES]);
});

for (const format of FORMATS) {
  Deno.test(`What is told of ${format.name} is what its framing does`, () => {
    const text = textOf(format);
    assertMatch(text, new RegExp(`^${format.name}\\b`));
    if (format.endpoint !== text) parseEndpoint(format.endpoint);
    assertEquals(framing(text).maxMessageBytes, format.limit);

    const bytes = Uint8Array.fromHex(format.bytes.replace(/[ |]/g, ""));
    const { messages, error } = outcomeOf(framing(text).decoder(), [bytes]);
    assertEquals([messages.length, error], [1, undefined]);
    const bars = format.bytes.split("|").length;
    const parts = format.parts.split(/,|:/).length;
    assert(bars === 1 || parts >= bars, `${bars} parts are drawn, and ${parts} told`);
  });
}

Deno.test("docs/formats.md is the table of formats", async () => {
  const formatter = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", "--ext", "md", "-"],
    cwd: new URL("../../", import.meta.url),
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const input = new Blob([document(FORMATS)]).stream().pipeTo(formatter.stdin);
  const { stdout, success } = await formatter.output();
  await input;
  assert(success);
  const page = await Deno.readTextFile(new URL("../../docs/formats.md", import.meta.url));
  const advice = "write it with: deno run -A programs/formats/generate.ts";
  assert(page === new TextDecoder().decode(stdout), advice);
});

Deno.test("client.ts formats lists all formats, a line each", async () => {
  const { code, stdout, stderr } = await runHere("client.ts", ["formats"]);
  assertEquals([code, stderr], [0, ""]);
  const names = stdout.trimEnd().split("\n").map((line) => line.split(" ")[0]);
  assertEquals(names, FORMATS.map(({ name }) => name));
});

Deno.test("client.ts formats NAME tells all that is known of it, in lines of 80 characters", async () => {
  for (const format of FORMATS) {
    const { code, stdout } = await runHere("client.ts", ["formats", format.name.toUpperCase()]);
    assertEquals(code, 0);
    const told = stdout.replace(/\s+/g, " ");
    const { name, bytes, programs, message, endpoint, counts, above, surprises } = format;
    for (const fact of [name, programs, bytes, message, endpoint, counts, above, ...surprises]) {
      assertStringIncludes(told, fact);
    }
    const [title, drawn] = [0, 2];
    const lines = stdout.split("\n").filter((_, i) => i !== title && i !== drawn);
    assertEquals(lines.filter((line) => line.length > 80), []);
  }
});

Deno.test("client.ts formats --json gives a line of JSON for each", async () => {
  const { code, stdout } = await runHere("client.ts", ["formats", "mqtt", "--json"]);
  assertEquals(code, 0);
  const mqtt = FORMATS.find(({ name }) => name === "mqtt");
  assertEquals(eventsIn(stdout), [{ event: "format", ...mqtt }]);
});

Deno.test("client.ts formats names the nearest right name, and takes one", async () => {
  for (
    const [args, words] of [
      [["formats", "postgers"], 'unknown format "postgers", the nearest is "postgres"'],
      [
        ["formats", "zzzzzzzzzzzzz"],
        'unknown format "zzzzzzzzzzzzz", client.ts formats lists them',
      ],
      [["formats", "mqtt", "kafka"], '"formats" takes one name, but got 2'],
      [["format"], '"format" is no endpoint: did you mean the command formats?'],
      [[":1", "formats"], '"formats" comes first'],
    ] as const
  ) {
    const { code, stderr } = await runHere("client.ts", [...args]);
    assertEquals(code, 2);
    assertStringIncludes(stderr, words);
  }
});
