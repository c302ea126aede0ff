/**
 * The client at a terminal. It sends the lines that are typed, and shows messages above the line
 * being typed.
 */

import { delay } from "@std/async/delay";
import { green, red, yellow } from "@std/fmt/colors";
import type { ChatEvent, NoticeCode } from "../../chat.ts";
import type { Connection } from "../../connection.ts";
import { Attempts, backoff } from "../../internal/retry.ts";
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
import { Margin } from "../terminal/margin.ts";
import { type Mention, Names } from "../terminal/names.ts";
import { type Painted, wholeLine } from "../terminal/paint.ts";
import { Terminal } from "../terminal/terminal.ts";
import type { ClientContext } from "./context.ts";
import { Dialogue, hasRoomForEvents } from "./dialogue.ts";
import { inFormOf, outFormOf } from "./messages.ts";
import { isForGood, refusalAtEnd, refusalIn, type Refused, wantsToken } from "./refusal.ts";
import { Bell } from "./talking/bell.ts";
import { Outage } from "./talking/outage.ts";
import { Pings } from "./talking/pings.ts";
import { openPrompt, statePrompt } from "./talking/prompt.ts";
import { Seat } from "./talking/seat.ts";
import { Unheard } from "./talking/unheard.ts";

/** How long to wait for the answer to `/quit`, in milliseconds. */
const FAREWELL = 1_000;

/** The codes with which a chat disconnects a member. */
const SENT_AWAY: ReadonlySet<NoticeCode> = new Set(
  ["kicked", "banned", "disconnected-flood", "disconnected-token", "taken-over"] as const,
);
const QUIT = /^\/quit(?:\s|$)/i;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Talks until Ctrl-D, Ctrl-C or `/quit`. If the connection is lost, it is made again, with backoff.
 * In a chat the prompt shows the room, the round-trip time and the name, lines have the time in their
 * margin, and what the user says is seen once, when the chat says it. A user who was disconnected by the chat can
 * press Enter to join again. If the server refuses the client, the program ends with exit code 1.
 */
