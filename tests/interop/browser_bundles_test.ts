/** A page's program, bundled by what people bundle with, runs in Chromium. */

import { assert, assertEquals } from "@std/assert";
import { gzipSync } from "node:zlib";
import { listen, requests } from "../../mod.ts";
import { CHROMIUM, SharedBrowser } from "../support/browser.ts";
import { testWith } from "./peers.ts";

const chromium = new SharedBrowser();
const FIXTURE = new URL("../support/fixtures/bundle_page.ts", import.meta.url).pathname;

const BUNDLERS = ["deno", "esbuild", "rollup", "vite"];

/** How a program imports the library. */
interface Entry {
  readonly module: string;
  readonly hasSessions: boolean;
  /** What a page loads at most, compressed, in bytes. The program, and what bundlers add, have 400 of them. */
  readonly most: number;
}

const ENTRIES: readonly Entry[] = [
  { module: "@lengthwise/lengthwise", hasSessions: true, most: 95_000 },
  { module: "@lengthwise/lengthwise/page", hasSessions: true, most: 30_400 },
  { module: "@lengthwise/lengthwise/page/plain", hasSessions: false, most: 12_400 },
];

const programOf = ({ module, hasSessions }: Entry) => `
import { connect, json, text } from "${module}";
${hasSessions ? `import { requests } from "${module}";` : ""}

Object.assign(globalThis, {
  async talk(endpoint) {
    const connection = await connect(endpoint, { format: text() });
    await connection.send("hello");
    const message = await connection.receive();
    await connection.close();
    return message;
  },
  ${
  hasSessions
    ? `async ask(endpoint) {
    const peer = requests(await connect(endpoint, { session: true }));
    const sum = await peer.request("add", [1, 2]);
    await peer.close();
    return sum;
  },`
    : ""
}
  json,
});
`;

async function bundle(bundler: string, entry: Entry, folder: string): Promise<string> {
  const program = `${folder}/program.ts`;
  await Deno.writeTextFile(program, programOf(entry));
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", "--quiet", FIXTURE, bundler, program, `${folder}/out`],
    env: { NO_COLOR: "1" },
  });
  const { stdout, stderr } = await command.output();
  const name = new TextDecoder().decode(stdout).trim().split("\n").at(-1)!;
  assert(/\.js$/.test(name), new TextDecoder().decode(stderr));
  return name;
}

for (const [bundler, entry] of BUNDLERS.flatMap((name) => ENTRIES.map((e) => [name, e] as const))) {
  await testWith(
    CHROMIUM,
    `A page's program of ${entry.module} that ${bundler} has bundled runs in Chromium`,
    async () => {
      const folder = await Deno.makeTempDir();
      try {
        const script = await bundle(bundler, entry, folder);
        let bytes = 0;
        const respond = async (request: Request) => {
          const name = new URL(request.url).pathname.slice(1);
          if (name === "") {
            const html = `<!doctype html><link rel="icon" href="data:,"><body>
            <script type="module" src="/${script}"></script>`;
            return new Response(html, { headers: { "Content-Type": "text/html" } });
          }
          const part = await Deno.readFile(`${folder}/out/${name}`);
          bytes += gzipSync(part, { level: 9 }).length;
          return new Response(part, { headers: { "Content-Type": "text/javascript" } });
        };
        await using server = await listen(
          ["ws://127.0.0.1:0/", "ws://127.0.0.1:0/?session=1"],
          { web: { respond, origins: ["*"] } },
          async (connection) => {
            if (connection.endpoint.includes("session")) {
              await requests(connection, { add: ([a, b]: number[]) => a + b }).closed;
              return;
            }
            for await (const message of connection) await connection.send(message);
          },
        );
        const [plain, sessions] = server.endpoints;
        await using browser = await chromium.connect();
        const window = await browser.open(plain.replace("ws:", "http:"));
        await window.until("globalThis.talk !== undefined");
        assertEquals(await window.value(`talk(${JSON.stringify(plain)})`), "hello");
        if (entry.hasSessions) {
          assertEquals(await window.value(`ask(${JSON.stringify(sessions)})`), 3);
        }
        assertEquals(window.problems, []);
        assert(bytes > 10_000 && bytes <= entry.most, `${bytes} bytes`);
        if (Deno.env.has("LENGTHWISE_SIZES")) {
          console.log(`${bundler}, ${entry.module}: ${bytes} bytes`);
        }
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  );
}
