/** `connect()` in a page and in a worker of Chromium, by the script that servers hand out. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { listen, type ListenOptions, requests } from "../../mod.ts";
import { CHROMIUM, SharedBrowser } from "../support/browser.ts";
import { ClientPage, type Place, respond } from "../support/client_page.ts";
import { freePort } from "../support/free_port.ts";
import { RunningServer } from "../support/program.ts";
import { testWith } from "./peers.ts";

const chromium = new SharedBrowser();
const PLACES: readonly Place[] = ["page", "worker"];

/** Pages of other ports may connect too: some tests have a proxy between. */
const WEB: ListenOptions = { web: { respond, origins: ["*"] }, maxMessageBytes: 4_000_000 };

function portOf(endpoint: string): number {
  return Number(/:(\d+)/.exec(endpoint)![1]);
}

for (const place of PLACES) {
  await testWith(
    CHROMIUM,
    `connect() in a ${place} sends and receives by each format`,
    async () => {
      await using server = await listen("ws://127.0.0.1:0", WEB, async (connection) => {
        for await (const message of connection) await connection.send(message);
      });
      await using browser = await chromium.connect();
      const page = await ClientPage.open(browser, portOf(server.endpoints[0]));
      const seen = await page.run(
        `const { connect, text, json, bytes } = lengthwise;
       const seen = [];
       for (const [format, message] of [
         [text(), "grüße 🙂"], [text(), ""], [json(), { a: [1, null] }],
         [bytes(), new Uint8Array([0, 255])], [bytes(), new Uint8Array(3_000_000).fill(7)],
       ]) {
         const connection = await connect(args.endpoint, { format });
         connection.send(message);
         const back = await connection.receive();
         const isSame = message instanceof Uint8Array
           ? back.length === message.length && back.every((byte, i) => byte === message[i])
           : JSON.stringify(back) === JSON.stringify(message);
         const { clean, code } = await connection.close();
         seen.push([isSame, clean, code ?? null]);
       }
       return seen;`,
        { endpoint: server.endpoints[0] },
        place,
      );
      assertEquals(seen, Array(5).fill([true, true, 1000]));
      assertEquals(page.problems, []);
    },
  );

  await testWith(
    CHROMIUM,
    `requests() in a ${place} ask, answer and stream both ways, with sessions and without`,
    async () => {
      const sums: unknown[] = [];
      const serve = async (connection: Parameters<typeof requests>[0]) => {
        const peer = requests(connection, {
          double: (n: number) => 2 * n,
          async *count(n: number) {
            for (let i = 0; i < n; i++) yield i;
          },
          async sum(_: undefined, context: { items: AsyncIterable<unknown> }) {
            let sum = 0;
            for await (const item of context.items) sum += Number(item);
            return sum;
          },
        });
        sums.push(await peer.request("add", [2, 3]));
        await peer.closed;
      };
      await using plain = await listen("ws://127.0.0.1:0", WEB, serve);
      await using sessions = await listen("ws://127.0.0.1:0?session=1", WEB, serve);
      await using browser = await chromium.connect();
      const page = await ClientPage.open(browser, portOf(plain.endpoints[0]));
      for (const endpoint of [plain.endpoints[0], sessions.endpoints[0]]) {
        const seen = await page.run(
          `const { connect, requests } = lengthwise;
         const asked = Promise.withResolvers();
         const peer = requests(await connect(args.endpoint), {
           add([a, b]) { asked.resolve(); return a + b; },
         });
         const seen = [await peer.request("double", 21)];
         let count = 0;
         for await (const i of peer.stream("count", 2_000)) count += i;
         seen.push(count, await peer.request("sum", undefined, { items: [1, 2, 3] }));
         try { await peer.request("missing"); } catch (error) { seen.push(error.code); }
         await asked.promise;
         await peer.close();
         return seen;`,
          { endpoint },
          place,
        );
        assertEquals(seen, [42, 1_999_000, 6, "unknown-method"]);
      }
      assertEquals(sums, [5, 5]);
      assertEquals(page.problems, []);
    },
  );

  await testWith(
    CHROMIUM,
    `connect() in a ${place} tells codes and reasons of closing, both ways`,
    async () => {
      const infos: unknown[] = [];
      await using server = await listen("ws://127.0.0.1:0", WEB, async (connection) => {
        if (await connection.receiveRaw().then((m) => new TextDecoder().decode(m)) === "close me") {
          await connection.close({ code: 4321, reason: "as asked" });
          return;
        }
        for await (const _ of connection);
        const { code, reason, clean } = await connection.close();
        infos.push([code, reason, clean]);
      });
      await using browser = await chromium.connect();
      const page = await ClientPage.open(browser, portOf(server.endpoints[0]));
      const seen = await page.run(
        `const { connect, text } = lengthwise;
       const one = await connect(args.endpoint, { format: text() });
       await one.send("stay");
       const { code: own } = await one.close({ code: 1001, reason: "done" });
       const two = await connect(args.endpoint, { format: text() });
       await two.send("close me");
       const end = await two.receive();
       const { code, reason, clean } = await two.close();
       return [own, end ?? null, code, reason, clean];`,
        { endpoint: server.endpoints[0] },
        place,
      );
      assertEquals(seen, [
        1001,
        null,
        4321,
        "as asked",
        true,
      ]);
      assertEquals(infos, [[4001, "done", true]]);
    },
  );
}

