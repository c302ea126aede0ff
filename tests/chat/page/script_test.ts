/** How the page's modules become one script. */

import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { checkNames, partOf, scriptOf } from "../../../chat/page/script.ts";

const BASE = "file:///page/main.ts";

Deno.test("partOf() takes out types, imports and exports, and leaves the comments", () => {
  const source = `/**
 * The module.
 *
 * @module
 */

import { one, type Two } from "./one.ts";
import type { Three } from "./three.ts";

/** A shape. */
export interface Shape {
  readonly two: Two;
}

/** Gives one. */
export function get(shape: Shape): Three {
  // It is there.
  return one(shape)!;
}
`;
  const { code, imports } = partOf("main.ts", source, BASE);
  assertEquals(imports.map(({ href }) => href), ["file:///page/one.ts"]);
  const words = code.split(/\s+/).filter(Boolean).join(" ");
  assertEquals(
    words,
    "/** Gives one. */ function get(shape ) { // It is there. return one(shape) ; }",
  );
});

Deno.test("partOf() refuses what one scope cannot hold", () => {
  for (
    const source of [
      'import { one as two } from "./one.ts";\n',
      'import * as one from "./one.ts";\n',
      'export { one } from "./one.ts";\n',
      "export default 1;\n",
    ]
  ) {
    assertThrows(() => partOf("main.ts", source, BASE), TypeError, "Cannot join main.ts: it has");
  }
});

Deno.test("checkNames() refuses two things of one name", () => {
  const part = (name: string, code: string) => ({ name, code });
  checkNames([part("a.ts", "const one = 1;\n  const two = 2;"), part("b.ts", "let two;")]);
  for (const code of ["let one;", "function one() {}", "async function one() {}", "class one {}"]) {
    assertThrows(
      () => checkNames([part("a.ts", "const one = 1;"), part("b.ts", code)]),
      TypeError,
      "Cannot join b.ts and a.ts: both declare one",
    );
  }
});

Deno.test("scriptOf() puts modules after those that they import, each once", async () => {
  const folder = await Deno.makeTempDir();
  const file = (name: string) => new URL(`file://${folder}/${name}`);
  try {
    await Deno.writeTextFile(file("low.ts"), "export const low: number = 1;\n");
    await Deno.writeTextFile(
      file("left.ts"),
      'import { low } from "./low.ts";\n\nexport const left = low + 1;\n',
    );
    await Deno.writeTextFile(
      file("main.ts"),
      'import { left } from "./left.ts";\nimport { low } from "./low.ts";\n\nshow(left, low);\n',
    );
    assertEquals(
      await scriptOf(file("main.ts")),
      "// low.ts\n\nconst low = 1;\n\n// left.ts\n\nconst left = low + 1;\n\n" +
        "// main.ts\n\nshow(left, low);\n",
    );
    await Deno.writeTextFile(file("low.ts"), 'import { left } from "./left.ts";\n');
    await assertRejects(() => scriptOf(file("main.ts")), TypeError, "it imports itself");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("scriptOf() gives the same for the same", async () => {
  const main = new URL("../../../chat/page/browser/main.ts", import.meta.url);
  // One after the other: where Deno has bundled nothing yet, two at once fail to install its bundler.
  const one = await scriptOf(main);
  assertEquals(await scriptOf(main), one);
  assertMatch(one, /^\/\/ [a-z_]+\.ts\n/);
});
