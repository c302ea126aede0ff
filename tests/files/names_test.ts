/** Names that look the same and are written with other characters. */

import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { getFile, listFiles, openDirectory, putFile } from "../../files.ts";
import { assertCode, content, World } from "../support/files_world.ts";

/** The same names as most keyboards write them, and as a Mac's files have them. */
const NAMES: [string, string][] = [
  ["caf\u00e9.txt", "cafe\u0301.txt"],
  ["\ud55c\uae00", "\u1112\u1161\u11ab\u1100\u1173\u11af"], // Hangul
  ["\u00c5ngstr\u00f6m", "\u212bngstro\u0308m"], // a sign of its own
  ["\u1ea1\u0302", "a\u0302\u0323"], // two marks in another order
];

for (const [typed, onMac] of NAMES) {
  for (const [stored, other] of [[typed, onMac], [onMac, typed]]) {
    const what = `${typed}, ${stored === typed ? "composed" : "decomposed"}`;
    Deno.test(`getFile() and putFile() take names that look the same for one: ${what}`, async () => {
      await using world = await World.create();
      const { peer } = world.link();
      const path = await world.write("local", content(500));
      await putFile(peer, path, { name: stored });
      const copy = join(world.here, "copy");
      await getFile(peer, other, copy);
      assertEquals(await Deno.readFile(copy), content(500));
      // The same bytes are there already; others are refused.
      assertEquals((await putFile(peer, path, { name: other })).resumedAt, 500);
      const changed = await world.write("changed", content(501));
      await assertCode(() => putFile(peer, changed, { name: other }), "exists");
      assertEquals(world.names(), [stored]);
      assertEquals((await Array.fromAsync(listFiles(peer))).map(({ name }) => name), [stored]);
      // Nor does a fetch make a second one here.
      await world.write(other, "mine");
      await assertCode(() => getFile(peer, stored, join(world.here, stored)), "exists");
      await getFile(peer, stored, join(world.here, stored), { replace: true });
      assertEquals(await Deno.readFile(join(world.here, other)), content(500));
    });
  }
}

Deno.test("putFile() replaces a file that looks the same under its stored name", async () => {
  await using world = await World.create({ replace: true });
  const { peer } = world.link();
  const [[typed, onMac]] = NAMES;
  await putFile(peer, await world.write("one", content(500)), { name: onMac });
  await putFile(peer, await world.write("two", content(700)), { name: typed });
  assertEquals(world.names(), [onMac]);
  assertEquals(await Deno.readFile(join(world.served, onMac)), content(700));
});

Deno.test("putFile() of two files that look the same makes one, also over two servers", async () => {
  const [[typed, onMac]] = NAMES;
  for (const servers of [1, 2]) {
    await using world = await World.create();
    const { peer } = world.link();
    const second = servers === 1 ? peer : world.link({}, await openDirectory(world.served)).peer;
    // Both are there before either is sent, because the first could be over before the second begins.
    const one = await world.write("one", content(600_000));
    const two = await world.write("two", content(600_001, 2));
    const done = await Promise.allSettled([
      putFile(peer, one, { name: typed }),
      putFile(second, two, { name: onMac }),
    ]);
    assertEquals(done.filter(({ status }) => status === "fulfilled").length, 1);
    assertEquals(world.names().filter((name) => !name.startsWith(".")).length, 1);
  }
});

Deno.test("putFile() goes on with a part whose name is written otherwise", async () => {
  const [[typed, onMac]] = NAMES;
  await using world = await World.create();
  const path = await world.write("one", content(2_000_000));
  const { peer, cut } = world.link();
  const abort = new AbortController();
  const sending = putFile(peer, path, {
    name: onMac,
    signal: abort.signal,
    onProgress: ({ bytes }) => bytes > 1_000_000 && abort.abort(new Error("enough")),
  });
  await sending.catch(() => {});
  await cut();
  const { resumedAt } = await putFile(world.link().peer, path, { name: typed });
  assertEquals(resumedAt > 0, true);
  assertEquals(world.names(), [typed]);
});

Deno.test("getFile() fetches the very file where two look the same", async () => {
  const [[typed, onMac]] = NAMES;
  await using world = await World.create();
  const { peer } = world.link();
  for (const name of [typed, onMac]) await Deno.writeTextFile(join(world.served, name), name);
  for (const name of [typed, onMac]) {
    const copy = join(world.here, `copy ${name.length}`);
    await getFile(peer, name, copy);
    assertEquals(await Deno.readTextFile(copy), name);
  }
});
