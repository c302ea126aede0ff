/** The names in a chat, learnt from its lines: whose they are, their colours, and who calls whom. */

import { bold, dim, getColorEnabled } from "@std/fmt/colors";

/** Names to remember; the one not heard of for the longest time goes first. */
export const MAX_NAMES = 1000;

/** Most of an answer to `/who` that is read, in characters: room for all that a chat lists. */
const MAX_LIST_LENGTH = 256 * 1024;

/**
 * Colours of the 256 that every terminal shows alike, unlike the first 16, which are the user's to
 * choose. Each has a contrast of 3.5 at least with black and with white.
 */
export const PALETTE = [160, 166, 100, 64, 28, 30, 32, 63, 98, 128, 163, 161] as const;

/** Stands out between what is said aloud, on either background. */
const PRIVATE = 30;

// What docs/chat.md says of names: no space, colon, comma or `*`; 32 characters of two units at most.
const name = String.raw`([^\s:,*]{1,64})`;
const WELCOME = new RegExp(String.raw`^\* Welcome, ${name}\. \d{4}-`);
const SAID = new RegExp(`^${name}: `);
const DONE = new RegExp(String.raw`^\* ${name} `);
const TOLD = new RegExp(String.raw`^\* ${name} tells you: `);
const TELLING = new RegExp(String.raw`^\* You tell ${name}: `);
const LEFT = new RegExp(String.raw`^\* ${name} left\. \d+ here\.$`);
const RENAMED = new RegExp(String.raw`^\* ${name} is now ${name}\.$`);
const SEEN = new RegExp(
  String.raw`^\* ${name} (?:joined\. \d+ here\.$|is back\.$|has fallen silent\.$|` +
    String.raw`is away: |set the topic: |cleared the topic\.$|tells you: )`,
);
const LIST = /^\* \d+ here: /;
// Why someone is away may have any words, and at worst some that seem to be names.
const LISTED = new RegExp(String.raw`${name}(?: \(.*?\))?(?:, | and \d+ more\.$|\.$)`, "y");
/** The time before what was said earlier. */
const EARLIER = /^\[(?:\d{4}-\d\d-\d\d )?\d\d:\d\d\] /;
/** What would seem to be a new name of one's own, but is only said. */
const PRETENDED = /^\/me\s+is now (\S+)\.$/i;

/** Whether a line calls whoever reads it: not at all, when it was said, or now. */
export type Call = "none" | "earlier" | "now";

/** Who is there, as far as a chat's lines tell. */
export class Names {
  #own: string | undefined;
  #ownWord: RegExp | undefined;
  #pretended: string | undefined;
  readonly #others = new Set<string>();

  /** One's own name; undefined until a chat has said welcome. */
  get own(): string | undefined {
    return this.#own;
  }

  /** Everyone else's names, at most {@linkcode MAX_NAMES}. */
  get others(): ReadonlySet<string> {
    return this.#others;
  }

  /** Learns from a line that is printable, and tells whether someone calls the reader in it. */
  hear(line: string): Call {
    const own = WELCOME.exec(line)?.[1];
    if (own !== undefined) this.#become(own);
    if (this.#own === undefined) return "none";
    const [time = ""] = EARLIER.exec(line) ?? [];
    const rest = line.slice(time.length);
    if (time === "") this.#learn(rest);
    const speaker = SAID.exec(rest);
    if (speaker !== null) this.#meet(speaker[1]);
    if (!this.#isCalled(rest, speaker)) return "none";
    return time === "" ? "now" : "earlier";
  }

  /** Takes note of a line that is sent: what it does must not be taken for what it is not. */
  sent(line: string): void {
    const pretended = PRETENDED.exec(line)?.[1];
    if (pretended !== undefined) this.#pretended = pretended;
    else if (/^\/nick\s/i.test(line)) this.#pretended = undefined;
  }

  #learn(line: string): void {
    const [, from, to] = RENAMED.exec(line) ?? [];
    if (from !== undefined && from === this.#own) {
      if (to !== this.#pretended) this.#become(to);
    } else if (from !== undefined) {
      this.#others.delete(from);
      this.#meet(to);
    }
    const left = LEFT.exec(line)?.[1];
    if (left !== undefined) this.#others.delete(left);
    const seen = SEEN.exec(line)?.[1];
    if (seen !== undefined) this.#meet(seen);
    const list = LIST.exec(line);
    if (list !== null && line.length <= MAX_LIST_LENGTH) this.#meetAll(line, list[0].length);
  }

  #meetAll(list: string, from: number): void {
    LISTED.lastIndex = from;
    for (let count = 0; count < MAX_NAMES; count++) {
      const listed = LISTED.exec(list)?.[1];
      if (listed === undefined) return;
      this.#meet(listed);
    }
  }

  #meet(other: string): void {
    this.#others.delete(other);
    if (other === this.#own) return;
    this.#others.add(other);
    if (this.#others.size > MAX_NAMES) this.#others.delete(this.#others.values().next().value!);
  }

  #become(own: string): void {
    this.#own = own;
    this.#others.delete(own);
    const word = String.raw`(?<![\p{L}\p{N}_-])${RegExp.escape(own)}(?![\p{L}\p{N}_-])`;
    this.#ownWord = new RegExp(word, "iu");
  }

  #isCalled(line: string, speaker: RegExpExecArray | null): boolean {
    // A line of the chat's own does not call: it counts only if someone known does what it tells.
    const found = speaker ?? DONE.exec(line);
    if (found === null || found[1] === this.#own) return false;
    if (speaker === null && !this.#others.has(found[1])) return false;
    return TOLD.test(line) ||
      this.#ownWord!.test(line.slice(found[0].length));
  }
}

/** Names are compared by this, so that case and width make no difference. */
export function keyOf(name: string): string {
  return name.normalize("NFKC").toLowerCase();
}

/** A name in its colour, which is always the same. */
export function paintName(name: string): string {
  let hash = 2166136261; // FNV-1a
  for (const character of keyOf(name)) {
    hash = Math.imul(hash ^ character.codePointAt(0)!, 16777619);
  }
  return colored(PALETTE[(hash >>> 8) % PALETTE.length], name);
}

/**
 * A printable line of a chat as it is shown: names in colours, the chat's own lines dim, those that
 * call the reader bold. Without colours it stays as it is.
 */
export function paint(line: string, call: Call): string {
  const [time = ""] = EARLIER.exec(line) ?? [];
  const rest = line.slice(time.length);
  const shown = time === "" ? "" : dim(time);
  const speaker = SAID.exec(rest)?.[1];
  if (speaker !== undefined) {
    const said = paintName(speaker) + rest.slice(speaker.length);
    return shown + (call === "none" ? said : bold(said));
  }
  // What was said earlier has none of these two: private messages are not kept.
  const teller = TOLD.exec(line);
  if (teller !== null) {
    const text = line.slice(teller[0].length);
    return bold(`* ${paintName(teller[1])} ${colored(PRIVATE, "tells you:")} ${text}`);
  }
  const told = TELLING.exec(line);
  if (told !== null) {
    const text = line.slice(told[0].length);
    return `* ${colored(PRIVATE, "You tell")} ${paintName(told[1])}: ${text}`;
  }
  if (call !== "none") return shown + bold(rest);
  return rest.startsWith("* ") ? dim(line) : line;
}

function colored(color: number, text: string): string {
  return getColorEnabled() ? `\x1b[38;5;${color}m${text}\x1b[39m` : text;
}
