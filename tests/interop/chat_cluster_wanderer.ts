/** A program in a chat of many servers that goes on at another server, as docs/chat.md says. */

import { ConnectionLostError, TruncatedMessageError } from "../../errors.ts";
import { connect, type Connection, type ConnectOptions, reconnect, text } from "../../mod.ts";

/** How many of its messages are on their way at a time. */
const WINDOW = 8;

interface Said {
  readonly id: number;
  readonly name: string;
  readonly text: string;
  readonly time: number;
  readonly ref?: string;
}

/** Says numbered messages, and keeps what it hears, in order and once. */
export class Wanderer {
  /** What it has heard, in the order in which it took it. */
  readonly heard: Said[] = [];
  /** Events that are no messages. */
  // deno-lint-ignore no-explicit-any
  readonly events: any[] = [];
  /** How often it has come to a server, and has caught up there. */
  arrivals = 0;
  /** When it did so last, by `performance.now()`. */
  arrivedAt = 0;
  readonly #endpoints: readonly string[];
  readonly #own: { ref: string; text: string }[] = [];
  #at: number;
  #acknowledged = 0;
  #sent = 0;
  #lastId = 0;
  #key = "";
  #connection: Connection<string> | undefined;
  #state: "here" | "catching up" | "leaving" | "failed" = "catching up";
  #failure: unknown;
  #held: Said[] = [];
  #changed = Promise.withResolvers<void>();
  readonly #running: Promise<void>;

  /**
   * Comes to one of the endpoints, and to the next one whenever it loses its server; and to a room, if it
   * is not the lobby. With `session` it has one session after another, each at a server that is drawn by
   * lot.
   */
  constructor(
    readonly name: string,
    endpoints: readonly string[],
    at: number,
    readonly options: {
      room?: string;
      tls?: ConnectOptions<string>["tls"];
      session?: boolean;
    } = {},
  ) {
    this.#endpoints = endpoints;
    this.#at = at;
    this.#running = this.#run();
  }

  /** Where it is, or was last. */
  get endpoint(): string {
    return this.#connection?.endpoint ?? "";
  }

  /** How many of its messages have come back. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Says something, now or when it can. */
  say(text: string): void {
    this.#own.push({ ref: crypto.randomUUID(), text });
    this.#flush();
  }

  /** Waits until something is so. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.#state === "failed") throw this.#failure;
      await this.#changed.promise;
    }
  }

  /** Waits until all that it said has come back, and it knows its key. */
  async settled(): Promise<void> {
    await this.until(() =>
      this.#state === "here" && this.#key !== "" && this.#acknowledged === this.#own.length
    );
  }

  async leave(): Promise<void> {
    this.#state = "leaving";
    this.#connection?.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      for await (const connection of this.#connections()) {
        this.#connection = connection;
        await this.#talk(connection);
        if (this.#state === "leaving") return;
      }
    } catch (error) {
      this.#failure = error;
      this.#state = "failed";
      this.#change();
    }
  }

  async *#connections(): AsyncIterable<Connection<string>> {
    const options = { format: text(), tls: this.options.tls };
    if (this.options.session) {
      const soon = { retry: () => Math.random() * 500 };
      yield* reconnect(this.#endpoints, { ...options, ...soon, session: soon });
    }
    while (this.#state !== "leaving") {
      const endpoint = this.#endpoints[this.#at++ % this.#endpoints.length];
      const connection = await connect(endpoint, options).catch(() => undefined);
      if (connection === undefined) continue; // The server is gone, or not there yet.
      yield connection;
      connection.abort();
    }
  }

  async #talk(connection: Connection<string>): Promise<void> {
    if (this.#state === "leaving") return connection.abort();
    this.#state = "catching up";
    this.#held = [];
    const claim = this.#key === "" ? `/nick ${this.name}` : `/claim ${this.name} ${this.#key}`;
    const { room } = this.options;
    const join = room === undefined ? [] : [`/join ${room}`];
    for (const line of ["/json", claim, ...join, `/history 100 after ${this.#lastId}`, "/claim"]) {
      connection.send(line);
    }
    let cut: string | undefined;
    try {
      for await (const line of connection) {
        if (cut !== undefined) throw new SyntaxError(cut);
        const event = line.startsWith("{") ? eventIn(line) : undefined;
        // A server that is killed may have written half of its last line.
        if (line.startsWith("{") && event === undefined) cut = line;
        if (event !== undefined) this.#hear(event, connection);
        this.#change();
      }
    } catch (error) {
      // The server is gone: the next one is tried.
      const isLoss = error instanceof ConnectionLostError || error instanceof TruncatedMessageError;
      if (!isLoss) throw error;
    }
    if (this.#hasState("here")) this.#state = "catching up";
  }

  #hasState(state: "here" | "leaving"): boolean {
    return this.#state === state;
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  // deno-lint-ignore no-explicit-any
  #hear(event: any, connection: Connection<string>): void {
    switch (event.type) {
      case "say":
      case "placed":
        if (event.id === 0) break; // It has no place yet.
        if (this.#state === "catching up") this.#held.push(event);
        else this.#take(event);
        return;
      case "history":
        if (event.after === undefined) return; // The greeting: all of it is asked for.
        for (const said of event.messages) this.#take(said);
        if (event.more) return void connection.send(event.next);
        for (const said of this.#held) this.#take(said);
        this.#state = "here";
        this.arrivals++;
        this.arrivedAt = performance.now();
        this.#sent = this.#acknowledged;
        return this.#flush();
      case "notice":
        if (event.code === "key") this.#key = event.key;
        if (event.code === "said-already") this.#acknowledge(event.ref);
    }
    this.events.push(event);
  }

  #take(said: Said): void {
    if (said.id <= this.#lastId) return;
    this.#lastId = said.id;
    this.heard.push(said);
    if (said.ref !== undefined) this.#acknowledge(said.ref);
  }

  #acknowledge(ref: string): void {
    const index = this.#own.findIndex((own) => own.ref === ref);
    if (index < this.#acknowledged) return;
    this.#acknowledged = index + 1;
    this.#flush();
  }

  #flush(): void {
    if (this.#state !== "here") return;
    while (this.#sent < this.#own.length && this.#sent - this.#acknowledged < WINDOW) {
      const { ref, text } = this.#own[this.#sent++];
      this.#connection!.send(`/once ${ref} ${text}`);
    }
  }
}

/** The event that a line tells; undefined if the line was cut. */
// deno-lint-ignore no-explicit-any
function eventIn(line: string): any {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
