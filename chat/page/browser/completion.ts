/**
 * What Tab makes of a word that was begun.
 *
 * @module
 */

import { keyOf } from "./text.ts";

/** The chat's commands. */
const COMMANDS = [
  ..."announce away ban claim help history ignore join kick leave me msg nick".split(" "),
  ..."operator ping quit rooms search stats topic unban unignore who".split(" "),
];

/** What there is to choose from. */
export interface Choices {
  readonly rooms: readonly string[];
  /** Everyone here but oneself. */
  readonly people: readonly string[];
}

/** Ways to complete a line, one after another. */
export interface Completion {
  readonly original: string;
  readonly caret: number;
  readonly head: string;
  readonly tail: string;
  readonly all: readonly string[];
  /** The one that is shown. */
  readonly at: number;
}

/** Begins to complete the word before the caret; undefined if there is no way. */
export function beginCompletion(
  original: string,
  caret: number,
  choices: Choices,
): Completion | undefined {
  const before = original.slice(0, caret);
  const word = /\S+$/.exec(before)?.[0];
  if (word === undefined) return undefined;
  const head = before.slice(0, before.length - word.length);
  const all = candidatesFor(head, word, choices);
  return all.length === 0
    ? undefined
    : { original, caret, head, tail: original.slice(caret), all, at: 0 };
}

/** The next way to complete it; undefined past the last one. */
export function nextCompletion(completion: Completion): Completion | undefined {
  const at = completion.at + 1;
  return at < completion.all.length ? { ...completion, at } : undefined;
}

/** The line as far as it is completed, up to the new caret. */
export function completedHead({ head, all, at }: Completion): string {
  return head + all[at];
}

/** The whole line. */
export function completedLine(completion: Completion): string {
  return completedHead(completion) + completion.tail;
}

/** All ways to complete a word, with what is written before it. */
export function candidatesFor(head: string, word: string, choices: Choices): string[] {
  const begins = (text: string) =>
    text.toLowerCase().startsWith(word.toLowerCase()) && text !== word;
  if (head === "" && word.startsWith("/")) {
    return COMMANDS.map((name) => `/${name}`).filter(begins).map((text) => `${text} `);
  }
  if (/^\/join\s+$/.test(head)) return choices.rooms.filter(begins);
  const bare = keyOf(word.replace(/^@/, ""));
  if (bare === "") return [];
  return choices.people.filter((name) => keyOf(name).startsWith(bare))
    .sort((a, b) => a.localeCompare(b))
    .map((name) => name + (head === "" ? ": " : " "));
}
