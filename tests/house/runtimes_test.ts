/** What the oldest runtime does not have, and where Deno's own functions are called. */

import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);

/** What only Deno runs. */
const ONLY_DENO = /^(tests|bench|deploy|findings|docs|std|examples|programs|browser|chat\/page)\//;

/** What Deno 2.9 has, and Node 22 has not. */
const TOO_NEW =
  /\.toHex\(\)|\.toBase64\(\)|Uint8Array\.from(Hex|Base64)\(|Promise\.try\(|RegExp\.escape\(|Iterator\.concat\(/;

/** Where functions of Deno are called: behind a look at which runtime this is. */
const SEAMS = /^internal\/runtime\/|^files\/|^transport\/fetch\.ts$/;

async function* sources(folder = ""): AsyncIterable<{ path: string; code: string }> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(`./${folder}`, ROOT))) {
    const path = folder + name;
    if (name.startsWith(".") || ONLY_DENO.test(`${path}/`)) continue;
    if (isDirectory) yield* sources(`${path}/`);
    else if (name.endsWith(".ts")) {
      const text = await Deno.readTextFile(new URL(path, ROOT));
      yield { path, code: text.replaceAll(/\/\*\*[^]*?\*\/|\/\/.*/g, "") };
    }
  }
}

const LIBRARY = await Array.fromAsync(sources());

Deno.test("The library uses nothing that Node 22 does not have", () => {
  assert(LIBRARY.length > 300, `only ${LIBRARY.length} files were found`);
  assertEquals(LIBRARY.flatMap(({ path, code }) => TOO_NEW.test(code) ? path : []), []);
});

Deno.test("The library calls functions of Deno only where it knows that this is Deno", () => {
  const calls = LIBRARY.flatMap(({ path, code }) => {
    const called = code.match(/\bDeno\.[a-z][\w.]*\(/g) ?? [];
    return SEAMS.test(path) ? [] : called.map((call) => `${path}: ${call}`);
  });
  assertEquals(calls, []);
});
