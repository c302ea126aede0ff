/** A command line in one text, as words. Nothing is looked up or replaced in it, as a shell would. */

import { UsageError } from "./options.ts";

/**
 * Splits at spaces. Quotes of both kinds keep spaces, and a backslash keeps the next character, but not
 * between single quotes.
 *
 * @param option What to name in an error.
 * @throws {UsageError} for a quote that does not end, and where there is no word.
 */
export function wordsOf(text: string, option: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (quote !== "" && character === quote) quote = "";
    else if (character === "\\" && quote !== "'" && i + 1 < text.length) {
      word = (word ?? "") + text[++i];
    } else if (quote === "" && (character === "'" || character === '"')) {
      quote = character;
      word ??= "";
    } else if (quote === "" && /\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + character;
  }
  if (quote !== "") throw new UsageError(`--${option} ${text}: a quote does not end`);
  if (word !== undefined) words.push(word);
  if (words.length === 0) throw new UsageError(`--${option} needs a command`);
  return words;
}
