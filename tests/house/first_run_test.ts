import { assertEquals, assertLess } from "@std/assert";
import { run, RunningServer } from "../support/program.ts";

/** The names of the npm packages in a cache. */
async function packages(cache: string): Promise<string[]> {
  const names: string[] = [];
  for await (const registry of Deno.readDir(`${cache}/npm`)) {
    for await (const { name } of Deno.readDir(`${cache}/npm/${registry.name}`)) names.push(name);
  }
  return names;
}

/** The bytes of all files in a folder. */
async function sizeOf(folder: string): Promise<number> {
  let size = 0;
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    size += isDirectory ? await sizeOf(path) : (await Deno.stat(path)).size;
  }
  return size;
}

Deno.test("the programs' first run downloads what they use, under 5 MB, and nothing for tests", async () => {
  const cache = await Deno.makeTempDir();
  const env = { DENO_DIR: cache };
  try {
    await using server = await RunningServer.start(["tcp://127.0.0.1:0"], { env });
    const { code, stderr } = await run("client.ts", [server.endpoints[0], "ping"], { env });
    assertEquals(code, 0, stderr);
    assertEquals(await packages(cache), ["deno-std"]);
    assertLess(await sizeOf(`${cache}/npm`), 5_000_000);
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
});
