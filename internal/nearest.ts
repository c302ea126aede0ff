/** Guesses which word a user meant by a mistyped one. */

/** A longer word is not compared: it is no typing error. */
const MAX_LENGTH = 40;

/** By how many letters the length of a mistyped command may differ. */
const MAX_SLIP = 2;

/**
 * The one of `words` that the user probably meant. That is the first one that starts with `word`.
 * If there is none, it is the one with the fewest differences, which may be at most a third of the
 * letters. Two letters that changed places count as one difference. Undefined if no word is near
 * enough; then the caller should list all the words.
 *
 * `eager` is for commands, where only one of the words can be meant. Then any number of differences is
 * allowed, but the first letter must be the same, and the length about the same.
 */
export function likely(
  word: string,
  words: readonly string[],
  { eager = false } = {},
): string | undefined {
  const wanted = word.toLowerCase();
  if (wanted.length < (eager ? 1 : 2) || wanted.length > MAX_LENGTH) return undefined;
  const begun = words.find((other) => other.toLowerCase().startsWith(wanted));
  if (begun !== undefined) return begun;
  const found = words.map((other) => ({ other, distance: distanceOf(wanted, other.toLowerCase()) }))
    .filter(({ other, distance }) =>
      eager ? isSlip(wanted, other) : distance <= Math.max(wanted.length, other.length) / 3
    );
  return found.sort((a, b) => a.distance - b.distance)[0]?.other;
}

function isSlip(wanted: string, word: string): boolean {
  return wanted[0] === word[0].toLowerCase() && Math.abs(wanted.length - word.length) <= MAX_SLIP;
}

/** The optimal string alignment distance: as Levenshtein's, but "ehco" and "echo" differ by 1. */
function distanceOf(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (isSame ? 0 : 1));
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwapped) row[j] = Math.min(row[j], before[j - 2] + 1);
    }
    [before, last] = [last, row];
  }
  return last[b.length];
}