await testWith(CHROMIUM, "What a page cannot do fails with an error that names it", async () => {
  await using server = await listen("ws://127.0.0.1:0", WEB, async (connection) => {
    await connection.receiveAll();
  });
  await using browser = await chromium.connect();
  const page = await ClientPage.open(browser, portOf(server.endpoints[0]));
  const failures = await page.run<Record<string, string>>(
    `const { connect } = lengthwise;
     const failures = {};
     for (const [name, endpoint, options] of [
       ["tcp", "tcp://127.0.0.1:1"], ["unix", "unix:/tmp/a"], ["password", "ws://a:b@127.0.0.1/"],
       ["session", args.endpoint + "?session=yes"],
       ["tls", args.endpoint, { tls: { insecure: true } }],
       ["proxy", args.endpoint, { proxy: "http://127.0.0.1:1" }],
       ["headers", args.endpoint, { web: { headers: { a: "b" } } }],
       ["source", args.endpoint, { source: "127.0.0.1" }],
       ["framing", args.endpoint, { framing: "line" }],
       ["nobody", "ws://127.0.0.1:9/"],
     ]) {
       failures[name] = await connect(endpoint, options).then(() => "connected", (error) => error.name + ": " + error.message);
     }
     const connection = await connect(args.endpoint);
     failures.startTls = await connection.startTls().catch((error) => error.message);
     try { connection.switchFraming("line"); } catch (error) { failures.switchFraming = error.message; }
     await connection.close();
     return failures;`,
    { endpoint: server.endpoints[0] },
  );
  const words: Record<string, RegExp> = {
    tcp: /TypeError: Cannot use endpoint "tcp:.* in a page: it has WebSockets only/,
    unix: /TypeError: Cannot use endpoint "unix:.* in a page/,
    password: /^TypeError: Cannot use endpoint "ws:\/\/…@127/,
    session: /TypeError: .*session "yes" must be 0 or 1/,
    tls: /TypeError: Cannot use tls in a page/,
    proxy: /TypeError: Cannot use proxy in a page/,
    headers: /TypeError: Cannot use web.headers in a page/,
    source: /TypeError: Cannot use source in a page/,
    framing: /TypeError: Cannot use framing "line" in a page/,
    nobody:
      /ConnectError: Cannot connect to ws:\/\/127.0.0.1:9\/: its WebSocket could not be opened; a page is not told why/,
    startTls: /Cannot start TLS in a page/,
    switchFraming: /Cannot switch framing in a page/,
  };
  assertEquals(Object.keys(failures), Object.keys(words));
  for (const [name, word] of Object.entries(words)) assertMatch(failures[name], word);
});

