/** What of a source has one framing: both directions together, or each by itself. */

import { type Change, changeIn } from "./changes.ts";
import { guess, type Guesses } from "./guess.ts";
import type { Sample } from "./sample.ts";
import type { Source } from "./sources.ts";

/** What needs no second look, in bits. */
export const SURE = 16;

/** What is looked at by itself. */
export interface Subject {
  readonly name: string;
  /** Whose direction it is, if it is one alone. */
  readonly direction?: string;
  readonly samples: readonly Sample[];
  readonly guesses: Guesses;
  readonly change?: Change;
}

/** Both directions together, or each by itself if more speaks for that. */
export function subjectsIn({ name, directions }: Source): Subject[] {
  const all = directions.flatMap(({ samples }) => samples);
  if (all.length === 0) return [];
  const together = guess(all);
  if (directions.length < 2) return [looked(name, all, together)];
  const each = directions.map(({ samples }) => guess(samples));
  const sum = each.reduce((total, { fitting }) => total + (fitting[0]?.bits ?? 0), 0);
  const both = together.fitting[0]?.bits ?? 0;
  if (both >= SURE && both + SURE >= sum) return [looked(name, all, together)];
  return directions.map(({ name: whose, samples }, index) =>
    looked(`${name}, the ${whose}'s direction`, samples, each[index], whose)
  );
}

function looked(
  name: string,
  samples: readonly Sample[],
  guesses: Guesses,
  direction?: string,
): Subject {
  const subject = { name, direction, samples, guesses };
  return guesses.fitting[0]?.bits >= SURE ? subject : { ...subject, change: changeIn(samples) };
}
