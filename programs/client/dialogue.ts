/**
 * Shows at the terminal what one peer says. A chat's events are shown in colours, the messages of
 * any other peer line by line.
 */

import type { ChatEvent } from "../../chat.ts";
import { parseEvent, rowsOf } from "../../chat/internal.ts";
import type { Connection } from "../../connection.ts";
import { printable } from "../../internal/text.ts";
import type { ParsedOptions } from "../shared/options.ts";
import type { Mention, Names } from "../terminal/names.ts";
import { paint, paintEarlier, type Painted, paintPlain } from "../terminal/paint.ts";

/**
 * Lines that come before the answer to `/json` wait this long for their colours, in milliseconds.
 */
const MAX_WAIT = 1_000;
/**
 * How many of the lines that were sent before the first message are remembered. A peer that sends
 * one of them back is an echo, and not a chat.
 */
const MAX_SENT = 100;
/** How many messages are held before the answer to `/json`. */
const MAX_HELD = 1_000;
/** A framing with one byte for the length. Most events are too long for it. */
const NARROW = "u8";
/** How many questions may wait for an answer. */
const MAX_QUESTIONS = 100;

/** The events that a chat sends by itself after `/json` and after a change of rooms. */
const OPENING = ["who", "rooms", "history"] as const;
const ARRIVING = ["who", "history"] as const;

/** A question whose answer the chat also sends by itself. */
const QUESTION = /^\/(who|rooms|history)(?:\s|$)/i;
const JSON_COMMAND = /^\/json(?:\s|$)/i;

/** What a dialogue needs. */
export interface DialogueOptions {
  /** The names in the chat. */
  readonly names: Names;
  /** Whether the peer may be asked for JSON. */
  readonly mayAsk: boolean;
  /** Sends a line that nobody typed. */
  send(line: string): void;
  /**
   * Shows lines. `call` tells whether they call the reader. Times are those of this machine's clock.
   */
  show(lines: readonly Painted[], call: Mention): void;
  /** Called with each event before it is shown. Returns true if the event is not to be shown. */
  take(event: ChatEvent): boolean;
}

/** A question, and the texts of the pings that were sent before and after it. */
interface Question {
  readonly type: string;
  readonly begin: string;
  readonly end: string;
  state: "asked" | "open" | "answered";
}

/**
 * In which form the peer speaks:
 * - `new`: nothing has come yet.
 * - `asked`: the peer began as a chat does, and was asked for JSON.
 * - `late`: its answer takes long.
 * - `json`: it speaks JSON.
 * - `plain`: it speaks in any other form, and its messages are shown as they are.
 */
type Form = "new" | "asked" | "late" | "json" | "plain";

/**
 * Hears one peer. A chat greets each newcomer with a line that begins with `* `, as all its own
 * lines do. A peer that begins like this is asked for JSON. What is shown is then made from its
 * events, so the client does not have to understand the chat's words. Only the answer tells that
 * the peer is a chat, not the greeting.
 */
export class Dialogue {
  readonly #options: DialogueOptions;
  #form: Form = "new";
  readonly #sent = new Set<string>();
  /** Lines that came before the events. They wait for their colours. */
  #held: string[] | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The types of the events that the chat will send next by itself. */
  #following: readonly ChatEvent["type"][] = [];
  /** Whether it was said that pings will be answered. An older chat does not know the word. */
  #promise: "none" | "made" | "not understood" = "none";
  /** Whether these events are the ones after `/json`. */
  #opens = false;
  #questions: Question[] = [];
  /** The server's clock minus this one, in milliseconds. */
  #ahead = 0;

  constructor(options: DialogueOptions) {
    this.#options = options;
  }

  /** Whether the peer is a chat, or begins as one. */
  get isChat(): boolean {
    return this.#form === "json" || this.#form === "asked";
  }

