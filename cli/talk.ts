/** The client at a terminal: lines typed are sent, messages appear above the line being typed. */

import { delay } from "@std/async/delay";
import { dim, green, red, yellow } from "@std/fmt/colors";
import { backoff, type RetryPolicy } from "../client/retry.ts";
import type { Connection } from "../connection.ts";
import { printable } from "../printable.ts";
import type { ClientContext } from "./context.ts";
import { EXIT } from "./options.ts";
import { exitCodeOf } from "./program.ts";
import { messageOf } from "./report.ts";
import { Terminal } from "./terminal.ts";

/** How often the round-trip time is measured, in milliseconds, with a peer that answers. */
const PING_INTERVAL = 10_000;

/** How long the answer to `/quit` may take, in milliseconds. */
const FAREWELL = 1_000;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Talks until Ctrl-D, Ctrl-C or `/quit`. A connection that is lost is made again, with backoff; the
 * prompt shows the state and the round-trip time.
 */
export async function talk(context: ClientContext): Promise<number> {
  const first = await context.connect();
  using terminal = new Terminal({ prompt: prompt("connecting") });
  const session = new Talk(terminal, context);
  return await session.run(first);
}

/** One stay at the terminal, over any number of connections. */
class Talk {
  readonly #terminal: Terminal;
  readonly #context: ClientContext;
  readonly #stop = new AbortController();
  readonly #retry: RetryPolicy = backoff();
  #connection: Connection | undefined;
  /** The token of the ping whose answer must not be shown, and when it was sent. */
  #ping: { token: string; sentAt: number } | undefined;

  constructor(terminal: Terminal, context: ClientContext) {
    this.#terminal = terminal;
    this.#context = context;
  }

  async run(first: Connection): Promise<number> {
    const receiving = this.#receiveAlways(first);
    const typed = await Promise.race([this.#sendTyped(), receiving]);
    this.#stop.abort();
    if (typed === "quit") await Promise.race([receiving, delay(FAREWELL)]);
    await this.#connection?.close();
    return await receiving;
  }

  /** Sends what is typed, until the keyboard ends. */
  async #sendTyped(): Promise<"quit" | void> {
    for await (const line of this.#terminal) {
      if (this.#connection?.state === "open") await this.#send(this.#connection, line);
      else this.#say(red("not sent: there is no connection"));
      if (line === "/quit") return "quit";
    }
  }

  async #send(connection: Connection, line: string): Promise<void> {
    try {
      await connection.send(line);
    } catch (error) {
      this.#say(red(`not sent: ${messageOf(error)}`));
    }
  }

  /** Prints messages of one connection after another; resolves to the exit code. */
  async #receiveAlways(first: Connection): Promise<number> {
    let connection: Connection | undefined = first;
    for (let attempt = 1; !this.#stop.signal.aborted; attempt++) {
      try {
        connection ??= await this.#context.connect();
        attempt = 0;
        await this.#receive(connection);
        if (this.#stop.signal.aborted) break;
        this.#say(yellow("the peer closed the connection"));
      } catch (error) {
        if (this.#stop.signal.aborted) break;
        this.#say(red(printable(messageOf(error))));
        if (exitCodeOf(error) === EXIT.protocol) return EXIT.protocol;
      }
      await connection?.close();
      connection = undefined;
      await this.#waitToRetry(attempt + 1);
    }
    return EXIT.done;
  }

  async #waitToRetry(attempt: number): Promise<void> {
    const wait = this.#retry({ attempt, error: undefined }) ?? 0;
    this.#terminal.setPrompt(prompt(`offline, trying again in ${(wait / 1000).toFixed(1)} s`));
    await delay(wait, { signal: this.#stop.signal }).catch(() => {});
  }

  async #receive(connection: Connection): Promise<void> {
    this.#connection = connection;
    this.#ping = undefined;
    this.#terminal.setPrompt(prompt("open"));
    let timer: ReturnType<typeof setInterval> | undefined;
    try {
      for await (const message of connection) {
        const text = decoder.decode(message);
        if (this.#isPong(text)) continue;
        // Only a chat is known to take `/ping` for a question.
        if (timer === undefined && text.startsWith("* Welcome, ")) {
          timer = setInterval(() => this.#sendPing(connection), PING_INTERVAL);
          this.#sendPing(connection);
        }
        this.#say(color(printable(text)));
      }
    } finally {
      clearInterval(timer);
    }
  }

  #sendPing(connection: Connection): void {
    this.#ping = { token: crypto.randomUUID(), sentAt: performance.now() };
    connection.send(`/ping ${this.#ping.token}`);
  }

  #isPong(text: string): boolean {
    if (this.#ping === undefined || text !== `* pong ${this.#ping.token}`) return false;
    const time = performance.now() - this.#ping.sentAt;
    this.#terminal.setPrompt(prompt("open", `${time < 10 ? time.toFixed(1) : time.toFixed(0)} ms`));
    return true;
  }

  #say(line: string): void {
    this.#terminal.print(line);
  }
}

function prompt(state: string, time = ""): string {
  const shown = state === "open" ? green(state) : yellow(state);
  return `${dim("[")}${shown}${time === "" ? "" : dim(` ${time}`)}${dim("]")} `;
}

/** The room's own lines step back behind what people say. */
function color(text: string): string {
  return text.startsWith("* ") ? dim(text) : text;
}
