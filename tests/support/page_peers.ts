/** What is at the other end of the chat's page: servers, other people, and a wire that can be cut. */

import { assert } from "@std/assert";
import { respond } from "../../chat/page/respond.ts";
import { writeAll } from "../../internal/bytes.ts";

/** How long the page may be silent, in milliseconds. */
const PATIENCE = 120_000;

/** Says lines from a connection of its own, and leaves once it has heard the last one. */
export async function sayElsewhere(url: string, lines: readonly string[]): Promise<void> {
  const socket = new WebSocket(url);
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  socket.onclose = () => resolve();
  socket.onopen = () => {
    for (const line of lines) socket.send(line);
  };
  socket.onmessage = ({ data }) => {
    if (String(data).endsWith(`: ${lines.at(-1)}`)) socket.close();
  };
  await closed;
}

/** A server that serves the page and says only what the test says. */
export class ScriptedServer implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #sockets = new Set<WebSocket>();
  readonly #heard: string[] = [];
  #news = Promise.withResolvers<void>();

  /** Starts it; `greet` is called for each socket that opens, `answer` for each line that comes. */
  constructor(
    greet: (server: ScriptedServer) => void,
    answer: (server: ScriptedServer, line: string) => void = () => {},
  ) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
      if (request.headers.get("upgrade") !== "websocket") return respond(request);
      const { socket, response } = Deno.upgradeWebSocket(request);
      socket.onopen = () => {
        this.#sockets.add(socket);
        greet(this);
      };
      socket.onmessage = ({ data }) => {
        this.#heard.push(String(data));
        this.#news.resolve();
        this.#news = Promise.withResolvers();
        answer(this, String(data));
      };
      socket.onclose = () => this.#sockets.delete(socket);
      return response;
    });
  }

  /** Where the page is. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/`;
  }

  /** Tells every socket: strings as they are, everything else as JSON. */
  tell(...events: unknown[]): void {
    for (const event of events) {
      const text = typeof event === "string" ? event : JSON.stringify(event);
      for (const socket of this.#sockets) socket.send(text);
    }
  }

  /** Closes every socket. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.close();
  }

  /** Wants a token, or another one, as a server does that was given one. */
  refuse(): void {
    const reason = "the token is missing or wrong";
    this.tell(`* Cannot join: ${reason}`);
    for (const socket of this.#sockets) socket.close(1008, reason);
  }

  /** Waits for the next line that the page sends. */
  async next(): Promise<string> {
    const timer = setTimeout(() => this.#news.reject(new Error("The page says nothing")), PATIENCE);
    while (this.#heard.length === 0) await this.#news.promise;
    clearTimeout(timer);
    const line = this.#heard.shift();
    assert(line !== undefined);
    return line;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.hangUp();
    await this.#server.shutdown();
  }
}

/** Passes bytes on to a port, until it is cut. */
export class Wire implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns = new Set<Deno.Conn>();
  readonly #accepting: Promise<void>;
  #state: "whole" | "cut" = "whole";

  /** Passes what comes on to `port`. */
  constructor(port: number) {
    this.#accepting = this.#accept(port);
  }

  /** The near end. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** Ends every connection; further ones end at once until `mend()`. */
  cut(): void {
    this.#state = "cut";
    for (const conn of this.#conns) conn.close();
    this.#conns.clear();
  }

  /** Passes on again. */
  mend(): void {
    this.#state = "whole";
  }

  async #accept(port: number): Promise<void> {
    const passing: Promise<void>[] = [];
    for await (const near of this.#listener) {
      if (this.#state === "cut") {
        near.close();
        continue;
      }
      const far = await Deno.connect({ hostname: "127.0.0.1", port });
      this.#conns.add(near).add(far);
      passing.push(this.#pass(near, far), this.#pass(far, near));
    }
    await Promise.all(passing);
  }

  async #pass(from: Deno.Conn, to: Deno.Conn): Promise<void> {
    const chunk = new Uint8Array(64 * 1024);
    try {
      for (let read; (read = await from.read(chunk)) !== null;) {
        await writeAll(to, chunk.subarray(0, read));
      }
    } catch {
      // It was cut.
    }
    for (const conn of [from, to]) if (this.#conns.delete(conn)) conn.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#listener.close();
    await this.#accepting;
  }
}
