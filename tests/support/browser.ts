/** A headless Chromium, and what the tests of the chat's page do in it. */

import * as puppeteer from "puppeteer-core";
import type { Engine } from "../interop/peers.ts";

/** Where it is installed. */
export const CHROMIUM: Engine = { name: "Chromium", probe: ["chromium", "--version"] };

/** How long anything in a page may take, in milliseconds. */
const PATIENCE = 120_000;

/** How often a page looks whether what is awaited is there, in milliseconds. Each frame would be work. */
const POLLING = 20;

/** How a window looks. */
export interface WindowOptions {
  readonly width?: number;
  readonly height?: number;
  readonly scheme?: "light" | "dark";
  readonly phone?: boolean;
}

const FLAGS = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--no-default-browser-check",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-extensions",
  "--disable-sync",
  "--disable-breakpad",
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
  "--disable-renderer-backgrounding",
  "--hide-scrollbars",
  "--lang=en-GB",
  "--remote-debugging-port=0",
];

/** A Chromium. Each connection to it is closed with everything that it opened. */
export class Chromium {
  #child: Deno.ChildProcess | undefined;
  #profile = "";
  #endpoint = "";
  #stderr: ReadableStreamDefaultReader<Uint8Array> | undefined;

  /** A connection. */
  async connect(): Promise<Browser> {
    const wire = await DevTools.open(this.#endpoint);
    return new Browser(await puppeteer.connect({ transport: wire }), wire);
  }

  /** Starts it. */
  async start(): Promise<void> {
    this.#profile = await Deno.makeTempDir({ prefix: "lengthwise_browser_" });
    const args = [...FLAGS, `--user-data-dir=${this.#profile}`, "about:blank"];
    try {
      const command = new Deno.Command("chromium", { args, stdout: "null", stderr: "piped" });
      this.#child = command.spawn();
    } catch (error) {
      // Without Chromium the tests are skipped, or fail by themselves.
      if (error instanceof Deno.errors.NotFound) return;
      throw error;
    }
    let said = "";
    const decoder = new TextDecoder();
    this.#stderr = this.#child.stderr.getReader();
    for (let read; !(read = await this.#stderr.read()).done;) {
      said += decoder.decode(read.value, { stream: true });
      this.#endpoint = /^DevTools listening on (ws:\S+)$/m.exec(said)?.[1] ?? "";
      if (this.#endpoint !== "") return;
    }
    throw new Error(`Cannot start Chromium: ${said}`);
  }

  /** Ends it. */
  async stop(): Promise<void> {
    if (this.#child !== undefined) {
      this.#child.kill("SIGTERM");
      await this.#child.status;
      // Its helpers have this open too, and write into the profile until they have gone.
      while (!(await this.#stderr!.read()).done);
    }
    await Deno.remove(this.#profile, { recursive: true });
  }
}

/** A Chromium for all tests of a file, since starting one takes longer than most tests. */
export class SharedBrowser extends Chromium {
  /** Starts it before the file's first test, and ends it after the last. */
  constructor() {
    super();
    Deno.test.beforeAll(() => this.start());
    Deno.test.afterAll(() => this.stop());
  }
}

/**
 * The wire to a Chromium. Unlike puppeteer's own, one can wait until it is closed; and it closes the
 * pages after puppeteer has let go of them, which else waits for their return with a timer.
 */
class DevTools implements puppeteer.ConnectionTransport {
  onmessage?: (message: string) => void;
  onclose?: () => void;
  readonly closed: Promise<void>;
  /** What to close before the wire. */
  readonly contexts: string[] = [];
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    socket.onmessage = ({ data }) => this.onmessage?.(data);
    socket.onclose = () => {
      resolve();
      this.onclose?.();
    };
  }

  static async open(endpoint: string): Promise<DevTools> {
    const socket = new WebSocket(endpoint);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    return new DevTools(socket);
  }

  send(message: string): void {
    this.#socket.send(message);
  }

  close(): void {
    const awaited = new Set<number>();
    for (const [i, browserContextId] of this.contexts.entries()) {
      const id = 1_000_000_000 + i;
      awaited.add(id);
      const method = "Target.disposeBrowserContext";
      this.send(JSON.stringify({ id, method, params: { browserContextId } }));
    }
    this.#socket.onmessage = ({ data }) => {
      awaited.delete(JSON.parse(data).id);
      if (awaited.size === 0) this.#socket.close();
    };
    if (awaited.size === 0) this.#socket.close();
  }
}

/** What one test uses of a Chromium. */
export class Browser implements AsyncDisposable {
  readonly #chromium: puppeteer.Browser;
  readonly #wire: DevTools;

  constructor(chromium: puppeteer.Browser, wire: DevTools) {
    this.#chromium = chromium;
    this.#wire = wire;
  }

  /** Opens a page for somebody else than all the other pages, with storage of its own. */
  async open(url: string, options: WindowOptions = {}): Promise<ChatWindow> {
    const { width = 1000, height = 700, scheme = "light", phone = false } = options;
    const context = await this.#chromium.createBrowserContext();
    if (context.id !== undefined) this.#wire.contexts.push(context.id);
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    await page.setViewport({ width, height, isMobile: phone, hasTouch: phone });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    const window = new ChatWindow(page);
    await page.goto(url);
    return window;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chromium.disconnect();
    await this.#wire.closed;
  }
}

/** One person's window. */
export class ChatWindow {
  /** What went wrong in it: errors, broken rules of the policy, requests that failed. */
  readonly problems: string[] = [];
  readonly page: puppeteer.Page;

  constructor(page: puppeteer.Page) {
    this.page = page;
    page.on("console", (message) => {
      if (["error", "warn"].includes(message.type())) this.problems.push(message.text());
    });
    page.on("pageerror", (error) => this.problems.push(String(error)));
    page.on("requestfailed", (request) => this.problems.push(`failed: ${request.url()}`));
  }

  /** Waits until an expression is true in the page. */
  async until(expression: string): Promise<void> {
    try {
      await this.page.waitForFunction(expression, { polling: POLLING });
    } catch (cause) {
      const shown = await this.page.evaluate("document.body.innerText.slice(-2000)");
      throw new Error(`Cannot wait for ${expression}: page shows ${JSON.stringify(shown)}`, {
        cause,
      });
    }
  }

  /** The value of an expression in the page. */
  async value<T>(expression: string): Promise<T> {
    return await this.page.evaluate(expression) as T;
  }

  /** Waits for the state that the page shows. */
  async state(text: string): Promise<void> {
    await this.until(`document.querySelector("[role=status]").textContent === "${text}"`);
  }

  /** Waits for an entry of the log with this text. */
  async sees(text: string): Promise<void> {
    await this.until(`(${TEXTS}).some((text) => text.includes(${JSON.stringify(text)}))`);
  }

  /** What the log shows that was said, oldest first. */
  async texts(): Promise<string[]> {
    return await this.value(TEXTS);
  }

  /** The names under People. */
  async people(): Promise<string[]> {
    return await this.value(`[...document.querySelectorAll("#people .label")]
      .map((label) => label.textContent)`);
  }

  /** Writes a line and sends it. */
  async type(text: string): Promise<void> {
    await this.page.focus("#line");
    await this.page.keyboard.sendCharacter(text);
    await this.page.keyboard.press("Enter");
  }

  /** Takes a name. */
  async takeName(name: string): Promise<void> {
    await this.type(`/nick ${name}`);
    await this.until(`document.querySelector("#my-name").textContent === ${JSON.stringify(name)}`);
  }

  /** Goes to a room. */
  async join(room: string): Promise<void> {
    await this.type(`/join ${room}`);
    await this.until(`document.querySelector("h1").textContent === "#${room}"`);
  }

  /** What has the focus, by its id, or by its text. */
  async focused(): Promise<string> {
    return await this.value("document.activeElement.id || document.activeElement.textContent");
  }
}

/** Texts of the log's entries, without those that page and server say for themselves. */
const TEXTS = `[...document.querySelectorAll("[role=log] .entry:not(.notice) .text")]
  .map((text) => text.textContent)`;
