/**
 * The client at a terminal. It sends the lines that are typed, and shows messages above the line
 * being typed.
 */

import { delay } from "@std/async/delay";
import { dim, green, red, yellow } from "@std/fmt/colors";
import type { ChatEvent, NoticeCode } from "../../chat.ts";
import type { Connection } from "../../connection.ts";
import { Attempts, backoff, pause } from "../../internal/retry.ts";
import { printable } from "../../internal/text.ts";
import { type InForm, type OutForm, parseMessage } from "../shared/forms.ts";
import { EXIT, UsageError } from "../shared/options.ts";
import { exitCodeOf } from "../shared/program.ts";
import { messageOf } from "../shared/report.ts";
import { type MessageForm, messageForm } from "../shared/shown.ts";
import {
  CHAT_COMMANDS,
  complete,
  type Completion,
  OPERATOR_COMMANDS,
} from "../terminal/completion.ts";
import { type Mention, Names } from "../terminal/names.ts";
import { Terminal } from "../terminal/terminal.ts";
import type { ClientContext } from "./context.ts";
import { Dialogue } from "./dialogue.ts";
import { inFormOf, outFormOf } from "./messages.ts";
import { isForGood, refusalAtEnd, refusalIn, type Refused, wantsToken } from "./refusal.ts";

/** How often the round-trip time is measured, in milliseconds, if the peer answers pings. */
const PING_INTERVAL = 10_000;

/** How long to wait for the answer to `/quit`, in milliseconds. */
const FAREWELL = 1_000;

/** The least time between two rings, in milliseconds. */
const RING_INTERVAL = 1_000;

/** The codes with which a chat disconnects a member. */
const SENT_AWAY: ReadonlySet<NoticeCode> = new Set(
  ["kicked", "banned", "disconnected-flood", "disconnected-token", "taken-over"] as const,
);
/** A framing with one byte for the length. Most events are too long for it. */
const NARROW = "u8";
const QUIT = /^\/quit(?:\s|$)/i;
/** The commands that set a member's name and room. They are sent again on the next connection. */
const PLACE = /^\/(nick|join)\s/i;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Talks until Ctrl-D, Ctrl-C or `/quit`. If the connection is lost, it is made again, with backoff.
 * The prompt shows the state and the round-trip time. A user who was disconnected by the chat can
 * press Enter to join again. If the server refuses the client, the program ends with exit code 1.
 */
export async function talk(context: ClientContext): Promise<number> {
  const forms = { in: inFormOf(context), out: outFormOf(context) };
  if (forms.in === "length") throw new UsageError("--in length is for files and pipes");
  const first = await context.connect();
  using terminal: Terminal = new Terminal({
    prompt: prompt("connecting"),
    complete: (before) => session.complete(before),
  });
  const session: Talk = new Talk(terminal, context, forms);
  return await session.run(first);
}

/**
 * What has happened on a connection: nothing has come yet, messages have come, or it has ended in
 * one of two ways.
 */
type Standing = "new" | "in" | "refused" | "sent away";

/** The forms that the user wants. Without them, lines are text, and a chat is shown as one. */
interface Forms {
  readonly in: InForm | undefined;
  readonly out: OutForm | undefined;
}

/** The talk at a terminal, over any number of connections. */
class Talk {
  readonly #terminal: Terminal;
  readonly #context: ClientContext;
  readonly #inForm: InForm | undefined;
  /** How messages look, if the user wants another form than that of a conversation. */
  readonly #shown: MessageForm | undefined;
  readonly #stop = new AbortController();
  readonly #attempts = new Attempts(backoff());
  readonly #names = new Names();
  #connection: Connection | undefined;
  #dialogue: Dialogue | undefined;
  #standing: Standing = "new";
  #commands = CHAT_COMMANDS;
  readonly #place = new Map<string, string>();
  /** Whether this program has asked for the key, and its answer is not for the user. */
  #asksKey = false;
  /** What takes the user's name over from the last connection. */
  #key: string | undefined;
  #rangAt = -Infinity;
  /** Resolved by Enter after the user was sent away. */
  #again: PromiseWithResolvers<void> | undefined;
  #pinging: ReturnType<typeof setInterval> | undefined;
  /** The token of the ping whose answer must not be shown, and when it was sent. */
  #ping: { token: string; sentAt: number } | undefined;

