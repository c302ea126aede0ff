/** The scripts for pages: they are what their sources make, and how large they are. */

import { assert, assertEquals } from "@std/assert";
import { build, buildPage, PLAIN, type Target, WHOLE } from "../../browser/generate.ts";
import * as page from "../../browser/page.js";
import * as plainPage from "../../browser/plain_page.js";
import * as plain from "../../browser/plain_script.ts";
import * as whole from "../../browser/script.ts";

interface Script {
  readonly target: Target;
  readonly made: typeof whole;
  /** What it may take on its way to a page, compressed, in bytes. */
  readonly maxBytes: number;
  /** A module that only this one has. */
  readonly source: string;
  /** The module for bundlers. */
  readonly page: object;
}

const SCRIPTS: readonly Script[] = [
  { target: WHOLE, made: whole, maxBytes: 30_000, source: "session/machine.ts", page },
  {
    target: PLAIN,
    made: plain,
    maxBytes: 12_000,
    source: "browser/plain_client.ts",
    page: plainPage,
  },
];

function bytesOf(packed: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
}

async function unpacked(packed: string): Promise<string> {
  const stream = new Blob([bytesOf(packed)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return await new Response(stream).text();
}

for (const { target, made, maxBytes, source, page } of SCRIPTS) {
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

  Deno.test(`${target.page}.js is what generate.ts makes of its sources`, async () => {
    const there = await Deno.readTextFile(
      new URL(`../../browser/${target.page}.js`, import.meta.url),
    );
    assertEquals(there, await buildPage(target), "run: deno task generate");
  });

  Deno.test(`${target.page}.js has the names that its types have, and those of ${name}`, async () => {
    const url = URL.createObjectURL(
      new Blob([await unpacked(made.SCRIPT)], { type: "text/javascript" }),
    );
    const names = Object.keys(page).toSorted();
    assertEquals(names, Object.keys(await import(url)).toSorted());
    assertEquals(names, (await declared(`${target.page}.js`)).toSorted());
    URL.revokeObjectURL(url);
  });
}

/** The names of a module in the browser's folder that are there when a program runs, by its types. */
async function declared(file: string): Promise<string[]> {
  const path = new URL(`../../browser/${file}`, import.meta.url);
  const args = ["doc", "--json", path.pathname];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
  const [{ symbols }] = Object.values<{ symbols: Declared[] }>(
    JSON.parse(new TextDecoder().decode(stdout)).nodes,
  );
  // Only the type of Connection is exported.
  const isValue = ({ name, declarations: [{ kind }] }: Declared) =>
    kind !== "interface" && kind !== "typeAlias" && name !== "Connection";
  return symbols.filter(isValue).map(({ name }) => name);
}

interface Declared {
  readonly name: string;
  readonly declarations: readonly { readonly kind: string }[];
}
