/** A page, and a worker in it, that have loaded `lengthwise.js` from a server. */

import type { CDPSession } from "puppeteer-core";
import { browserClient } from "../../browser.ts";
import type { Browser } from "./browser.ts";

const PAGE = `<!doctype html><link rel="icon" href="data:,"><title>client</title>
<script type="module">
  import * as lengthwise from "/lengthwise.js";
  const make = (code) => new (async () => {}).constructor("lengthwise", "args", code);
  globalThis.runHere = (code, args) => make(code)(lengthwise, args);
  const worker = new Worker("/worker.js", { type: "module" });
  const waiting = new Map();
  let last = 0;
  worker.onmessage = ({ data: { id, value, error } }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) resolve(value);
    else reject(new Error(error));
  };
  globalThis.runInWorker = (code, args) => new Promise((resolve, reject) => {
    waiting.set(++last, { resolve, reject });
    worker.postMessage({ id: last, code, args });
  });
  globalThis.freezes = 0;
  document.addEventListener("freeze", () => globalThis.freezes++);
  globalThis.isReady = true;
</script>`;

const WORKER = `import * as lengthwise from "/lengthwise.js";
onmessage = async ({ data: { id, code, args } }) => {
  try {
    const run = new (async () => {}).constructor("lengthwise", "args", code);
    postMessage({ id, value: await run(lengthwise, args) });
  } catch (error) {
    postMessage({ id, error: error.stack });
  }
};`;

/** What a server answers that hands out the client: it, a page that loads it, and a worker. */
export function respond(request: Request): Response {
  const client = browserClient(request);
  if (client !== undefined) return client;
  const { pathname } = new URL(request.url);
  const [text, type] = pathname === "/worker.js" ? [WORKER, "javascript"] : [PAGE, "html"];
  return new Response(text, { headers: { "Content-Type": `text/${type}; charset=utf-8` } });
}

/** Where code runs. */
export type Place = "page" | "worker";

/** A page with the client. */
export class ClientPage {
  readonly #window: Awaited<ReturnType<Browser["open"]>>;
  readonly #cdp: CDPSession;

  private constructor(window: Awaited<ReturnType<Browser["open"]>>, cdp: CDPSession) {
    this.#window = window;
    this.#cdp = cdp;
  }

  /** Opens the page of a server at `http://127.0.0.1:PORT/`. */
  static async open(browser: Browser, port: number): Promise<ClientPage> {
    const window = await browser.open(`http://127.0.0.1:${port}/`);
    await window.until("globalThis.isReady");
    return new ClientPage(window, await window.page.createCDPSession());
  }

  /** What went wrong in the page, as its console tells it. */
  get problems(): readonly string[] {
    return this.#window.problems;
  }

  /** Runs the body of an async function of `lengthwise` and `args`; gives what it returns. */
  async run<T>(code: string, args: unknown = {}, place: Place = "page"): Promise<T> {
    const name = place === "page" ? "runHere" : "runInWorker";
    return await this.#window.page.evaluate(
      `${name}(${JSON.stringify(code)}, ${JSON.stringify(args)})`,
    ) as T;
  }

  /** Freezes the page, as a browser does with one in the background, or lets it go on. */
  async freeze(isFrozen: boolean): Promise<void> {
    const state = isFrozen ? "frozen" : "active";
    await this.#cdp.send("Page.setWebLifecycleState", { state });
  }

  /** Takes any certificate from now on. */
  async trustAll(): Promise<void> {
    await this.#cdp.send("Security.setIgnoreCertificateErrors", { ignore: true });
  }

  /** Takes the network away, or gives it back. */
  async offline(isOffline: boolean): Promise<void> {
    await this.#window.page.setOfflineMode(isOffline);
  }
}
