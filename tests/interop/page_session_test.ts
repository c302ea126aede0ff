/** The chat's page outlives its network: nothing lost, nothing twice, and nobody hears that it was away. */

import { assert, assertEquals } from "@std/assert";
import { type Browser, type ChatWindow, CHROMIUM, SharedBrowser } from "../support/browser.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";
import { freePort } from "../support/free_port.ts";
import { RunningServer } from "../support/program.ts";
import { testWith } from "./peers.ts";

const chromium = new SharedBrowser();

/** How long anything may take, in milliseconds. */
const PATIENCE = 120_000;

interface Heard {
  readonly type: string;
  readonly name?: string;
  readonly text?: string;
  readonly from?: string;
  readonly to?: string;
}

/** Somebody else in the chat: a plain WebSocket at the page's own endpoint, which hears everything. */
class Witness implements AsyncDisposable {
  readonly heard: Heard[] = [];
  readonly #socket: WebSocket;
  readonly #closed = Promise.withResolvers<void>();
  #news = Promise.withResolvers<void>();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      if (!data.startsWith("{")) return;
      this.heard.push(JSON.parse(data));
      this.#news.resolve();
      this.#news = Promise.withResolvers();
    };
    socket.onclose = () => this.#closed.resolve();
  }

  static async enter(port: number): Promise<Witness> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
    await new Promise((resolve) => socket.onopen = resolve);
    const witness = new Witness(socket);
    socket.send("/json");
    await witness.until(({ type }) => type === "history");
    return witness;
  }

  say(text: string): void {
    this.#socket.send(text);
  }

  /** Waits until something was heard, now or before. */
  async until(test: (heard: Heard) => boolean): Promise<Heard> {
    const timer = setTimeout(
      () => this.#news.reject(new Error(`only this was heard: ${JSON.stringify(this.heard)}`)),
      PATIENCE,
    );
    for (;;) {
      const found = this.heard.find(test);
      if (found === undefined) await this.#news.promise;
      else {
        clearTimeout(timer);
        return found;
      }
    }
  }

  /** Waits until somebody has said this. */
  async hears(words: string): Promise<void> {
    await this.until(({ type, text }) => type === "say" && text === words);
  }

  /** All that was said, in its order. */
  get said(): (string | undefined)[] {
    return this.heard.filter(({ type }) => type === "say").map(({ text }) => text);
  }

  /** Who came, went, or took another name. */
  get moves(): string[] {
    return this.heard.filter(({ type }) => ["join", "leave", "nick"].includes(type))
      .map(({ type, name, from, to }) => `${type} ${name ?? `${from} ${to}`}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await this.#closed.promise;
  }
}

/** A server, a witness, and a window behind a wire that can be cut. */
class Stage implements AsyncDisposable {
  private constructor(
    readonly browser: Browser,
    readonly server: RunningServer,
    readonly proxy: CuttingProxy,
    readonly witness: Witness,
  ) {}

  static async set(endpoint = "ws://127.0.0.1:0", seed = 1): Promise<Stage> {
    const [browser, server] = await Promise.all([
      chromium.connect(),
      RunningServer.start([endpoint]),
    ]);
    const port = Number(new URL(server.endpoints[0]).port);
    const proxy = new CuttingProxy({ port, seed, cuts: 0, meanBytes: Infinity });
    return new Stage(browser, server, proxy, await Witness.enter(port));
  }

  async open(): Promise<ChatWindow> {
    const window = await this.browser.open(`http://127.0.0.1:${this.proxy.port}/`);
    await window.state("Connected");
    return window;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser[Symbol.asyncDispose]();
    await this.witness[Symbol.asyncDispose]();
    await this.proxy[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}

const NOTICES = "[...document.querySelectorAll('.notice .text')].map((text) => text.textContent)";

await testWith(
  CHROMIUM,
  "The page goes on over cuts of its network, frozen or offline: all is said once, under one name",
  async () => {
    await using stage = await Stage.set();
    const { proxy, witness } = stage;
    const window = await stage.open();
    await window.takeName("ada");
    await witness.until(({ type, to }) => type === "nick" && to === "ada");
    const cdp = await window.page.createCDPSession();
    const before = witness.moves;

    /** What the page does while its network is away, each with what both ends say meanwhile. */
    const ways: Record<string, (both: () => Promise<void>) => Promise<void>> = {
      async cut(both) {
        const said = both();
        proxy.cut();
        await said;
      },
      async shut(both) {
        proxy.shut();
        await window.state("Reconnecting");
        await both();
        proxy.open();
      },
      async frozen(both) {
        await both();
        await cdp.send("Page.setWebLifecycleState", { state: "frozen" });
        proxy.cut();
        witness.say("to a page that is frozen");
        await witness.hears("to a page that is frozen");
        await cdp.send("Page.setWebLifecycleState", { state: "active" });
      },
      async offline(both) {
        await window.page.setOfflineMode(true);
        proxy.cut();
        await window.state("Reconnecting");
        await both();
        await window.page.setOfflineMode(false);
      },
    };
    let turn = 0;
    for (let round = 0; round < 3; round++) {
      for (const [name, way] of Object.entries(ways)) {
        const [own, other] = [`${name} ${++turn} of ada`, `${name} ${turn} of another`];
        await way(async () => {
          await window.type(own);
          witness.say(other);
          await witness.hears(other);
        });
        await Promise.all([witness.hears(own), window.sees(own), window.sees(other)]);
        await window.state("Connected");
      }
    }
    assertEquals(witness.said.length, 27);
    assertEquals(await window.texts(), witness.said);
    assertEquals(witness.moves, before);
    assertEquals(await window.value("document.querySelector('#my-name').textContent"), "ada");
    assertEquals(await window.value("document.querySelector('#outbox').hidden"), true);
  },
);

await testWith(
  CHROMIUM,
  "The page sends what was written without a network in its order, no faster than the chat takes it",
  async () => {
    await using stage = await Stage.set();
    const { proxy, witness } = stage;
    const window = await stage.open();
    await window.type("before");
    await witness.hears("before");
    proxy.shut();
    await window.until("!document.querySelector('#banner').hidden");
    const words = Array.from({ length: 8 }, (_, i) => `line ${i}`);
    for (const line of words) await window.type(line);
    await window.type("/who");
    const last = await window.value<string[]>(`${NOTICES}.slice(-1)`);
    assertEquals(last, ["Not connected: /who was not sent."]);
    await window.value("document.querySelector('#line').value = ''");
    proxy.open();
    await window.page.click("#retry");
    await window.sees("line 7");
    await window.until("document.querySelector('#outbox').hidden");
    assertEquals(await window.texts(), ["before", ...words]);
    assertEquals(witness.said, ["before", ...words]);
  },
);

await testWith(
  CHROMIUM,
  "The page that is left is told of at once, and not waited for",
  async () => {
    await using stage = await Stage.set();
    const { witness } = stage;
    const window = await stage.open();
    await window.takeName("ada");
    await window.type("goodbye");
    await window.page.goto("about:blank");
    await witness.until(({ type, name }) => type === "leave" && name === "ada");
    await witness.hears("goodbye");
  },
);

await testWith(
  CHROMIUM,
  "The page has its name again when it is loaded anew, also if the server could not be told",
  async () => {
    await using stage = await Stage.set();
    const { proxy, witness } = stage;
    const window = await stage.open();
    await window.takeName("ada");
    await witness.until(({ type, to }) => type === "nick" && to === "ada");
    // It has asked for its key before it says this, and has it then.
    await window.type("before");
    await window.sees("before");
    // What is sent from now on does not arrive: the server waits for the page to come back.
    proxy.darken();
    await window.page.reload();
    await window.until("document.querySelector('#my-name').textContent === 'ada'");
    await window.type("here again");
    await witness.until(({ type, name, text }) =>
      type === "say" && name === "ada" && text === "here again"
    );
    const notices = await window.value<string[]>(NOTICES);
    assert(notices.every((notice) => !/taken|key/.test(notice)), notices.join());
  },
);

await testWith(
  CHROMIUM,
  "The page says that it could not go on, and goes on as before, when its server was started again",
  async () => {
    const port = freePort();
    await using browser = await chromium.connect();
    const start = () => RunningServer.start([`ws://127.0.0.1:${port}`]);
    const first = await start();
    const window = await browser.open(`http://127.0.0.1:${port}/`);
    await window.state("Connected");
    await window.takeName("ada");
    await window.type("one");
    await window.sees("one");
    first.kill("SIGKILL");
    await first.ended();
    await first[Symbol.asyncDispose]();
    await window.until("!document.querySelector('#banner').hidden");
    await using _second = await start();
    await window.page.click("#retry");
    await window.until(`${NOTICES}.some((text) => text.startsWith(
      "The connection could not go on: the server was started again, or did not wait any longer."
    ))`);
    await window.until("document.querySelector('#my-name').textContent === 'ada'");
    await window.type("two");
    await window.sees("two");
    assertEquals(await window.texts(), ["one", "two"]);
  },
);

await testWith(CHROMIUM, "The page is at endpoints of sessions too", async () => {
  await using browser = await chromium.connect();
  await using server = await RunningServer.start(["ws://127.0.0.1:0?session=1"]);
  const { host } = new URL(server.endpoints[0]);
  const window = await browser.open(`http://${host}/`);
  await window.state("Connected");
  await window.type("hello");
  await window.sees("hello");
  assertEquals(window.problems, []);
});
