/** What somebody probably meant. */

/** What is longer is no slip, and not looked at. */
const MAX_LENGTH = 40;

/** How many letters more or less a slip may have that begins as the word does. */
const MAX_SLIP = 2;

/**
 * The word that somebody probably meant: one that begins like it, or that differs from it in no more
 * than a third of its letters, letters that changed places counted once. Undefined when none does;
 * then it is better to say what there is.
 *
 * `eager` is for commands, where nothing but one of the words makes sense. There the word is meant that
 * has the same first letter and about the same length, and the fewest differences.
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

/** The optimal string alignment distance: like Levenshtein's, but "ehco" is one step from "echo". */
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
