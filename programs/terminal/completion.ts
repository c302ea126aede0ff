/** What Tab makes of the word before the cursor: a command of the chat, or a name. */

import { keyOf } from "./names.ts";

/** What to do at Tab. */
export interface Completion {
  /** How many characters (UTF-16 units) before the cursor are replaced. */
  readonly length: number;
  /** What stands there instead. */
  readonly text: string;
  /** What it could be, to be shown when `text` tells nothing new; else empty. */
  readonly candidates: readonly string[];
}

/** The words that there are. */
export interface Vocabulary {
  /** Commands, with their slash. */
  readonly commands: readonly string[];
  /** Whom one can speak to. */
  readonly names: Iterable<string>;
}

/** Everyone's commands, as docs/chat.md lists them. */
export const CHAT_COMMANDS: readonly string[] = [
  ..."nick join leave msg me topic away ignore unignore who rooms history search ping json".split(
    " ",
  ),
  ..."help operator quit".split(" "),
].map((command) => `/${command}`);

/** The commands of operators. */
export const OPERATOR_COMMANDS: readonly string[] = ["kick", "ban", "unban", "announce", "stats"]
  .map((command) => `/${command}`);

/** No name and no command is longer, in UTF-16 units. */
const MAX_WORD_LENGTH = 64;
/** More are not shown at once. */
const MAX_SHOWN = 100;

/**
 * Completes the word that ends `before`. One candidate is completed with what follows it, several as
 * far as they agree; if that is no further than the word, they are shown. Undefined when there is
 * no word, or none that begins so.
 */
export function complete(before: string, vocabulary: Vocabulary): Completion | undefined {
  // Not by a pattern, which would look from each character to the end of its word.
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

/** What all begin with, whatever the case, as the first one writes it. */
function commonPrefix(text: string, texts: readonly string[]): string {
  const [first, ...others] = [text, ...texts].map((one) => Array.from(one));
  const end = first.findIndex((character, at) =>
    others.some((other) => keyOf(other[at] ?? "") !== keyOf(character))
  );
  return first.slice(0, end === -1 ? first.length : end).join("");
}
