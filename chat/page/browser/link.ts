/**
 * The way to the chat: what it can be, and every way from one state to the next.
 *
 * @module
 */

import { Attempts, backoff } from "./library.ts";
import { HELLO_TIMEOUT, IDLE_TIMEOUT, MAX_KEPT, REPLY_TIMEOUT } from "./limits.ts";
import { WANTS_TOKEN } from "./losses.ts";
import type { Socket, SocketUser } from "./socket.ts";
import { textOf } from "./text.ts";

type Timer = ReturnType<typeof setTimeout>;

/** Who ends a stay: the reader by `/quit`, or the server. Nobody comes back from that by itself. */
export type LeftBy = "reader" | "server";

/** One thing at a time, with what belongs to it. */
export type LinkState =
  /** No welcome yet. `words`: what was said so far; `reason`: why the attempt before failed. */
  | {
    readonly kind: "connecting";
    readonly socket: Socket;
    readonly words: string[];
    readonly reason: string;
    readonly timer: Timer;
  }
  /** In the chat. `pingedAt`: when the server was asked something that it has not answered yet. */
  | {
    readonly kind: "open";
    readonly socket: Socket;
    heardAt: number;
    pingedAt: number | undefined;
  }
  /** In the chat, without a network since `since`. The next attempt to go on is at `until`. */
  | {
    readonly kind: "interrupted";
    readonly socket: Socket;
    readonly since: number;
    readonly until: number;
    readonly reason: string;
  }
  /** It has been said that this ends; the server still has to close. */
  | { readonly kind: "leaving"; readonly socket: Socket; readonly by: LeftBy }
  /** The next attempt is at `until`. */
  | {
    readonly kind: "waiting";
    readonly until: number;
    readonly reason: string;
    readonly timer: Timer;
  }
  /** The server wants a token, or another one: `why`, if one was given. */
  | { readonly kind: "refused"; readonly why: string }
  | { readonly kind: "left"; readonly by: LeftBy };

/** What the rest of the page does with the link. */
export interface LinkUser {
  /** Opens a socket to the server whose turn it is, with the token, if there is one. */
  open(user: SocketUser, token: string | undefined): Socket;
  /** The next attempt is not one more after a failure: it begins with the page's own server. */
  startAnew(): void;
  /** Takes what came. */
  take(text: string): void;
  /** Hears what came and was not heard yet: the socket has closed. */
  drain(): void;
  /** Goes on with what was sent, and waits for its answers from now on. */
  resumed(): void;
  /** Tells the reader that this connection did not go on. */
  forgotten(reason: string): void;
  /** Forgets what only this connection could have brought. */
  lost(): void;
  /** Shows the state. */
  changed(): void;
}

/** What is asked to see whether the server is still there. */
const PING = "still-there";
/** How the server's own question whether this page is still there begins. */
const PING_EVENT = '{"type":"ping"';

/** A connection, one after another for as long as it makes sense. */
export class Link {
  #state: LinkState = { kind: "left", by: "reader" };
  #user: LinkUser | undefined;
  #token: string | undefined;
  /** Connections that failed, or did not hold, one after another. */
  readonly #attempts = new Attempts(backoff());
  #wasOpen = false;

  /** How it stands. */
  get state(): Readonly<LinkState> {
    return this.#state;
  }

  /** Whether the last attempt failed. */
  get failing(): boolean {
    return this.#attempts.failures > 0;
  }

  /** Whether there is a connection that outlives its network. */
  get isSession(): boolean {
    return this.#socket?.isSession === true;
  }

  /** Whether there was ever a connection. */
  get wasOpen(): boolean {
    return this.#wasOpen;
  }

  /** Connects for the first time. */
  start(user: LinkUser): void {
    this.#user = user;
    this.connect();
  }

