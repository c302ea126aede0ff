/** Modules for Node and Bun, bundled in a folder from which libraries are found. */

import { assert } from "@std/assert";
import { FOLDER } from "./packages.ts";

/** Bundles the source of a module, which may import anything of this repository. Gives the path. */
export async function bundled(source: string): Promise<string> {
  const folder = await Deno.makeTempDir({ dir: FOLDER });
  globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
  await Deno.writeTextFile(`${folder}/main.ts`, source);
  const bundler = new URL("bundle.ts", import.meta.url).pathname;
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", "--quiet", bundler, folder, `${folder}/main.ts`],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return `${folder}/main.mjs`;
}
