/** The package as JSR gives it to npm, installed by npm and used in Node and in Bun. */

import { assert, assertEquals } from "@std/assert";
import { FOLDER, programOf, type RuntimeName } from "../support/runtimes/packages.ts";
import { testWith } from "./peers.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const TSC = `${FOLDER}/node_modules/typescript/bin/tsc`;

/** What Node and Bun can load. Those that are not here are for Deno; docs/runtimes.md tells why. */
const MODULES = [
  ...[
    "backplane",
    "browser",
    "chat",
    "cluster",
    "codec",
    "connection",
    "errors",
    "format",
    "group",
  ],
  ...["hub", "metrics", "nats", "page", "page/plain", "peers", "request", "session", "telemetry"],
  ...["testing", "transport"],
];

/** A program of a user. Its types are checked, and then it runs. */
const PROGRAM = `
import { connect, json, listen, requests } from "@lengthwise/lengthwise";
import { PeerHub } from "@lengthwise/lengthwise/peers";

interface Calculator {
  double(n: number): number;
  count(to: number): AsyncIterable<number>;
}
interface Listener {
  told(text: string): void;
}

const echo = await listen("tcp://127.0.0.1:0", { format: json<{ n: number }>() }, async (connection) => {
  for await (const { n } of connection) await connection.send({ n });
});
const connection = await connect(echo.endpoints[0], { format: json<{ n: number }>() });
for (let n = 0; n < 1_000; n++) connection.send({ n });
// @ts-expect-error: the types are those of the format.
connection.offer({ n: "one" });
let sum = 0;
for (let i = 0; i < 1_000; i++) sum += (await connection.receive())!.n;
await connection.close();
await echo.close();

const hub = new PeerHub<Listener>();
const server = await listen("tcp://127.0.0.1:0?session=1", async (connection) => {
  const peer = requests<Listener, Calculator>(connection, {
    double(n) {
      hub.notify("all", "told", "doubled " + n);
      return 2 * n;
    },
    async *count(to) {
      for (let n = 1; n <= to; n++) yield n;
    },
  });
  hub.join("all", peer);
  await peer.closed;
});
const heard = Promise.withResolvers<string>();
const peer = requests<Calculator, Listener>(await connect(server.endpoints[0]), {
  told: heard.resolve,
});
const doubled: number = await peer.request("double", 21);
// @ts-expect-error: the types are those of the interface.
const wrong: Promise<string> = peer.request("double", 21);
let counted = 0;
for await (const n of peer.stream("count", 100)) counted += n;
console.log(JSON.stringify([sum, doubled, await wrong, counted, await heard.promise]));
await peer.close();
await server.close();
`;

/** A program for a page. Its types are checked, and Bun's bundler makes one script of it. */
const PAGE_PROGRAM = `
import { connect, type Connection, requests, text } from "@lengthwise/lengthwise/page";
import * as plain from "@lengthwise/lengthwise/page/plain";
import type { Connection as Whole } from "@lengthwise/lengthwise";

interface Calculator {
  double(n: number): number;
}
const connection: Connection<string> = await connect("/chat", { format: text(), session: true });
const same: Whole<string> = connection;
const peer = requests<Calculator>(await connect("/calculator"));
const doubled: number = await peer.request("double", 21);
// @ts-expect-error: the types are those of the interface.
const wrong: string = await peer.request("double", "21");
const second = await plain.connect("/chat", { format: plain.json<{ n: number }>() });
// @ts-expect-error: the types are those of the format.
await second.send({ n: "one" });
console.log(same, doubled, wrong);
`;

/** Loads all modules, and tells how many names each has. */
const LOADING = `
const names = {};
for (const module of ${JSON.stringify(MODULES)}) {
  names[module] = Object.keys(await import("@lengthwise/lengthwise/" + module)).length;
}
console.log(JSON.stringify(names));
`;

/** Runs a command in a folder, and gives what it prints. */
async function printed([command, ...args]: string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(command, { args, cwd }).output();
  const [out, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assertEquals({ code, errors }, { code: 0, errors: "" }, out);
  return out;
}

/** A project in a folder, in which npm has installed the package, as `npx jsr add` does. */
async function project(folder: string): Promise<void> {
  const maker = new URL("../support/runtimes/npm_package.ts", import.meta.url).pathname;
  const deno = [Deno.execPath(), "run", "-A", "--no-lock", "--quiet", maker, folder];
  const archives: Record<string, string> = JSON.parse(await printed(deno, ROOT));
  const { "@jsr/lengthwise__lengthwise": own, ...others } = archives;
  const files = Object.entries({ "@lengthwise/lengthwise": own, ...others })
    .map(([name, path]) => [name, `file:${path}`]);
  const dependencies = Object.fromEntries(files);
  const json = JSON.stringify({ type: "module", dependencies });
  await Deno.writeTextFile(`${folder}/package.json`, json);
  await Deno.writeTextFile(`${folder}/program.ts`, PROGRAM);
  await Deno.writeTextFile(`${folder}/page.ts`, PAGE_PROGRAM);
  await Deno.writeTextFile(`${folder}/loading.mjs`, LOADING);
  const flags = ["--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"];
  await printed(["npm", "install", ...flags, "--loglevel=error"], folder);
}

const ALL = {
  name: "one of npm, Node and Bun (docs/runtimes.md tells how to install them)",
  probe: ["sh", "-c", 'npm --version && "$0" --version && "$1" --version && test -e "$2"'],
};
ALL.probe.push(programOf("Node"), programOf("Bun"), TSC);

await testWith(
  ALL,
  "The package that JSR makes for npm has types, and runs in Node and in Bun",
  async () => {
    const folder = await Deno.makeTempDir({ prefix: "lengthwise_npm_" });
    try {
      await project(folder);
      // Its declarations import `.d.ts` files, which TypeScript takes in libraries only.
      const check = ["--noEmit", "--strict", "--target", "esnext", "--module", "nodenext"];
      const types = ["--typeRoots", `${FOLDER}/node_modules/@types`, "--types", "node"];
      const node = programOf("Node");
      const told = await printed(
        [node, TSC, "--skipLibCheck", ...check, ...types, "program.ts", "page.ts"],
        folder,
      );
      assertEquals(told, "");
      // As a bundler finds it, and without a part of the library behind it.
      const bundle = await printed(
        [programOf("Bun"), "build", "--target=browser", "page.ts"],
        folder,
      );
      assert(bundle.includes("ConnectionLostError") && !/^import |node:tls/m.test(bundle));
      for (const name of ["Node", "Bun"] satisfies RuntimeName[]) {
        const said = JSON.parse(await printed([programOf(name), "program.ts"], folder));
        assertEquals(said, [499_500, 42, 42, 5_050, "doubled 21"], name);
        const loaded = JSON.parse(await printed([programOf(name), "loading.mjs"], folder));
        assertEquals(Object.keys(loaded), MODULES);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