  constructor(terminal: Terminal, context: ClientContext, forms: Forms) {
    this.#terminal = terminal;
    this.#context = context;
    this.#inForm = forms.in;
    this.#shown = forms.out === undefined ? undefined : messageForm(forms.out, true);
  }

  /** What Tab does. It does nothing if the peer is no chat. */
  complete(before: string): Completion | undefined {
    if (this.#names.own === undefined) return undefined;
    return complete(before, { commands: this.#commands, names: this.#names.others });
  }

  async run(first: Connection): Promise<number> {
    const receiving = this.#receiveAlways(first);
    const ended = await Promise.race([this.#sendTyped(), receiving]);
    if (typeof ended === "number") return ended;
    this.#stop.abort();
    this.#again?.resolve();
    if (ended === "quit") await Promise.race([receiving, delay(FAREWELL)]);
    await this.#connection?.close();
    // If an attempt to connect still goes on, it is not waited for.
    return await Promise.race([receiving, delay(FAREWELL).then(() => EXIT.done)]);
  }

  /** Sends what is typed, until the end of the input. */
  async #sendTyped(): Promise<"quit" | "end"> {
    for await (const line of this.#terminal) {
      if (this.#again !== undefined && line === "") this.#again.resolve();
      else if (this.#connection?.state === "open") await this.#send(this.#connection, line);
      else this.#say(red("not sent: there is no connection"));
      if (QUIT.test(line)) return "quit";
    }
    return "end";
  }

  async #send(connection: Connection, line: string): Promise<void> {
    const place = PLACE.exec(line)?.[1].toLowerCase();
    if (place !== undefined) this.#place.set(place, line);
    try {
      if (this.#inForm !== undefined) {
        return await connection.send(parseMessage(line, this.#inForm, "what was typed"));
      }
      const lines = this.#dialogue?.lines(line) ?? [line];
      await Promise.all(lines.map((line) => connection.send(line)));
    } catch (error) {
      this.#say(red(`not sent: ${printable(messageOf(error))}`));
    }
  }

  /** Prints the messages of one connection after another. Resolves to the exit code. */
  async #receiveAlways(first: Connection): Promise<number> {
    let connection: Connection | undefined = first;
    while (!this.#stop.signal.aborted) {
      try {
        connection ??= await this.#context.connect();
        if (this.#stop.signal.aborted) break;
        this.#attempts.made();
        await this.#receive(connection);
        if (this.#stop.signal.aborted) break;
        if (this.#standing !== "refused") this.#say(yellow("the peer closed the connection"));
      } catch (error) {
        if (this.#stop.signal.aborted) break;
        this.#say(red(printable(messageOf(error))));
        if (exitCodeOf(error) === EXIT.protocol) return EXIT.protocol;
      }
      await connection?.close();
      connection = undefined;
      if (this.#standing === "refused") return EXIT.lost;
      // The client must wait before each attempt, also if the server accepts connections and closes
      // them at once.
      const wait = this.#attempts.failed(undefined) ?? 0;
      if (this.#standing === "sent away") await this.#waitForEnter();
      else await this.#waitToRetry(wait);
    }
    await connection?.close();
    return EXIT.done;
  }

  async #waitToRetry(wait: number): Promise<void> {
    this.#terminal.setPrompt(prompt(`offline, trying again in ${(wait / 1000).toFixed(1)} s`));
    await pause(wait, this.#stop.signal);
  }

  /** A user who was sent away joins again only by pressing Enter. */
  async #waitForEnter(): Promise<void> {
    this.#say(yellow("Enter joins again, Ctrl-D ends"));
    this.#terminal.setPrompt(prompt("sent away"));
    this.#again = Promise.withResolvers();
    await this.#again.promise;
    this.#again = undefined;
    this.#standing = "new";
    this.#terminal.setPrompt(prompt("connecting"));
  }

  #begin(connection: Connection): Dialogue {
    this.#connection = connection;
    this.#standing = "new";
    this.#commands = CHAT_COMMANDS;
    this.#ping = undefined;
    this.#asksKey = false;
    this.#terminal.setPrompt(prompt("open"));
    return this.#dialogue = new Dialogue({
      names: this.#names,
      mayAsk: !this.#isNarrow(connection),
      send: (line) => connection.send(line),
      show: (lines, call) => this.#show(lines, call),
      take: (event) => this.#take(event, connection),
    });
  }

  /**
   * Whether messages of this connection may be too small for events. The endpoint or `--framing`
   * names the framing.
   */
  #isNarrow({ endpoint }: Connection): boolean {
    return endpoint.includes(`framing=${NARROW}`) ||
      this.#context.options.text("framing") === NARROW;
  }

  async #receive(connection: Connection): Promise<void> {
    const dialogue = this.#begin(connection);
    try {
      for await (const message of connection) {
        const refused = this.#standing === "new" ? refusalIn(message) : undefined;
        this.#standing = this.#standing === "new" ? "in" : this.#standing;
        if (this.#shown !== undefined && refused === undefined) {
          this.#showForm(this.#shown(message));
          continue;
        }
        dialogue.hear(refused?.line ?? decoder.decode(message), refused !== undefined);
        if (refused !== undefined && this.#isRefused(refused)) return;
      }
      const refused = this.#standing === "new" ? refusalAtEnd(await connection.close()) : undefined;
      if (refused === undefined) return;
      dialogue.hear(refused.line!, true);
      this.#isRefused(refused);
    } finally {
      dialogue.end();
      clearInterval(this.#pinging);
      this.#pinging = undefined;
    }
  }

  /** Whether a refusal is final. If the token is missing, the user is told what to do. */
  #isRefused(refused: Refused): boolean {
    if (!isForGood(refused)) return false;
    this.#standing = "refused";
    if (wantsToken(refused)) {
      this.#say(red("the server wants its token: start again with --token TOKEN"));
    }
    return true;
  }

  /**
   * Takes an event of the chat. Returns true if it is an answer to this program only, and not for
   * the user.
   */
  #take(event: ChatEvent, connection: Connection): boolean {
    if (event.type === "pong") return this.#isPong(event.text);
    if (event.type === "notice" && SENT_AWAY.has(event.code)) this.#standing = "sent away";
    if (event.type === "notice" && event.code === "operator") {
      this.#commands = [...CHAT_COMMANDS, ...OPERATOR_COMMANDS];
    }
    if (event.type === "nick" && event.to === this.#names.own) {
      this.#asksKey = true;
      connection.send("/claim");
    }
    if (this.#asksKey && event.type === "notice") {
      // An older chat has no keys.
      const isOld = event.code === "no-such-command" && event.command === "claim";
      this.#asksKey = event.code !== "key" && !isOld;
      if (event.code === "key") this.#key = event.key;
      if (!this.#asksKey) return true;
    }
    // Only a chat is known to answer `/ping`.
    if (event.type === "welcome" && this.#pinging === undefined) {
      this.#pinging = setInterval(() => this.#sendPing(connection), PING_INTERVAL);
      this.#sendPing(connection);
      for (const line of this.#place.values()) connection.send(this.#claimed(line));
    }
    return false;
  }

  /**
   * A line that sets the name or the room, for the next connection. The name may still belong to the
   * last one, from which it is taken with the key.
   */
  #claimed(line: string): string {
    const [, name] = /^\/nick\s+(\S+)\s*$/i.exec(line) ?? [];
    return name !== undefined && this.#key !== undefined ? `/claim ${name} ${this.#key}` : line;
  }

  #show([first, ...others]: readonly string[], call: Mention): void {
    this.#say(this.#ring(call) + first);
    for (const line of others) this.#say(line);
  }

  /** Shows a message in the form of `--out`, which is safe for a terminal. */
  #showForm(shown: string | Uint8Array): void {
    const text = typeof shown === "string" ? shown : decoder.decode(shown);
    for (const line of text.replace(/\n$/, "").split("\n")) this.#say(line);
  }

  /** The bell character, if the user wants it and the line calls the user. */
  #ring(call: Mention): string {
    const now = performance.now();
    if (call !== "now" || now - this.#rangAt < RING_INTERVAL) return "";
    if (!this.#context.options.on("bell")) return "";
    this.#rangAt = now;
    return "\x07";
  }

  #sendPing(connection: Connection): void {
    this.#ping = { token: crypto.randomUUID(), sentAt: performance.now() };
    connection.send(`/ping ${this.#ping.token}`);
  }

  #isPong(text: string): boolean {
    if (text !== this.#ping?.token) return false;
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
