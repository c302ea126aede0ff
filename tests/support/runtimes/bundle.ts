/**
 * Bundles test files for Node and Bun, which neither know TypeScript's every word nor deno.json. A process of
 * its own, since esbuild leaves one running for as long as this one does.
 *
 * Usage: bundle.ts OUT MAIN: MAIN is a module that imports the test files.
 */

import { assert } from "@std/assert";
// deno-lint-ignore no-import-prefix
import * as esbuild from "npm:esbuild@0.25.12";

const ROOT = new URL("../../../", import.meta.url).pathname;
const STAND_IN = new URL("deno_stand_in.ts", import.meta.url).pathname;
const NPM = /^npm:\/?((?:@[^/]+\/)?[^@/]+)@[^/]+(\/.*)?$/;

const [outdir, main] = Deno.args;

/** Where the imports of all files lead, as Deno finds them. */
async function targets(): Promise<Map<string, string>> {
  const args = ["info", "--json", "--no-lock", `--config=${ROOT}deno.json`, main];
  const { stdout, success } = await new Deno.Command(Deno.execPath(), { args }).output();
  assert(success, `${main} cannot be read`);
  const found = new Map<string, string>();
  for (const { specifier: from, dependencies = [] } of JSON.parse(textOf(stdout)).modules) {
    for (const { specifier, code } of dependencies) {
      if (code !== undefined) found.set(`${from} ${specifier}`, code.specifier);
    }
  }
  return found;
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

const found = await targets();

await esbuild.build({
  entryPoints: [main],
  outdir,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node22",
  outExtension: { ".js": ".mjs" },
  plugins: [{
    name: "as Deno resolves, with a stand-in for Deno in tests",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /./ }, ({ path, importer, kind }) => {
        if (kind === "entry-point" || path === STAND_IN) return { path };
        const target = found.get(`file://${importer} ${path}`) ?? path;
        if (target.startsWith("file:")) return { path: new URL(target).pathname };
        const [, name, file = ""] = NPM.exec(target) ?? [];
        return { path: name === undefined ? target : name + file, external: true };
      });
      onLoad({ filter: /\/tests\/.*\.ts$/ }, async ({ path }) => {
        const source = (await Deno.readTextFile(path))
          // What is imported by a name in a variable.
          .replace(/"npm:([^"@]+)@[^"]*"/g, '"$1"')
          // Node has no such events.
          .replace('globalThis.addEventListener("unload",', "Deno.atEnd(");
        const usesDeno = /\bDeno\./.test(source) && path !== STAND_IN;
        const first = usesDeno ? `import { Deno } from ${JSON.stringify(STAND_IN)};` : "";
        return { contents: first + source, loader: "ts" };
      });
    },
  }],
});
await esbuild.stop();
