/** The order of the layers: who may import whom. CONTRIBUTING.md draws it. */

import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);

/** Each layer may import those before it. A layer `x` is `x.ts` and the folder `x/`. */
const ORDER = [
  "internal",
  "errors",
  "codec",
  "format",
  "transport",
  "connection",
  "session",
  "request",
  "backplane",
  "hub",
  "group",
  "cluster",
  "peers",
  "listen",
  "connect",
  "browser",
  "nats",
  "metrics",
  "telemetry",
  "files",
  "chat",
  "testing",
  "mod",
  "programs",
  "server",
  "client",
];

/** What is not the library and not a program. */
const OUTSIDE = ["deploy", "tests", "bench", "examples", "findings", "std", "docs"];

/** Ways into a layer other than its doors, and why. */
const WAYS_AROUND: Record<string, string> = {
  "programs -> transport/tls.ts":
    "it loads node:tls, so that nothing that is loaded at once can hand it on",
  "programs -> chat/page/respond.ts": "the page is 160 kB, which only servers with a page need",
  "chat -> browser/generate.ts":
    "the page's generator puts a script of the library in; it is not published",
  "programs -> chat/cluster/cluster.ts": "the entry point ./chat/cluster, loaded on demand",
  "programs -> chat/threads/threads.ts": "the entry point ./chat/threads, loaded on demand",
  "programs -> chat/history/sqlite.ts": "the entry point ./chat/sqlite_history, loaded on demand",
};

interface Import {
  readonly from: string;
  readonly to: string;
}

function layerOf(path: string): string {
  return path.split("/")[0].replace(/\.ts$/, "");
}

/** The doors of a layer: for everybody, and for other layers only. */
function doorsOf(layer: string): string[] {
  return [`${layer}.ts`, `${layer}/internal.ts`, `${layer}/${layer}.ts`];
}

async function sourceFiles(folder = ""): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(`./${folder}`, ROOT))) {
    if (name.startsWith(".") || (folder === "" && OUTSIDE.includes(name))) continue;
    if (isDirectory) files.push(...await sourceFiles(`${folder}${name}/`));
    else if (name.endsWith(".ts")) files.push(`${folder}${name}`);
  }
  return files.toSorted();
}

/** Who may import modules of Node: what no page loads. */
const MAY_IMPORT_NODE =
  /^(programs|files|chat|nats|metrics|telemetry)[/.]|^(server|client|browser\/generate)\.ts$/;

/**
 * All imports of one file of ours by another, of types too, as Deno itself sees them; and those of modules
 * of Node, without types.
 */
async function imports(): Promise<{ ours: Import[]; builtins: Import[] }> {
  const files = await sourceFiles();
  const all = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const lines = files.map((file) => `import "${new URL(file, ROOT)}";`);
    await Deno.writeTextFile(all, lines.join("\n"));
    const config = new URL("deno.json", ROOT).pathname;
    const command = new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", `--config=${config}`, "--no-lock", all],
    });
    const { stdout, success, stderr } = await command.output();
    assert(success, new TextDecoder().decode(stderr));
    const { modules } = JSON.parse(new TextDecoder().decode(stdout));
    const found: Import[] = [];
    const builtins: Import[] = [];
    for (const { specifier, dependencies = [] } of modules) {
      if (!specifier.startsWith(ROOT.href)) continue;
      const from = specifier.slice(ROOT.href.length);
      if (OUTSIDE.includes(layerOf(from))) continue;
      for (const { code, type } of dependencies) {
        const target: string = code?.specifier ?? type?.specifier ?? "";
        if (code?.specifier.startsWith("node:")) builtins.push({ from, to: target });
        if (!target.startsWith(ROOT.href)) continue;
        const to = target.slice(ROOT.href.length);
        if (!OUTSIDE.includes(layerOf(to))) found.push({ from, to });
      }
    }
    return { ours: found, builtins };
  } finally {
    await Deno.remove(all);
  }
}

/** Files that import each other, directly or by way of others. */
function circles(edges: readonly Import[]): string[] {
  const next = Map.groupBy(edges, ({ from }) => from);
  const state = new Map<string, "open" | "done">();
  const found: string[] = [];
  function visit(file: string, path: readonly string[]): void {
    if (state.get(file) === "done") return;
    if (state.get(file) === "open") {
      found.push([...path.slice(path.indexOf(file)), file].join(" -> "));
      return;
    }
    state.set(file, "open");
    for (const { to } of next.get(file) ?? []) visit(to, [...path, file]);
    state.set(file, "done");
  }
  for (const file of next.keys()) visit(file, []);
  return found;
}

const { ours: IMPORTS, builtins: BUILTINS } = await imports();

Deno.test("The root holds entry points only, each of which deno.json exports", async () => {
  const { exports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const exported = new Set(Object.values(exports));
  const root = (await sourceFiles()).filter((file) => !file.includes("/"));
  assertEquals(root.filter((file) => !exported.has(`./${file}`)), []);
});

Deno.test("Every layer has its place in the order", async () => {
  const layers = new Set((await sourceFiles()).map(layerOf));
  assertEquals([...layers].filter((layer) => !ORDER.includes(layer)), []);
  assert(IMPORTS.length > 500, `only ${IMPORTS.length} imports were found`);
});

Deno.test("Imports between layers point one way", () => {
  const upward = IMPORTS.filter(({ from, to }) =>
    ORDER.indexOf(layerOf(from)) < ORDER.indexOf(layerOf(to))
  );
  assertEquals(upward.map(({ from, to }) => `${from} -> ${to}`), []);
});

Deno.test("No files import each other in a circle", () => {
  assertEquals(circles(IMPORTS), []);
});

Deno.test("Imports between layers go through the layer's door", () => {
  const used = new Set<string>();
  const around: string[] = [];
  for (const { from, to } of IMPORTS) {
    const [inner, outer] = [layerOf(to), layerOf(from)];
    if (inner === outer || inner === "internal" || doorsOf(inner).includes(to)) continue;
    // What stands in the place of a layer's modules is as a part of that layer.
    if (from.startsWith("browser/instead/")) continue;
    // The entry points start the programs.
    if (to === `programs/${outer}/main.ts`) continue;
    const way = `${outer} -> ${to}`;
    if (way in WAYS_AROUND) used.add(way);
    else around.push(`${from} -> ${to}`);
  }
  assertEquals(around, []);
  assertEquals(Object.keys(WAYS_AROUND).filter((way) => !used.has(way)), [], "not needed any more");
});

Deno.test("Each entry point that starts a program asks a module of its own whether it was bundled", () => {
  // In a bundle of several files, it would stand apart from them if another entry point, or a part that is
  // loaded later, asked it, too. Then it would tell them nothing.
  const asking = IMPORTS.filter(({ to }) => to.startsWith("internal/bundled"));
  assertEquals(asking.map(({ from, to }) => `${from} -> ${to}`).toSorted(), [
    "client.ts -> internal/bundled/client.ts",
    "server.ts -> internal/bundled/server.ts",
  ]);
});

Deno.test("circles() finds what imports itself by way of others", () => {
  const edges = [{ from: "a", to: "b" }, { from: "b", to: "c" }, { from: "c", to: "b" }];
  assertEquals(circles(edges), ["b -> c -> b"]);
});

Deno.test("Nothing imports a module of Node: pages have none, and bundlers look", () => {
  const direct = BUILTINS.filter(({ from }) => !MAY_IMPORT_NODE.test(from));
  assertEquals(direct.map(({ from, to }) => `${from} -> ${to}`), []);
  assert(BUILTINS.length > 0, "no module of Node was found at all");
});