await testWith(
  CHROMIUM,
  "A page's send() waits while the server does not read, and memory stays bounded",
  async () => {
    const go = Promise.withResolvers<void>();
    let received = 0;
    await using server = await listen("ws://127.0.0.1:0", WEB, async (connection) => {
      await go.promise;
      for await (const message of connection) received += message.length;
    });
    await using browser = await chromium.connect();
    const page = await ClientPage.open(browser, portOf(server.endpoints[0]));
    const running = page.run<number>(
      `const connection = await lengthwise.connect(args.endpoint, { writeTimeout: 600_000 });
     const message = new Uint8Array(100_000);
     globalThis.sent = 0;
     for (let i = 0; i < 400; i++) { await connection.send(message); globalThis.sent++; }
     globalThis.most = connection.stats.bufferedBytes;
     return (await connection.close({})).undeliveredBytes;`,
      { endpoint: server.endpoints[0] },
    );
    running.catch(() => {}); // It is awaited below, unless something else fails before.
    // What the system's buffers and ours take; then it stands still.
    const standing = await page.run<number>(
      `for (let last = -1; last !== globalThis.sent || !globalThis.sent;) {
       last = globalThis.sent;
       await new Promise((resolve) => setTimeout(resolve, 300));
     }
     return globalThis.sent;`,
    );
    assert(standing < 300, `${standing} messages were taken`);
    go.resolve();
    assertEquals(await running, 0);
    assertEquals(received, 40_000_000);
  },
);

await testWith(CHROMIUM, "A page that does not read is lost at 16 MiB, and says so", async () => {
  const options = { ...WEB, closeTimeout: 100 };
  await using server = await listen("ws://127.0.0.1:0", options, async (connection) => {
    const message = new Uint8Array(500_000);
    try {
      for (;;) await connection.send(message);
    } catch {
      // That is what is to be seen.
    }
  });
  await using browser = await chromium.connect();
  const page = await ClientPage.open(browser, portOf(server.endpoints[0]));
  const reason = await page.run<string>(
    `const connection = await lengthwise.connect(args.endpoint);
     while (await connection.send("?").then(() => true, () => false)) {
       await new Promise((resolve) => setTimeout(resolve, 20));
     }
     let count = 0;
     try { for await (const _ of connection) count++; } catch (error) { return count + " " + error.message; }`,
    { endpoint: server.endpoints[0] },
  );
  assertMatch(reason, /^3[3-9] Cannot receive from .*: more than 16777216 bytes came and were not/);
});

await testWith(
  CHROMIUM,
  "reconnect() in a page goes on with the next server, and tells what the killed one did not get",
  async () => {
    const flags = ["--service", "echo", "--session", "--limit", "maxConnectionsPerAddress=64"];
    const port = freePort();
    const server = await RunningServer.start([`ws://127.0.0.1:${port}`, ...flags, "--origin", "*"]);
    await using pages = await listen("ws://127.0.0.1:0", WEB, async (connection) => {
      await connection.receiveAll();
    });
    await using browser = await chromium.connect();
    const page = await ClientPage.open(browser, portOf(pages.endpoints[0]));
    const running = page.run<[string[], string, number]>(
      `const { reconnect, text } = lengthwise;
     const got = [];
     let ended;
     let next = 0;
     const options = { format: text(), session: { retentionTime: 2_000, retry: () => 20 }, retry: () => 20 };
     for await (const session of reconnect(args.endpoint, options)) {
       for (let round = 0; round < 3; round++) {
         try {
           await session.send("message " + next);
           const back = await session.receive();
           if (back === undefined) break;
           got.push(back);
           next++;
           if (next === 3) await new Promise((resolve) => globalThis.killed = resolve);
         } catch {
           break;
         }
       }
       if (next >= 6) return [got, ended, next];
       ended = (await session.closed).error.name;
     }`,
      { endpoint: `ws://127.0.0.1:${port}/` },
    );
    await page.run(
      `while (!globalThis.killed) await new Promise((resolve) => setTimeout(resolve, 20));`,
    );
    server.kill("SIGKILL");
    await server.ended();
    await using _again = await RunningServer.start([
      `ws://127.0.0.1:${port}`,
      ...flags,
      "--origin",
      "*",
    ]);
    await page.run("globalThis.killed();");
    const [got, ended] = await running;
    assertEquals(got, [0, 1, 2, 3, 4, 5].map((n) => `message ${n}`));
    assertEquals(ended, "SessionLostError");
  },
);

