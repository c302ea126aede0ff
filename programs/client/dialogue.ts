/** What one peer says at the terminal: a chat in events, anything else line by line. */

import type { ChatEvent } from "../../chat.ts";
import { parseEvent, rowsOf } from "../../chat/internal.ts";
import { printable } from "../../internal/text.ts";
import type { Mention, Names } from "../terminal/names.ts";
import { paint, paintEarlier, paintPlain } from "../terminal/paint.ts";

/** How long the lines that came before the answer to `/json` wait for their colours, in milliseconds. */
const MAX_WAIT = 1_000;
/** Lines sent before the first message that are remembered: an echo of them is no chat. */
const MAX_SENT = 100;
/** Messages held before the answer to `/json`. */
const MAX_HELD = 1_000;
/** Questions that wait for an answer. */
const MAX_QUESTIONS = 100;

/** What the chat tells without being asked right after `/json`, and after a change of rooms. */
const OPENING = ["who", "rooms", "history"] as const;
const ARRIVING = ["who", "history"] as const;

/** A question whose answer the chat also tells unasked. */
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
  /** Shows lines, which call the reader or not. */
  show(lines: readonly string[], call: Mention): void;
  /** Takes each event, before it is shown; returns true for one that is not to be shown. */
  take(event: ChatEvent): boolean;
}

/** A question, with the texts of the pings that were sent before and after it. */
interface Question {
  readonly type: string;
  readonly begin: string;
  readonly end: string;
  state: "asked" | "open" | "answered";
}

/**
 * How far the two understand each other: nothing was heard yet; the peer began as a chat does and was
 * asked for JSON; it takes long to answer; it speaks JSON; or it speaks as it likes, and is shown as
 * it is.
 */
type Form = "new" | "asked" | "late" | "json" | "plain";

/**
 * Hears one peer. A chat greets whoever comes, by a line that begins with `* `, as all its own lines do:
 * such a peer is asked for JSON, and what is shown is made from its events, so that no words of the chat
 * have to be understood. The answer, and not the greeting, tells that it is a chat.
 */
export class Dialogue {
  readonly #options: DialogueOptions;
  #form: Form = "new";
  readonly #sent = new Set<string>();
  /** Lines that came before the events, and wait for their colours. */
  #held: string[] | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The types of the events that come next without having been asked for. */
  #following: readonly ChatEvent["type"][] = [];
  /** Whether those open the dialogue. */
  #opens = false;
  #questions: Question[] = [];
  /** The server's clock minus this one, in milliseconds. */
  #ahead = 0;

  constructor(options: DialogueOptions) {
    this.#options = options;
  }

  /** Takes a line that was typed, and gives the lines that are to be sent, now. */
  lines(line: string): readonly string[] {
    if (this.#form === "new" && this.#sent.size < MAX_SENT) this.#sent.add(line);
    // Whoever wants to see JSON sees it.
    if (JSON_COMMAND.test(line)) this.#giveUp("plain");
    const type = QUESTION.exec(line)?.[1].toLowerCase();
    if (type === undefined || this.#form === "new" || this.#form === "plain") return [line];
    const [begin, end] = [crypto.randomUUID(), crypto.randomUUID()];
    const isKnown = this.#form === "json";
    this.#questions.push({ type, begin, end, state: isKnown ? "asked" : "open" });
    if (this.#questions.length > MAX_QUESTIONS) this.#questions.shift();
    // Before the first pong the chat tells the same by itself, after the second one no answer comes.
    return isKnown ? [`/ping ${begin}`, line, `/ping ${end}`] : [line];
  }

  /** Takes a message; `isRefusal` if it is known to turn this client away. */
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
    const call = names.hear(event);
    const isTaken = this.#options.take(event);
    const isShown = this.#isShown(event);
    if (this.#opens && this.#following.length === 0 && event.type !== "welcome") {
      this.#opens = false;
      this.#release(event);
    }
    if (isTaken || !isShown) return;
    this.#options.show(paint(event, call, names, Date.now() + this.#ahead), call);
  }

  /** Nothing more comes. */
  end(): void {
    this.#release();
  }

  /** A line that is no event: before the events come, or of a peer that has none. */
  #hearLine(text: string): void {
    // An event of a kind that is not known here.
    if (this.#form === "json" && text.startsWith("{")) return;
    if (this.#form !== "asked") return this.#show(text);
    if (this.#held === undefined) {
      this.#held = [];
      this.#timer = setTimeout(() => this.#giveUp("late"), MAX_WAIT);
    }
    this.#held.push(printable(text));
    if (this.#held.length >= MAX_HELD) this.#giveUp("late");
  }

  /** Waits no longer for events, though they may still come late. */
  #giveUp(form: "late" | "plain"): void {
    if (this.#form !== "json" || form === "plain") this.#form = form;
    this.#release();
  }

  #show(text: string): void {
    this.#options.show([paintPlain(printable(text))], "none");
  }

  /** Whether a person is told of an event, and not only a program. */
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

  /** Whether a pong is the mark before a question, or after it, which ends those before too. */
  #isMark(text: string): boolean {
    const at = this.#questions.findIndex(({ begin, end }) => begin === text || end === text);
    if (at < 0) return false;
    if (this.#questions[at].end === text) this.#questions.splice(0, at + 1);
    else this.#questions[at].state = "open";
    return true;
  }

  /** Shows the lines that were held, in the colours of what they tell as far as that is known. */
  #release(event?: ChatEvent): void {
    clearTimeout(this.#timer);
    const lines = this.#held ?? [];
    this.#held = undefined;
    if (lines.length === 0) return;
    const { names } = this.#options;
    const painted = new Map<string, string>();
    const rows = event?.type === "history"
      ? rowsOf(event, names.own, Date.now() + this.#ahead).filter(({ said }) => said !== undefined)
      : [];
    for (const row of rows) {
      painted.set(row.stamp + row.text, paintEarlier(row, names));
      painted.set(row.text, paintEarlier({ ...row, stamp: "" }, names));
    }
    this.#options.show(lines.map((line) => painted.get(line) ?? paintPlain(line)), "none");
  }
}