  /** Takes a line that was typed. Returns the lines to send now. */
  lines(line: string): readonly string[] {
    if (this.#form === "new" && this.#sent.size < MAX_SENT) this.#sent.add(line);
    // A user who asks for JSON sees JSON.
    if (JSON_COMMAND.test(line)) this.#giveUp("plain");
    const type = QUESTION.exec(line)?.[1].toLowerCase();
    if (type === undefined || this.#form === "new" || this.#form === "plain") return [line];
    const [begin, end] = [crypto.randomUUID(), crypto.randomUUID()];
    const isKnown = this.#form === "json";
    this.#questions.push({ type, begin, end, state: isKnown ? "asked" : "open" });
    if (this.#questions.length > MAX_QUESTIONS) this.#questions.shift();
    // Before the first pong, the chat sends the same by itself. After the second pong, no answer
    // comes.
    return isKnown ? [`/ping ${begin}`, line, `/ping ${end}`] : [line];
  }

  /** Takes a message. `isRefusal` is true if the message is known to refuse this client. */
  hear(text: string, isRefusal: boolean): void {
    const { names } = this.#options;
    if (this.#form === "new") {
      const mayBeChat = text.startsWith("* ") && !this.#sent.has(text);
      this.#form = mayBeChat && this.#options.mayAsk && !isRefusal ? "asked" : "plain";
      this.#sent.clear();
      if (this.#form === "asked") this.#options.send("/json");
      return this.#show(text);
    }
    const event = this.#form === "plain" ? undefined : parseEvent(text);
    if (event === undefined) return this.#hearLine(text);
    if (event.type === "welcome") {
      this.#ahead = event.time - Date.now();
      this.#opens = this.#form !== "json";
      this.#form = "json";
    }
    if (this.#form !== "json") return this.#hearLine(text);
    if (this.#isAboutPings(event)) return;
    const call = names.hear(event);
    const isTaken = this.#options.take(event);
    const isShown = this.#isShown(event);
    if (this.#opens && this.#following.length === 0 && event.type !== "welcome") {
      this.#opens = false;
      this.#release(event);
    }
    if (isTaken || !isShown) return;
    this.#showLines(paint(event, call, names, Date.now() + this.#ahead), call);
  }

  /** Call it when nothing more comes. */
  end(): void {
    this.#release();
  }

  /** Takes a line that is not an event. It came before the events, or the peer sends no events. */
  #hearLine(text: string): void {
    // It is an event of a type that is unknown here.
    if (this.#form === "json" && text.startsWith("{")) return;
    if (this.#form !== "asked") return this.#show(text);
    if (this.#held === undefined) {
      this.#held = [];
      this.#timer = setTimeout(() => this.#giveUp("late"), MAX_WAIT);
    }
    this.#held.push(printable(text));
    if (this.#held.length >= MAX_HELD) this.#giveUp("late");
  }

  /**
   * Promises a chat to answer its pings, and answers them. Returns true if the event is about this
   * only, and not for the user.
   */
  #isAboutPings(event: ChatEvent): boolean {
    if (this.#promise === "none" || event.type === "ping") {
      this.#options.send("/pong");
      if (this.#promise === "none") this.#promise = "made";
      return event.type === "ping";
    }
    const isUnknown = this.#promise === "made" && event.type === "notice" &&
      event.code === "no-such-command" && event.command === "pong";
    if (isUnknown) this.#promise = "not understood";
    return isUnknown;
  }

  /** Stops waiting for events. They may still come later. */
  #giveUp(form: "late" | "plain"): void {
    if (this.#form !== "json" || form === "plain") this.#form = form;
    this.#release();
  }

  #show(text: string): void {
    this.#showLines([paintPlain(printable(text))], "none");
  }

  #showLines(lines: readonly Painted[], call: Mention): void {
    const local = lines.map((line) =>
      line.time === undefined ? line : { ...line, time: line.time - this.#ahead }
    );
    this.#options.show(local, call);
  }

  /** Whether an event is for people, and not only for programs. */
  #isShown(event: ChatEvent): boolean {
    const { type } = event;
    if (type === "welcome" || type === "room") {
      this.#following = type === "room" ? ARRIVING : OPENING;
      return type === "room";
    }
    if (this.#following[0] === type) {
      this.#following = this.#following.slice(1);
      return type === "history" && !this.#opens && event.messages.length > 0;
    }
    this.#following = [];
    if (type === "pong") return !this.#isMark(event.text);
    if (type !== "who" && type !== "rooms" && type !== "history") return true;
    const asked = this.#questions.find((one) => one.type === type && one.state === "open");
    if (asked !== undefined) asked.state = "answered";
    return asked !== undefined;
  }

  /**
   * Whether a pong marks the beginning or the end of a question. An end also ends the questions
   * before.
   */
  #isMark(text: string): boolean {
    const at = this.#questions.findIndex(({ begin, end }) => begin === text || end === text);
    if (at < 0) return false;
    if (this.#questions[at].end === text) this.#questions.splice(0, at + 1);
    else this.#questions[at].state = "open";
    return true;
  }

  /** Shows the held lines. They get colours if it is known what they tell. */
  #release(event?: ChatEvent): void {
    clearTimeout(this.#timer);
    const lines = this.#held ?? [];
    this.#held = undefined;
    if (lines.length === 0) return;
    const { names } = this.#options;
    const painted = new Map<string, Painted>();
    const rows = event?.type === "history"
      ? rowsOf(event, names.own, Date.now() + this.#ahead).filter(({ said }) => said !== undefined)
      : [];
    for (const row of rows) {
      painted.set(row.stamp + row.text, paintEarlier(row, names));
      painted.set(row.text, paintEarlier({ ...row, stamp: "" }, names));
    }
    this.#showLines(lines.map((line) => painted.get(line) ?? paintPlain(line)), "none");
  }
}

/**
 * Whether messages of a connection may be as large as events. The endpoint or `--framing` names the
 * framing.
 */
export function hasRoomForEvents({ endpoint }: Connection, options: ParsedOptions): boolean {
  return !endpoint.includes(`framing=${NARROW}`) && options.text("framing") !== NARROW;
}