  /** Connects, unless there is a connection. */
  connect(): void {
    if (this.#socket !== undefined || this.#user === undefined) return;
    const reason = this.#state.kind === "waiting" ? this.#state.reason : "";
    const socket = this.#user.open({
      opened: () => socket.send("/json"),
      took: (text) => {
        if (socket !== this.#socket) return;
        if (this.#state.kind === "open") this.#state.heardAt = Date.now();
        // At once: timers come late in a page that nobody looks at, and so does the rest of it.
        if (text.startsWith(PING_EVENT)) socket.send("/pong");
        else this.#user?.take(text);
      },
      interrupted: (reason, until) => {
        if (socket === this.#socket) this.#interrupt(socket, reason, until);
      },
      resumed: () => {
        if (socket === this.#socket && this.#state.kind === "interrupted") this.#resume(socket);
      },
      forgotten: (reason) => {
        if (socket === this.#socket && this.#state.kind !== "leaving") {
          this.#user?.forgotten(reason);
        }
      },
      ended: (code, reason) => {
        if (socket !== this.#socket) return;
        this.#user?.drain();
        if (code === WANTS_TOKEN && this.#state.kind === "connecting") this.#refuse(reason);
        else this.#lose(reason);
      },
    }, this.#token);
    const timer = setTimeout(() => this.#lose("the server does not answer"), HELLO_TIMEOUT);
    this.#become({ kind: "connecting", socket, words: [], reason, timer });
  }

  /** Connects with another token. */
  connectWith(token: string | undefined): void {
    this.#token = token;
    this.connect();
  }

  /** Connects at once, as if nothing had failed: the reader wants it. */
  retry(): void {
    if (this.#state.kind === "interrupted") return this.#state.socket.hurry();
    this.#attempts.startAnew();
    this.connect();
  }

  /** Called when there is hope: the network is back, or the reader is. */
  hurry(): void {
    if (this.#state.kind === "waiting") this.connect();
    else if (this.#state.kind === "open" && this.#state.pingedAt === undefined) this.#ping();
  }

  /** The page is left, perhaps for good: the server need not wait for it. */
  part(): void {
    if (this.#socket !== undefined) this.#lose("");
  }

  /** Sends a line; one that cannot be sent is lost. */
  send(text: string): void {
    this.#socket?.send(text);
  }

  /** The server has let us in, or said again that we are in. */
  welcome(): void {
    const socket = this.#socket;
    if (socket === undefined || this.#state.kind === "interrupted") return;
    this.#wasOpen = true;
    this.#attempts.made();
    this.#become({ kind: "open", socket, heardAt: Date.now(), pingedAt: undefined });
  }

  /** Keeps what the server said before a welcome: the last of it may be why there is none. */
  noteWords(words: string): void {
    if (this.#state.kind !== "connecting") return;
    if (this.#state.words.length < MAX_KEPT) this.#state.words.push(words);
  }

  /** The server is about to close, for good. */
  leave(by: LeftBy): void {
    const socket = this.#socket;
    if (socket !== undefined) this.#become({ kind: "leaving", socket, by });
  }

  /** Takes an answer to a ping: after how many milliseconds; undefined if a reader had asked. */
  pong(text: unknown): { readonly after: number | undefined } | undefined {
    if (text !== PING) return undefined;
    if (this.#state.kind !== "open") return { after: undefined };
    const { pingedAt } = this.#state;
    this.#state.pingedAt = undefined;
    return { after: pingedAt === undefined ? undefined : Date.now() - pingedAt };
  }

  /** Called every second: finds out whether a silent server is still there. */
  watch(now: number): void {
    const state = this.#state;
    if (state.kind !== "open") return;
    const { heardAt, pingedAt, socket: { isSession } } = state;
    // A session finds that out by itself, and goes on.
    if (
      !isSession && pingedAt !== undefined && heardAt < pingedAt && now - pingedAt > REPLY_TIMEOUT
    ) {
      return this.#lose("the server does not answer");
    }
    // It says other things, but does not answer: it is there.
    if (pingedAt !== undefined && heardAt >= pingedAt + REPLY_TIMEOUT) state.pingedAt = undefined;
    if (state.pingedAt === undefined && now - heardAt > IDLE_TIMEOUT) this.#ping();
  }

  get #socket(): Socket | undefined {
    return "socket" in this.#state ? this.#state.socket : undefined;
  }

  #ping(): void {
    if (this.#state.kind !== "open") return;
    this.#state.pingedAt = Date.now();
    this.send(`/ping ${PING}`);
  }

  #interrupt(socket: Socket, reason: string, until: number): void {
    const state = this.#state;
    if (state.kind !== "open" && state.kind !== "interrupted") return;
    const since = state.kind === "open" ? Date.now() : state.since;
    this.#become({ kind: "interrupted", socket, since, until, reason });
  }

  #resume(socket: Socket): void {
    this.#become({ kind: "open", socket, heardAt: Date.now(), pingedAt: undefined });
    this.#user?.resumed();
  }

  /** The socket is closed, or as good as that. */
  #lose(reason: string): void {
    const state = this.#state;
    this.#letGo();
    // Who was sent away comes back by its own decision only.
    if (state.kind === "leaving") {
      this.#user?.startAnew();
      return this.#become({ kind: "left", by: state.by });
    }
    // A server that takes and drops connections is not tried without pause.
    const delay = this.#attempts.failed(reason) ?? 0;
    const held = state.kind === "open" || state.kind === "interrupted";
    if (held && this.#attempts.failures === 1) this.#user?.startAnew();
    const said = state.kind === "connecting" ? state.words.at(-1) : "";
    this.#become({
      kind: "waiting",
      until: Date.now() + delay,
      reason: textOf(reason || said).replace(/\.$/, ""),
      timer: setTimeout(() => this.connect(), delay),
    });
  }

  /** The server wants a token: it has said why, or at least closed with a reason. */
  #refuse(reason: string): void {
    const said = this.#state.kind === "connecting" ? this.#state.words.at(-1) : undefined;
    this.#letGo();
    this.#user?.startAnew();
    // Without a token none can be wrong; that one is wanted is said anyway.
    this.#become({ kind: "refused", why: this.#token === undefined ? "" : textOf(said ?? reason) });
  }

  /** Lets go of the socket; nothing more is heard from it. */
  #letGo(): void {
    this.#socket?.close();
    this.#user?.lost();
  }

  #become(next: LinkState): void {
    if ("timer" in this.#state) clearTimeout(this.#state.timer);
    this.#state = next;
    this.#user?.changed();
  }
}

export const link: Link = new Link();
