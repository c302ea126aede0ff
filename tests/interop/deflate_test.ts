/** Compressed WebSockets with the ends of other people: npm's ws both ways, and Chromium. */

import { assert, assertEquals, assertLess } from "@std/assert";
import { once } from "node:events";
// deno-lint-ignore no-import-prefix
import { WebSocket as WsClient, WebSocketServer } from "npm:ws@^8.18.0";
import { connect, type Connection, listen } from "../../mod.ts";
import { CHROMIUM, SharedBrowser } from "../support/browser.ts";
import { asText } from "../support/texts.ts";
import { testWith } from "./peers.ts";

const chromium = new SharedBrowser();
const TEXT = "Wer reitet so spät durch Nacht und Wind? ".repeat(3000);
const SIZES = [0, 1, 1023, 1024, 5000, 300_000];

/** An echo with compression, and how many bytes its last connection got and sent. */
async function serve(respond?: () => Response) {
  let last: Connection | undefined;
  const web = { deflate: true, ...(respond && { respond }) };
  const server = await listen("ws://127.0.0.1:0/ws", { web }, async (connection) => {
    last = connection;
    for await (const message of connection) await connection.send(message);
  });
  return {
    url: server.endpoints[0],
    stats: () => last!.stats,
    [Symbol.asyncDispose]: () => server.close({ grace: 500 }),
  };
}

/** What npm's ws may be told, and what it offers then. */
const OPTIONS: (boolean | object)[] = [
  true,
  { threshold: 0 },
  { serverNoContextTakeover: true, clientNoContextTakeover: true },
  { serverMaxWindowBits: 9, clientMaxWindowBits: 9 },
  { serverMaxWindowBits: 8 },
];

for (const perMessageDeflate of OPTIONS) {
  const what = JSON.stringify(perMessageDeflate);
  Deno.test(`npm's ws with ${what} and our server compress for each other`, async () => {
    await using at = await serve();
    const socket = new WsClient(at.url, { perMessageDeflate: perMessageDeflate as object });
    await once(socket, "open");
    assert(socket.extensions.startsWith("permessage-deflate"), socket.extensions);
    for (const size of SIZES) {
      socket.send(TEXT.slice(0, size));
      const [data, isBinary] = await once(socket, "message");
      assertEquals([String(data), isBinary], [TEXT.slice(0, size), false]);
    }
    socket.send("in fragments, ".repeat(100), { fin: false });
    socket.ping();
    socket.send("and the end", { fin: true });
    assertEquals(String((await once(socket, "message"))[0]).length, 1400 + 11);
    assertLess(at.stats().bytesReceived, 15_000);
    const isWindow8 = what.includes(":8");
    assertEquals(at.stats().bytesSent < 50_000, !isWindow8, "zlib has no window of 8 bits");
    socket.close();
    await once(socket, "close");
  });
}

Deno.test("our client and a server of npm's ws compress for each other", async () => {
  for (const options of [true, { clientNoContextTakeover: false, threshold: 0 }]) {
    const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: options });
    await once(server, "listening");
    server.on("connection", (socket: WsClient) => {
      socket.on("message", (data: Uint8Array, binary: boolean) => socket.send(data, { binary }));
    });
    {
      await using client = await connect(`ws://127.0.0.1:${server.address().port}/?deflate=1`);
      for (const size of SIZES) {
        await client.send(TEXT.slice(0, size));
        assertEquals(asText(await client.receive()), TEXT.slice(0, size));
        await client.send(new Uint8Array(size));
        assertEquals(await client.receive(), new Uint8Array(size));
      }
      assertLess(client.stats.bytesSent, 10_000);
      assertLess(client.stats.bytesReceived, 10_000);
    }
    server.close();
    await once(server, "close");
  }
});

await testWith(CHROMIUM, "Chromium and our server compress for each other", async () => {
  const page = () =>
    new Response("<title>here</title>", { headers: { "Content-Type": "text/html" } });
  await using at = await serve(page);
  await using browser = await chromium.connect();
  const window = await browser.open(at.url.replace("ws:", "http:").replace("/ws", "/"));
  const [extensions, text, bytes] = await window.value<[string, string, number]>(`
    new Promise((resolve, reject) => {
      const socket = new WebSocket(${JSON.stringify(at.url)});
      socket.binaryType = "arraybuffer";
      const got = [];
      socket.onopen = () => {
        socket.send(${JSON.stringify(TEXT)});
        socket.send(new Uint8Array(1e6));
      };
      socket.onmessage = ({ data }) => {
        if (got.push(data) < 2) return;
        socket.close();
        resolve([socket.extensions, got[0], got[1].byteLength]);
      };
      socket.onerror = () => reject(new Error("lost"));
    })`);
  assert(extensions.startsWith("permessage-deflate"), extensions);
  assertEquals([text, bytes], [TEXT, 1_000_000]);
  assertLess(at.stats().bytesReceived, 20_000);
  assertLess(at.stats().bytesSent, 20_000);
});
