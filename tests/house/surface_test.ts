/** What the package gives to others: the names, what they mention, and what importing them loads. */

import { assert, assertEquals } from "@std/assert";
import * as lengthwise from "../../mod.ts";

const ROOT = new URL("../../", import.meta.url);

/** The names of "." that are there when a program runs. */
const VALUES = [
  "ConnectError",
  "Connection",
  "ConnectionClosedError",
  "ConnectionLostError",
  "FRAMING_NAMES",
  "FrameTimeoutError",
  "FramingTextError",
  "Hub",
  "InvalidLengthError",
  "InvalidMessageError",
  "LengthwiseError",
  "ListenError",
  "MessageTooLargeError",
  "PeerHub",
  "ProtocolError",
  "RefusedError",
  "RequestError",
  "Session",
  "SessionLostError",
  "SessionRefusedError",
  "SlowConsumerError",
  "TruncatedMessageError",
  "backoff",
  "bytes",
  "connect",
  "framing",
  "json",
  "lengthPrefix",
  "line",
  "listen",
  "none",
  "reconnect",
  "requests",
  "text",
  "varint",
];

/** The names of "." that are there for the compiler only. */
const TYPES = [
  "CloseInfo",
  "ConnectOptions",
  "ConnectionOptions",
  "Format",
  "Framing",
  "FramingKind",
  "FramingName",
  "FramingText",
  "Handler",
  "Handlers",
  "HubOptions",
  "ListenOptions",
  "PeerHubOptions",
  "ReconnectOptions",
  "RequestOptions",
  "RequestPeer",
  "RetryPolicy",
  "Server",
  "SessionOptions",
  "StandardSchema",
];

/** Classes of errors that are not in errors.ts, and why. */
const OTHER_ERRORS: Record<string, string> = {
  "programs/capture/packets.ts CaptureError": "a capture file that cannot be read any further",
  "programs/client/recording/recorder.ts RecordingError":
    "a recording that cannot be written, which ends the program",
  "programs/shared/options.ts UsageError": "a wrong command line, which ends the program",
  "programs/shared/output.ts OutputError": "output that cannot be written, told when that happens",
  "programs/shared/output.ts ReaderGoneError": "nobody reads the output, which is no failure",
  "transport/tls/errors.ts CutError":
    "a mark for transport/ and the client; others catch it as a TlsError",
};

/** Types that nothing else mentions, and why they are exported. */
const FREE_TYPES: Record<string, string> = {
  LineEvent: "for programs that show lines for the chat's JSON",
  FileErrorCode: "for those who compare the code of a RequestError",
};

/** A part of what `deno doc --json` prints: we only look for some of its members. */
interface Doc {
  readonly [member: string]: unknown;
}

interface Declared {
  readonly name: string;
  readonly declarations: readonly (Doc & { readonly location: { readonly filename: string } })[];
}

async function deno(...args: string[]): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), { args, cwd: ROOT });
  const { stdout, success, stderr } = await command.output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** What each entry point exports. */