await testWith(
  CHROMIUM,
  "The script without sessions connects, reconnects and names errors, and says where sessions are",
  async () => {
    await using server = await listen("ws://127.0.0.1:0", WEB, async (connection) => {
      for await (const message of connection) await connection.send(message);
    });
    await using browser = await chromium.connect();
    const page = await ClientPage.open(browser, portOf(server.endpoints[0]));
    const seen = await page.run(
      `const { connect, json, reconnect, text } = await import("/lengthwise-plain.js");
       const seen = [];
       await using connection = await connect(args.endpoint, { format: json() });
       connection.send({ n: 1 });
       connection.send([2]);
       seen.push(await connection.receive(), await connection.receive());
       let rounds = 0;
       for await (const connection of reconnect(args.endpoint, { format: text(), retry: () => 0 })) {
         if (++rounds === 3) break;
         connection.send("again");
         seen.push(await connection.receive());
         connection.abort();
       }
       const small = await connect(args.endpoint, { maxMessageBytes: 1 });
       small.send("two");
       seen.push(await small.receive().catch(({ name }) => name));
       seen.push(await connect(args.endpoint, { session: true }).catch(String));
       return seen;`,
      { endpoint: server.endpoints[0] },
    );
    const refusal = `TypeError: Cannot open session to "${
      server.endpoints[0]
    }": /lengthwise.js has sessions`;
    assertEquals(seen, [{ n: 1 }, [2], "again", "again", "MessageTooLargeError", refusal]);
    assertEquals(page.problems, []);
  },
);

Deno.test("browserClient() hands out the script and its map, compressed where that is understood", async () => {
  const get = (path: string, fields: Record<string, string> = {}, method = "GET") =>
    respond(new Request(`http://127.0.0.1${path}`, { headers: fields, method }));
  const plain = get("/lengthwise.js");
  const script = await plain.text();
  assertMatch(script, /\n\/\/# sourceMappingURL=lengthwise\.js\.map\n$/);
  assertEquals(plain.headers.get("Content-Type"), "text/javascript; charset=utf-8");
  assertEquals(plain.headers.get("Access-Control-Allow-Origin"), "*");
  const packed = get("/lengthwise.js", { "Accept-Encoding": "br, gzip" });
  assertEquals(packed.headers.get("Content-Encoding"), "gzip");
  const unpacked = new Response(packed.body!.pipeThrough(new DecompressionStream("gzip")));
  assertEquals(await unpacked.text(), script);
  const tag = plain.headers.get("ETag")!;
  assert(tag !== packed.headers.get("ETag"));
  assertEquals(get("/lengthwise.js", { "If-None-Match": tag }).status, 304);
  assertEquals(get("/lengthwise.js", { "Accept-Encoding": "gzip;q=0" }).headers.get("ETag"), tag);
  assertEquals(get("/lengthwise.js", {}, "POST").status, 405);
  const small = get("/lengthwise-plain.js");
  assertMatch(await small.text(), /\n\/\/# sourceMappingURL=lengthwise-plain\.js\.map\n$/);
  assert(small.headers.get("ETag") !== tag);
  assertEquals((await get("/lengthwise-plain.js.map").json()).version, 3);
  const map = await get("/lengthwise.js.map").json();
  assert(map.sources.includes("connection.ts"));
  assertEquals(map.sources.filter((source: string) => /^\/|\.\.|file:/.test(source)), []);
  assertEquals(map.sourcesContent.length, map.sources.length);
});
