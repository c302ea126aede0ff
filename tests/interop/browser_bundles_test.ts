/** A page's program, bundled by what people bundle with, runs in Chromium. */

import { assert, assertEquals } from "@std/assert";
import { listen, requests } from "../../mod.ts";
import { CHROMIUM, SharedBrowser } from "../support/browser.ts";
import { testWith } from "./peers.ts";

const chromium = new SharedBrowser();
const FIXTURE = new URL("../support/fixtures/bundle_page.ts", import.meta.url).pathname;

/** What a page loads for formats, and with sessions and requests, at most, compressed, in bytes. */
const MAX_BYTES: Readonly<Record<string, number>> = {
  deno: 95_000,
  esbuild: 95_000,
  rollup: 160_000, // It does not minify.
  vite: 110_000,
};

const PROGRAM = `
import { connect, json, requests, text } from "@lengthwise/lengthwise";

Object.assign(globalThis, {
  async talk(endpoint) {
    await using connection = await connect(endpoint, { format: text() });
    await connection.send("hello");
    return await connection.receive();
  },
  async ask(endpoint) {
    const peer = requests(await connect(endpoint, { session: true }));
    const sum = await peer.request("add", [1, 2]);
    await peer.close();
    return sum;
  },
  json,
});
`;

async function bundle(bundler: string, folder: string): Promise<string> {
  const program = `${folder}/program.ts`;
  await Deno.writeTextFile(program, PROGRAM);
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", "--quiet", FIXTURE, bundler, program, `${folder}/out`],
    env: { NO_COLOR: "1" },
  });
  const { stdout, stderr } = await command.output();
  const entry = new TextDecoder().decode(stdout).trim().split("\n").at(-1)!;
  assert(/\.js$/.test(entry), new TextDecoder().decode(stderr));
  return entry;
}

for (const bundler of ["deno", "esbuild", "rollup", "vite"]) {
  await testWith(
    CHROMIUM,
    `A page's program that ${bundler} has bundled runs in Chromium`,
    async () => {
      const folder = await Deno.makeTempDir();
      try {
        const entry = await bundle(bundler, folder);
        let bytes = 0;
        const respond = async (request: Request) => {
          const name = new URL(request.url).pathname.slice(1);
          if (name === "") {
            const html = `<!doctype html><link rel="icon" href="data:,"><body>
            <script type="module" src="/${entry}"></script>`;
            return new Response(html, { headers: { "Content-Type": "text/html" } });
          }
          const script = await Deno.readFile(`${folder}/out/${name}`);
          const packed = new Blob([script]).stream().pipeThrough(new CompressionStream("gzip"));
          const { byteLength } = await new Response(packed).arrayBuffer();
          bytes += byteLength;
          return new Response(script, { headers: { "Content-Type": "text/javascript" } });
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
        await window.until("globalThis.ask !== undefined");
        assertEquals(await window.value(`talk(${JSON.stringify(plain)})`), "hello");
        assertEquals(await window.value(`ask(${JSON.stringify(sessions)})`), 3);
        assertEquals(window.problems, []);
        assert(bytes > 10_000 && bytes < MAX_BYTES[bundler], `${bytes} bytes`);
        if (Deno.env.has("LENGTHWISE_SIZES")) console.log(`${bundler}: ${bytes} bytes`);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  );
}