async function entries(): Promise<Map<string, readonly Declared[]>> {
  const { exports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const { nodes } = JSON.parse(await deno("doc", "--json", ...Object.values<string>(exports)));
  return new Map(
    Object.entries<{ symbols: Declared[] }>(nodes).map(([file, { symbols }]) => [file, symbols]),
  );
}

/** Calls back for all types that a declaration mentions, but for those of what is marked internal. */
function eachType(doc: unknown, found: (name: string, resolution: Doc) => void): void {
  if (typeof doc !== "object" || doc === null) return;
  const { kind, value, jsDoc, accessibility, ...rest } = doc as Record<string, Doc | undefined>;
  const tags = (jsDoc?.tags ?? []) as { kind: string }[];
  if (tags.some((tag) => tag.kind === "internal") || String(accessibility) === "private") return;
  if (["typeRef", "typeQuery"].includes(String(kind)) && value?.resolution !== undefined) {
    found(String(value.typeName), value.resolution as Doc);
  }
  eachType(value, found);
  for (const member of Object.values(rest)) eachType(member, found);
}

/** The modules that are loaded with one of ours, before anything is called. */
async function loadedWith(file: string): Promise<string[]> {
  const { roots, modules } = JSON.parse(await deno("info", "--json", file));
  const dependencies = new Map<string, { isDynamic?: boolean; code?: { specifier: string } }[]>(
    modules.map((module: { specifier: string; dependencies?: [] }) => [
      module.specifier,
      module.dependencies ?? [],
    ]),
  );
  const loaded = new Set<string>(roots);
  for (const specifier of loaded) { // which grows
    for (const { isDynamic, code } of dependencies.get(specifier) ?? []) {
      if (!isDynamic && code !== undefined) loaded.add(code.specifier);
    }
  }
  return [...loaded].map((specifier) => specifier.replace(ROOT.href, ""));
}

const ENTRIES = await entries();

Deno.test("'.' gives what a first program needs, and no more", () => {
  assertEquals(Object.keys(lengthwise).toSorted(), VALUES);
  const names = ENTRIES.get(new URL("mod.ts", ROOT).href)!.map(({ name }) => name);
  assertEquals(names.toSorted(), [...VALUES, ...TYPES].toSorted());
});

Deno.test("Importing '.' loads no chat, no files, no program and no node:crypto", async () => {
  const loaded = await loadedWith("mod.ts");
  assert(loaded.includes("connection.ts") && loaded.includes("session/machine.ts"));
  const wrong =
    /^(chat|files|programs)[/.]|^(server|client|testing)\.ts$|^node:(crypto|tls|dgram)$/;
  assertEquals(loaded.filter((specifier) => wrong.test(specifier)), []);
});

Deno.test("What is exported mentions only types that are exported", () => {
  const exported = new Set<string>();
  for (const [file, symbols] of ENTRIES) {
    for (const { name, declarations } of symbols) {
      exported.add(`${file} ${name}`);
      for (const { location } of declarations) exported.add(`${location.filename} ${name}`);
    }
  }
  const missing = new Set<string>();
  for (const { name, declarations } of [...ENTRIES.values()].flat()) {
    for (const declaration of declarations) {
      const { filename } = declaration.location;
      eachType(declaration, (typeName, { kind, specifier, name: imported }) => {
        if (kind === "typeParam") return;
        const file = kind === "import" ? new URL(String(specifier), filename).href : filename;
        const type = `${file} ${kind === "import" ? imported : typeName}`;
        if (!exported.has(type)) missing.add(`${name}: ${type.replace(ROOT.href, "")}`);
      });
    }
  }
  assertEquals([...missing], []);
});

Deno.test("Every exported type is of use: something else that is exported mentions it", () => {
  const symbols = [...ENTRIES.values()].flat();
  const mentioned = new Set<string>();
  for (const { name, declarations } of symbols) {
    for (const declaration of declarations) {
      eachType(declaration, (typeName) => typeName !== name && mentioned.add(typeName));
    }
  }
  const isType = ({ declarations: [{ kind }] }: Declared) =>
    kind === "interface" || kind === "typeAlias";
  const free = symbols.filter((symbol) => isType(symbol) && !mentioned.has(symbol.name));
  assertEquals(new Set(free.map(({ name }) => name)), new Set(Object.keys(FREE_TYPES)));
});

Deno.test("errors.ts has every class of error, and imports nothing", async () => {
  const errors = await Deno.readTextFile(new URL("errors.ts", ROOT));
  assert(!/^import|^export .* from /m.test(errors));
  const drawing = errors.slice(0, errors.indexOf("```\n"));
  const classes = [...errors.matchAll(/^export class (\w+)/gm)].map(([_, name]) => name);
  assert(classes.length > 15, `only ${classes.length} classes were found`);
  assertEquals(classes.filter((name) => !new RegExp(`\\b${name}\\b`).test(drawing)), []);

  const elsewhere = new Set<string>();
  for (const entry of ["server.ts", "client.ts", "chat/history/sqlite.ts"]) {
    const { modules } = JSON.parse(await deno("info", "--json", entry));
    for (const { specifier } of modules as { specifier: string }[]) {
      const file = specifier.replace(ROOT.href, "");
      if (file === "errors.ts" || !specifier.startsWith(ROOT.href)) continue;
      const source = await Deno.readTextFile(new URL(specifier));
      for (const [_, name] of source.matchAll(/^(?:export )?class (\w+) extends \w*Error\b/gm)) {
        elsewhere.add(`${file} ${name}`);
      }
    }
  }
  assertEquals([...elsewhere].toSorted(), Object.keys(OTHER_ERRORS));
});
