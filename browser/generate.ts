/**
 * Writes `script.ts` from `client.ts`, and `plain_script.ts` from `plain_client.ts`, since who runs a
 * server should need no build step: `deno run -A browser/generate.ts`. What no page can do is left out:
 * the modules for it are replaced by those in `instead/`.
 *
 * @module
 */

import { gzipSync } from "node:zlib";
import { minify } from "terser";

const ROOT = new URL("../", import.meta.url);

/** What stands in the place of what. */
const INSTEAD: Readonly<Record<string, string>> = {
  "codec.ts": "codec.ts",
  "codec/batch.ts": "batch.ts",
  "codec/internal.ts": "codec_internal.ts",
  "connect/credentials.ts": "credentials.ts",
  "connect/road.ts": "road.ts",
  "connection/drain.ts": "drain.ts",
  "connection/inbox.ts": "inbox.ts",
  "connection/liveness.ts": "liveness.ts",
  "connection/receiver.ts": "receiver.ts",
  "connection/sender.ts": "sender.ts",
  "connection/shared.ts": "shared.ts",
  "connection/start_tls.ts": "start_tls.ts",
  "connection/switching.ts": "switching.ts",
  "internal/clock.ts": "clock.ts",
  "internal/memory.ts": "memory.ts",
  "internal/reason.ts": "reason.ts",
  "internal/runtime/errors.ts": "errors.ts",
  "internal/runtime/short_text.ts": "short_text.ts",
  "internal/text.ts": "text.ts",
  "session/blocks.ts": "blocks.ts",
  "session/carrier.ts": "carrier.ts",
  "session/draining.ts": "draining.ts",
  "session/greeting.ts": "greeting.ts",
  "session/outgoing.ts": "outgoing.ts",
  "transport/endpoint.ts": "endpoint.ts",
  "transport/internal.ts": "transport.ts",
};

/** What else stands in the place of what, in the script without sessions. */
const WITHOUT_SESSIONS: Readonly<Record<string, string>> = {
  "codec.ts": "plain_codec.ts",
  "connect/moving.ts": "plain_session.ts",
  "connect/open_session.ts": "plain_session.ts",
  "connect/road_session.ts": "plain_session.ts",
};

/** The same for packages. */
const PACKAGES: Readonly<Record<string, string>> = {
  "@std/async/delay": "delay.ts",
  "@std/data-structures": "data_structures.ts",
};

/** A script that is made. */
export interface Target {
  /** Its name, without an ending. */
  readonly name: string;
  /** The module that it is made of. */
  readonly entry: URL;
  /** What stands in the place of what. */
  readonly instead: Readonly<Record<string, string>>;
}

const here = (file: string) => new URL(file, import.meta.url);

/** Everything that a page can use. */
export const WHOLE: Target = { name: "lengthwise", entry: here("client.ts"), instead: INSTEAD };

/** Connections and formats, without sessions and requests. */
export const PLAIN: Target = {
  name: "lengthwise-plain",
  entry: here("plain_client.ts"),
  instead: { ...INSTEAD, ...WITHOUT_SESSIONS },
};

/** A script and its source map. */
export interface Built {
  /** The script. */
  readonly script: string;
  /** Its map, in JSON, with the sources. */
  readonly map: string;
}

/** Makes one script of a module and of all that it imports, as a page has them. */
export async function build({ name, entry, instead }: Target = WHOLE): Promise<Built> {
  const folder = await Deno.makeTempDir();
  try {
    const bundled = await bundle(entry, instead, folder);
    const { code, map } = await minify(bundled.script, {
      module: true,
      ecma: 2020,
      compress: { passes: 2 },
      sourceMap: { content: bundled.map, includeSources: true, url: `${name}.js.map` },
    });
    return { script: `${code}\n`, map: named(String(map), folder) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function bundle(entry: URL, instead: Target["instead"], folder: string): Promise<Built> {
  const imports: Record<string, string> = {};
  for (const [file, other] of Object.entries(instead)) {
    imports[new URL(file, ROOT).href] = here(`instead/${other}`).href;
  }
  for (const [name, other] of Object.entries(PACKAGES)) {
    imports[name] = here(`instead/${other}`).href;
  }
  await Deno.writeTextFile(`${folder}/import_map.json`, JSON.stringify({ imports }));
  const output = `${folder}/bundle.js`;
  const command = new Deno.Command(Deno.execPath(), {
    args: [
      ...["bundle", "--quiet", "--platform=browser", "--minify", "--sourcemap=external"],
      ...["--no-lock", `--config=${new URL("deno.json", ROOT).pathname}`],
      ...[`--import-map=${folder}/import_map.json`, "-o", output, entry.href],
    ],
    env: { NO_COLOR: "1" },
  });
  const { success, stderr } = await command.output();
  if (!success) throw new Error(`Cannot bundle: ${new TextDecoder().decode(stderr)}`);
  return {
    script: await Deno.readTextFile(output),
    map: await Deno.readTextFile(`${output}.map`),
  };
}

/** A map whose sources have names that say nothing of the machine it was made on. */
function named(text: string, folder: string): string {
  const map = JSON.parse(text);
  map.sources = map.sources.map((source: string) => {
    const { href } = new URL(source, `file://${folder}/`);
    return href.startsWith(ROOT.href)
      ? href.slice(ROOT.href.length)
      : href.replace(/^.*\/(?=deno-std\/)/, "npm/");
  });
  return JSON.stringify(map);
}

/** The text of the module that has a script. */
export async function scriptModule({ script, map }: Built): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(script + map));
  const tag = new Uint8Array(bytes).toBase64().slice(0, 16);
  return `/**
 * A script for pages. Generated by generate.ts: change what it is made of.
 *
 * @module
 */

/** What tells this script from another version of it. */
export const TAG: string = "${tag}";

/** The script, compressed by gzip, in base64. */
export const SCRIPT: string =
  "${packed(script)}";

/** Its source map, in the same way. */
export const SOURCE_MAP: string =
  "${packed(map)}";
`;
}

/** A text, compressed, in base64. */
function packed(text: string): string {
  return new Uint8Array(gzipSync(text, { level: 9 })).toBase64();
}

if (import.meta.main) {
  await Deno.writeTextFile(here("script.ts"), await scriptModule(await build(WHOLE)));
  await Deno.writeTextFile(here("plain_script.ts"), await scriptModule(await build(PLAIN)));
}
