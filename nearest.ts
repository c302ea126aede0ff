/** What somebody probably meant. */

import { closestString } from "@std/text/closest-string";

/** The word that begins like the one given, or else the one with the fewest differences. */
export function nearest(word: string, words: readonly string[]): string {
  return words.find((other) => word !== "" && other.startsWith(word)) ?? closestString(word, words);
}
