/** `deno task test` runs what the files in `tests/together/` import: no test may be forgotten there. */

import { assertEquals } from "@std/assert";

const TESTS = new URL("../", import.meta.url);
const TOGETHER = new URL("together/", TESTS);
/** These have a task of their own. */
const APART = "interop";

/** The paths below `tests/` of all tests. */
async function allTests(folder = ""): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(`./${folder}`, TESTS))) {
    const path = folder + name;
    if (isDirectory) paths.push(...await allTests(`${path}/`));
    else if (name.endsWith("_test.ts")) paths.push(path);
  }
  return paths;
}

function isSideBySide(path: string): boolean {
  return !path.startsWith(`${APART}/`) && !path.endsWith("_alone_test.ts");
}

Deno.test("each test that runs side by side is imported once in tests/together", async () => {
  const imported: string[] = [];
  for await (const { name } of Deno.readDir(TOGETHER)) {
    const text = await Deno.readTextFile(new URL(name, TOGETHER));
    for (const [, path] of text.matchAll(/^import "\.\.\/(.+)";$/gm)) imported.push(path);
  }
  assertEquals(imported.toSorted(), (await allTests()).filter(isSideBySide).toSorted());
});

Deno.test("each test that needs an engine is awaited: later it may not be defined any more", async () => {
  const forgotten: string[] = [];
  for (const path of await allTests()) {
    const text = await Deno.readTextFile(new URL(path, TESTS));
    if (/^ *testWith\(/m.test(text)) forgotten.push(path);
  }
  assertEquals(forgotten, []);
});
