/** The scripts for pages: they are what their sources make, and how large they are. */

import { assert, assertEquals } from "@std/assert";
import { build, PLAIN, type Target, WHOLE } from "../../browser/generate.ts";
import * as plain from "../../browser/plain_script.ts";
import * as whole from "../../browser/script.ts";

interface Script {
  readonly target: Target;
  readonly made: typeof whole;
  /** What it may take on its way to a page, compressed, in bytes. */
  readonly maxBytes: number;
  /** A module that only this one has. */
  readonly source: string;
}

const SCRIPTS: readonly Script[] = [
  { target: WHOLE, made: whole, maxBytes: 30_000, source: "session/machine.ts" },
  { target: PLAIN, made: plain, maxBytes: 12_000, source: "browser/plain_client.ts" },
];

function bytesOf(packed: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
}

async function unpacked(packed: string): Promise<string> {
  const stream = new Blob([bytesOf(packed)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return await new Response(stream).text();
}

for (const { target, made, maxBytes, source } of SCRIPTS) {
  const name = `${target.name}.js`;

  Deno.test(`${name} is what generate.ts makes of its sources`, async () => {
    const { script } = await build(target);
    assertEquals(await unpacked(made.SCRIPT), script, "run: deno task generate");
  });

  Deno.test(`${name} has at most ${maxBytes} bytes compressed, and names nothing of servers`, async () => {
    const bytes = bytesOf(made.SCRIPT).length;
    assert(bytes <= maxBytes, `${bytes} bytes`);
    if (Deno.env.has("LENGTHWISE_SIZES")) console.log(`${name}: ${bytes} bytes`);
    const script = await unpacked(made.SCRIPT);
    const others = script.match(
      /node:(?!buffer|net)\w+|Deno\.(?!errors|build|unrefTimer)\w+|\bimport\(|eval\(/g,
    );
    assertEquals(others, null);
    assert(script.endsWith(`//# sourceMappingURL=${name}.map\n`));
  });

  Deno.test(`${name} has a map, with the sources as they were`, async () => {
    const { version, sources, sourcesContent } = JSON.parse(await unpacked(made.SOURCE_MAP));
    assertEquals([version, sourcesContent.length], [3, sources.length]);
    assert(sources.includes("connection/lifecycle.ts"));
    assert(sources.includes(source));
    assertEquals(sources.filter((file: string) => /^\/|\.\.|file:/.test(file)), []);
    assert(sourcesContent[sources.indexOf("connection.ts")].includes("export class Connection"));
  });
}