export async function talk(context: ClientContext): Promise<number> {
  const forms = { in: inFormOf(context), out: outFormOf(context) };
  if (forms.in === "length") throw new UsageError("--in length is for files and pipes");
  const first = await context.connect();
  using terminal: Terminal = new Terminal({
    prompt: statePrompt("connecting"),
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
  readonly #margin = new Margin();
  readonly #seat = new Seat();
  readonly #unheard = new Unheard();
  readonly #bell: Bell;
  #connection: Connection | undefined;
  #dialogue: Dialogue | undefined;
  #standing: Standing = "new";
  #commands = CHAT_COMMANDS;
  /** The room, if the peer is a chat that has told it. */
  #room: string | undefined;
  #pings: Pings | undefined;
  /** The last round-trip time, in milliseconds. */
  #time: number | undefined;
  /** The time without a connection, until the next one has shown that it works. */
  #outage: Outage | undefined;
  /** Resolved by Enter after the user was sent away. */
  #again: PromiseWithResolvers<void> | undefined;

  constructor(terminal: Terminal, context: ClientContext, forms: Forms) {
    this.#terminal = terminal;
    this.#context = context;
    this.#bell = new Bell(context.options.on("bell"));
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
    this.#seat.typed(line);
    if (this.#room !== undefined && this.#inForm === undefined) this.#unheard.sent(line);
    try {
      if (this.#inForm !== undefined) {
        await connection.send(parseMessage(line, this.#inForm, "what was typed"));
      } else {
        const lines = this.#dialogue?.lines(line) ?? [line];
        await Promise.all(lines.map((line) => connection.send(line)));
      }
    } catch (error) {
      this.#say(red(`not sent: ${printable(messageOf(error))}`));
      return;
    }
    this.#isBack();
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
        if (this.#standing !== "refused") this.#isLost(yellow("the peer closed the connection"));
      } catch (error) {
        if (this.#stop.signal.aborted) break;
        this.#isLost(red(printable(messageOf(error))));
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

  /** Tells that there is no connection, why, and what was perhaps lost with it. */
  #isLost(why: string): void {
    this.#terminal.keepsTyped = true;
    this.#outage ??= new Outage();
    this.#outage.goesOn();
    if (this.#outage.isNew(why)) this.#say(why);
    for (const line of this.#unheard.take()) {
      this.#say(red(`perhaps nobody has seen: ${printable(line)}`));
    }
  }

  /** Tells that the connection works again. */
  #isBack(): void {
    if (this.#outage === undefined) return;
    const { endpoint, endpoints } = this.#context;
    const where = endpoints.length === 1 ? "" : ` at ${printable(endpoint)}`;
    this.#say(green(`connected again${where}, after ${this.#outage.seconds} s`));
    this.#outage = undefined;
  }

  /** Waits. The prompt is the only line that tells of attempts. */
  async #waitToRetry(wait: number): Promise<void> {
    const name = this.#room === undefined ? undefined : this.#names.own;
    await this.#outage?.wait(wait, this.#stop.signal, (detail) => {
      this.#terminal.setPrompt(statePrompt("offline", detail, name));
    });
  }

  /** A user who was sent away joins again only by pressing Enter. */
  async #waitForEnter(): Promise<void> {
    this.#say(yellow("Enter joins again, Ctrl-D ends"));
    this.#terminal.setPrompt(statePrompt("sent away"));
    this.#again = Promise.withResolvers();
    await this.#again.promise;
    this.#again = undefined;
    this.#standing = "new";
    this.#terminal.setPrompt(statePrompt("connecting"));
  }

  #begin(connection: Connection): Dialogue {
    this.#connection = connection;
    this.#standing = "new";
    this.#commands = CHAT_COMMANDS;
    this.#outage?.mayBeOver();
    this.#seat.begin();
    [this.#room, this.#time] = [undefined, undefined];
    this.#showPrompt();
    return this.#dialogue = new Dialogue({
      names: this.#names,
      mayAsk: hasRoomForEvents(connection, this.#context.options),
      send: (line) => connection.send(line),
      show: (lines, call) => this.#show(lines, call),
      take: (event) => this.#take(event, connection),
    });
  }

  async #receive(connection: Connection): Promise<void> {
    const dialogue = this.#begin(connection);
    try {
      for await (const message of connection) {
        const refused = this.#standing === "new" ? refusalIn(message) : undefined;
        this.#standing = this.#standing === "new" ? "in" : this.#standing;
        if (refused === undefined) this.#isBack();
        if (this.#shown !== undefined && refused === undefined) {
          this.#showForm(this.#shown(message));
          continue;
        }
        const line = refused?.line ?? decoder.decode(message);
        const isTold = refused !== undefined && this.#outage?.isNew(line) === false;
        if (!isTold) dialogue.hear(line, refused !== undefined);
        if (refused !== undefined && this.#isRefused(refused)) return;
      }
      const refused = this.#standing === "new" ? refusalAtEnd(await connection.close()) : undefined;
      if (refused === undefined) return;
      dialogue.hear(refused.line!, true);
      this.#isRefused(refused);
    } finally {
      dialogue.end();
      this.#pings?.[Symbol.dispose]();
      this.#pings = undefined;
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
    const send = (line: string) => void connection.send(line);
    this.#unheard.hear(event, this.#names.own);
    if (this.#seat.hear(event, this.#names.own, send)) return true;
    if (event.type === "welcome") {
      // What is typed is seen when the chat says it.
      this.#terminal.keepsTyped = false;
      // Only a chat is known to answer `/ping`.
      this.#pings ??= new Pings(send);
      this.#seat.lines(event.room).forEach(send);
    }
    if (event.type === "welcome") this.#room = event.room;
    if (event.type === "room") this.#room = event.name;
    if (["welcome", "room", "nick"].includes(event.type)) this.#showPrompt();
    return false;
  }

  #showPrompt(): void {
    const [room, name] = [this.#room, this.#names.own];
    const presence = room === undefined || name === undefined ? undefined : { room, name };
    this.#terminal.setPrompt(openPrompt(presence, this.#time));
  }

  #show(lines: readonly Painted[], call: Mention): void {
    const ring = this.#bell.ring(call);
    lines.forEach((line, i) => {
      const before = i === 0 ? ring : "";
      if (!this.#dialogue?.isChat) return this.#terminal.print(before + wholeLine(line));
      const layout = this.#margin.beside(line.time ?? Date.now(), line.text);
      this.#terminal.print((columns) => before + layout(columns));
    });
  }

  /** Shows a message in the form of `--out`, which is safe for a terminal. */
  #showForm(shown: string | Uint8Array): void {
    const text = typeof shown === "string" ? shown : decoder.decode(shown);
    for (const line of text.replace(/\n$/, "").split("\n")) this.#terminal.print(line);
  }

  #isPong(text: string): boolean {
    const time = this.#pings?.timeOf(text);
    if (time === undefined) return false;
    this.#time = time;
    this.#showPrompt();
    return true;
  }

  /** Tells something that nobody has said. */
  #say(text: string): void {
    if (this.#names.own === undefined) return this.#terminal.print(text);
    this.#terminal.print(this.#margin.beside(Date.now(), text));
  }
}
