/** A page's session, while its network is cut in every way that a browser's is. */

import { assertEquals } from "@std/assert";
import { listen, text } from "../../mod.ts";
import type { Browser } from "./browser.ts";
import { ClientPage, type Place, respond } from "./client_page.ts";
import { CuttingProxy, randomOf } from "./cutting_proxy.ts";

/** What to do. */
export interface CutsOptions {
  readonly place: Place;
  readonly messages: number;
  readonly cuts: number;
  readonly seed: number;
  /** Told after each cut. */
  readonly onCut?: (done: number, kind: string) => void;
}

/** What happened. */
export interface CutsResult {
  /** How often each kind of cut was made. */
  readonly kinds: Readonly<Record<string, number>>;
  /** How often the page's session went on over another carrier. */
  readonly resumes: number;
}

/**
 * Sends messages that are counted through a server, which sends each back, and cuts meanwhile. Fails if
 * one is lost, comes twice, or out of order, at either end.
 */
export async function underCuts(browser: Browser, options: CutsOptions): Promise<CutsResult> {
  const { place, messages, cuts, seed, onCut = () => {} } = options;
  const random = randomOf(seed);
  let arrived = 0;
  let wrong: string | undefined;
  await using server = await listen(
    "ws://127.0.0.1:0?session=1",
    { web: { respond, origins: ["*"] }, format: text() },
    async (connection) => {
      for await (const message of connection) {
        if (message !== `message ${arrived++}`) wrong ??= `${message} came as ${arrived - 1}`;
        await connection.send(message);
      }
    },
  );
  const port = Number(/:(\d+)/.exec(server.endpoints[0])![1]);
  await using proxy = new CuttingProxy({ port, seed, cuts: 0, meanBytes: Infinity });
  const page = await ClientPage.open(browser, port);
  await page.run(OPEN, { endpoint: `ws://127.0.0.1:${proxy.port}/` }, place);

  /** All ways to lose a network; each resolves when it is there again. */
  const ways: Record<string, () => Promise<void>> = {
    // The connection is reset.
    cut: () => Promise.resolve(proxy.cut()),
    // Nothing arrives any more, and nobody is told.
    dark: () => Promise.resolve(proxy.darken()),
    // The server cannot be reached for a while.
    async shut() {
      proxy.shut();
      await page.run(UNTIL_LOST, {}, place);
      proxy.open();
    },
    // The page is frozen, and its connection ends meanwhile.
    async freeze() {
      await page.freeze(true);
      proxy.cut();
      await page.freeze(false);
    },
    // The browser has no network, and its connections end.
    async offline() {
      await page.offline(true);
      proxy.cut();
      await page.run(UNTIL_LOST, {}, place);
      await page.offline(false);
    },
  };
  const names = Object.keys(ways);
  const kinds: Record<string, number> = {};
  let resumes = 0;
  const batch = Math.ceil(messages / cuts);
  for (let i = 0; i < cuts; i++) {
    // In any part of a batch, and of a frame.
    const reached = proxy.carried(Math.floor(random() * batch * 20));
    const end = Math.min(messages, (i + 1) * batch);
    const running = page.run<number>(SEND, { end }, place);
    await reached;
    const kind = names[i % names.length];
    await ways[kind]();
    resumes = await page.run<number>(UNTIL_RESUMED, { resumes }, place);
    kinds[kind] = (kinds[kind] ?? 0) + 1;
    assertEquals(await running, end, "echoes that came back in order");
    assertEquals([wrong, arrived], [undefined, end]);
    onCut(i + 1, kind);
  }
  const { clean, undeliveredBytes } = await page.run<Record<string, unknown>>(CLOSE, {}, place);
  assertEquals([clean, undeliveredBytes], [true, 0]);
  assertEquals(await page.run("return globalThis.freezes;"), kinds.freeze ?? 0);
  assertEquals(arrived, messages);
  return { kinds, resumes };
}

const OPEN = `
  const { connect, text } = lengthwise;
  globalThis.session = await connect(args.endpoint, {
    format: text(),
    session: { heartbeatInterval: 300, heartbeatTimeout: 1_000, retry: () => 20 },
  });
  globalThis.sent = globalThis.echoed = 0;`;

const SEND = `
  const { session } = globalThis;
  const sending = (async () => {
    while (globalThis.sent < args.end) await session.send("message " + globalThis.sent++);
  })();
  while (globalThis.echoed < args.end) {
    const message = await session.receive();
    if (message !== "message " + globalThis.echoed) {
      throw new Error(message + " came back in the place of " + globalThis.echoed);
    }
    globalThis.echoed++;
  }
  await sending;
  return globalThis.echoed;`;

const UNTIL_LOST = `
  if (globalThis.session.status.state === "reconnecting") return;
  for await (const { state } of globalThis.session.states()) if (state === "reconnecting") return;`;

const UNTIL_RESUMED = `
  const { session } = globalThis;
  if (session.stats.resumes > args.resumes) return session.stats.resumes;
  for await (const _ of session.states()) {
    if (session.stats.resumes > args.resumes) return session.stats.resumes;
  }`;

const CLOSE = `
  const { clean, undeliveredBytes } = await globalThis.session.close();
  return { clean, undeliveredBytes };`;
