/** What else a connection has, in a page of Chromium: TLS, questions at the door, limits, ends. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { isText } from "../../connection.ts";
import { type CloseInfo, listen, type ListenOptions, RefusedError } from "../../mod.ts";
import { type Browser, CHROMIUM, SharedBrowser } from "../support/browser.ts";
import { certificates } from "../support/certificates.ts";
import { ClientPage, respond } from "../support/client_page.ts";
import { testWith } from "./peers.ts";

const chromium = new SharedBrowser();
const WEB: ListenOptions = { web: { respond, origins: ["*"] } };

async function opened(browser: Browser, endpoint: string): Promise<ClientPage> {
  return await ClientPage.open(browser, Number(/:(\d+)/.exec(endpoint)![1]));
}

await testWith(
  CHROMIUM,
  "connect() in a page speaks TLS with those that its browser trusts, and sessions over it",
  async () => {
    const { good } = await certificates;
    const echo: Parameters<typeof listen>[2] = async (connection) => {
      for await (const message of connection) await connection.send(message);
    };
    await using pages = await listen("ws://127.0.0.1:0", WEB, echo);
    await using server = await listen(
      ["wss://127.0.0.1:0", "wss://127.0.0.1:0?session=1"],
      { ...WEB, tls: good, onRefuse: () => {} },
      echo,
    );
    await using browser = await chromium.connect();
    const page = await opened(browser, pages.endpoints[0]);
    const code = `
    const { connect, text } = lengthwise;
    const seen = [];
    for (const endpoint of args.endpoints) {
      try {
        await using connection = await connect(endpoint, { format: text() });
        await connection.send("by TLS");
        seen.push(await connection.receive());
      } catch (error) { seen.push(error.name); }
    }
    return seen;`;
    assertEquals(await page.run(code, server), ["ConnectError", "ConnectError"]);
    await page.trustAll();
    assertEquals(await page.run(code, server), ["by TLS", "by TLS"]);
  },
);

await testWith(
  CHROMIUM,
  "connect() in a page shows its token, offers subprotocols, and is refused by authorize()",
  async () => {
    await using server = await listen("ws://127.0.0.1:0?session=1", {
      ...WEB,
      web: { ...WEB.web, subprotocols: ["second"] },
      token: "secret",
      authorize: ({ url }) =>
        url?.searchParams.get("name") ??
          new RefusedError("nobody has no name", { status: 403 }),
      onRefuse: () => {},
    }, async (connection) => {
      for await (const _ of connection) await connection.send(`${connection.user}`);
    });
    await using browser = await chromium.connect();
    const page = await opened(browser, server.endpoints[0]);
    const seen = await page.run<string[]>(
      `const { connect, text } = lengthwise;
     const options = { format: text(), token: "secret", web: { subprotocols: ["first", "second"] } };
     const url = new URL(args.endpoint);
     const seen = [];
     for (const [query, more] of [["&name=ada", {}], ["", {}], ["&name=ada", { token: "wrong" }]]) {
       try {
         const session = await connect(url + query, { ...options, ...more });
         session.send("who am I?");
         seen.push(await session.receive());
         await session.close();
       } catch (error) { seen.push(error.name); }
     }
     const plain = await connect(url.href.replace("session=1", "name=eve"), options);
     seen.push(plain.subprotocol);
     plain.abort();
     return seen;`,
      { endpoint: server.endpoints[0] },
    );
    assertEquals([seen[0], seen[1], seen[3]], ["ada", "ConnectError", "second"]);
    assertMatch(seen[2], /Error$/);
  },
);

await testWith(
  CHROMIUM,
  "connect() in a page gives up at connectTimeout, and when its signal is aborted",
  async () => {
    await using pages = await listen("ws://127.0.0.1:0", WEB, async (connection) => {
      await connection.receiveAll();
    });
    using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const accepted: Deno.Conn[] = [];
    const accepting = (async () => {
      for await (const conn of silent) accepted.push(conn);
    })();
    await using browser = await chromium.connect();
    const page = await opened(browser, pages.endpoints[0]);
    const seen = await page.run<string[]>(
      `const { connect } = lengthwise;
     const late = await connect(args.silent, { connectTimeout: 300 }).catch((error) => error.message);
     const aborter = new AbortController();
     const attempt = connect(args.silent, { signal: aborter.signal }).catch((error) => error);
     aborter.abort("not now");
     const later = new AbortController();
     const connection = await connect(args.there, { signal: later.signal });
     later.abort("not any more");
     const { error } = await connection.closed;
     return [late, await attempt, error];`,
      { silent: `ws://127.0.0.1:${silent.addr.port}/`, there: pages.endpoints[0] },
    );
    assertStringIncludes(seen[0], "no answer within 300 ms");
    assertEquals(seen.slice(1), ["not now", "not any more"]);
    silent.close();
    await accepting;
    for (const conn of accepted) conn.close();
  },
);

await testWith(
  CHROMIUM,
  "A page keeps text and bytes apart, and says what broke its limits and formats",
  async () => {
    const kinds: boolean[] = [];
    const ends: CloseInfo[] = [];
    const ended = Promise.withResolvers<void>();
    await using server = await listen("ws://127.0.0.1:0", WEB, async (connection) => {
      const asked = await connection.receive();
      kinds.push(isText(asked!));
      await connection.send(new Uint8Array(2_000));
      for await (const _ of connection);
      ends.push(await connection.close());
      if (ends.length === 3) ended.resolve();
    });
    await using browser = await chromium.connect();
    const page = await opened(browser, server.endpoints[0]);
    const seen = await page.run(
      `const { connect, json } = lengthwise;
     const seen = [];
     for (const [first, options] of [
       ["a string", { maxMessageBytes: 1_999 }], [new Uint8Array(3), { maxMessageBytes: 1_999 }],
       [{}, { format: json() }],
     ]) {
       const connection = await connect(args.endpoint, options);
       await connection.send(first);
       try { await connection.receive(); } catch (error) { seen.push(error.name); }
       seen.push((await connection.closed).clean);
     }
     return seen;`,
      { endpoint: server.endpoints[0] },
    );
    assertEquals(seen, [
      "MessageTooLargeError",
      false,
      "MessageTooLargeError",
      false,
      "InvalidMessageError",
      false,
    ]);
    assertEquals(kinds, [true, false, true]);
    await ended.promise; // A page does not wait until its server has heard why.
    assertEquals(ends.map(({ code }) => code).sort(), [4007, 4009, 4009]);
    await server.close();
  },
);

await testWith(
  CHROMIUM,
  "A page learns that its server closes, with the code, after everything that was sent",
  async () => {
    await using server = await listen("ws://127.0.0.1:0", WEB, async (connection) => {
      await connection.receive();
      for (let i = 0; i < 1_000; i++) connection.send(`${i}`);
      await connection.close({ code: 1001, reason: "moving" });
    });
    await using browser = await chromium.connect();
    const page = await opened(browser, server.endpoints[0]);
    const seen = await page.run(
      `const { connect, text } = lengthwise;
     const connection = await connect(args.endpoint, { format: text() });
     await connection.send("go");
     const all = await connection.receiveAll();
     const { code, reason, clean } = await connection.close();
     return [all.length, all.at(-1), code, reason, clean];`,
      { endpoint: server.endpoints[0] },
    );
    assertEquals(seen, [1_000, "999", 1001, "moving", true]);
    await server.close();
  },
);
