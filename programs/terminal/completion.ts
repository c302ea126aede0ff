/** Completes the word before the cursor when Tab is pressed: a command of the chat, or a name. */

import { keyOf } from "./names.ts";

/** What to do at Tab. */
export interface Completion {
  /** How many characters (UTF-16 units) before the cursor are replaced. */
  readonly length: number;
  /** The text that replaces them. */
  readonly text: string;
  /** The possible completions, to be shown if `text` adds nothing. Otherwise empty. */
  readonly candidates: readonly string[];
}

/** The words that can be completed. */
export interface Vocabulary {
  /** Commands, with their slash. */
  readonly commands: readonly string[];
  /** The names of the members that one can speak to. */
  readonly names: Iterable<string>;
}

/** Everyone's commands, as docs/chat.md lists them. */
export const CHAT_COMMANDS: readonly string[] = [
  ..."nick join leave msg me topic away ignore unignore who rooms history search ping pong json once"
    .split(" "),
  ..."help claim operator quit".split(" "),
].map((command) => `/${command}`);

/** The commands of operators. */
export const OPERATOR_COMMANDS: readonly string[] = ["kick", "ban", "unban", "announce", "stats"]
  .map((command) => `/${command}`);

/** A longer word is neither a name nor a command, in UTF-16 code units. */
const MAX_WORD_LENGTH = 64;
/** How many candidates are shown at once. */
const MAX_SHOWN = 100;

/**
 * Completes the word at the end of `before`. If there is one candidate, it is completed, with a
 * space or a colon after it. If there are several, the word is completed as far as they agree. If
 * they agree no further than the word, they are shown. Undefined if there is no word, or no
 * candidate.
 */
export function complete(before: string, vocabulary: Vocabulary): Completion | undefined {
  // No pattern is used here. A pattern would look from each character to the end of its word.
  const start = Math.max(before.lastIndexOf(" "), before.lastIndexOf("\t")) + 1;
  const word = before.slice(start);
  const { length } = word;
  if (length === 0 || length > MAX_WORD_LENGTH) return undefined;
  const isCommand = start === 0 && word.startsWith("/");
  const all = isCommand ? vocabulary.commands : vocabulary.names;
  const key = keyOf(word);
  const found = [...all].filter((one) => keyOf(one).startsWith(key)).sort();
  if (found.length === 0) return undefined;
  if (found.length === 1) {
    const end = start === 0 && !isCommand ? ": " : " ";
    return { length, text: found[0] + end, candidates: [] };
  }
  const nearest = found.find((one) => one.startsWith(word)) ?? found[0];
  const prefix = commonPrefix(nearest, found);
  if (keyOf(prefix).length > key.length) return { length, text: prefix, candidates: [] };
  const more = found.length - MAX_SHOWN;
  const candidates = more > 0 ? [...found.slice(0, MAX_SHOWN), `and ${more} more`] : found;
  return { length, text: word, candidates };
}

/** The common beginning of all texts, without regard to case, as the first one writes it. */
function commonPrefix(text: string, texts: readonly string[]): string {
  const [first, ...others] = [text, ...texts].map((one) => Array.from(one));
  const end = first.findIndex((character, at) =>
    others.some((other) => keyOf(other[at] ?? "") !== keyOf(character))
  );
  return first.slice(0, end === -1 ? first.length : end).join("");
}
