/** Finds the framings of a capture that nobody has named. */

import { duplex, type Framing } from "../../../codec.ts";
import type { Source } from "../../guess/sources.ts";
import { type Subject, subjectsIn, SURE } from "../../guess/subjects.ts";
import type { ParsedOptions } from "../../shared/options.ts";
import { madeOf } from "./choice.ts";

/** Less likely than this, a framing is not taken without being asked for. */
const LIKELY = 0.99;

/** What was found of the connections to one end. */
export type Finding = { readonly framing: Framing } | { readonly likeliest: string | undefined };

/** Looks for the framing of each server: the one in both directions, or one in each. */
export function findFramings(
  sources: readonly Source[],
  options: ParsedOptions,
): Map<string, Finding> {
  return new Map(sources.map((source) => [source.server!, findingOf(source, options)]));
}

function findingOf(source: Source, options: ParsedOptions): Finding {
  const subjects = subjectsIn(source);
  const [first] = subjects;
  if (!subjects.every(isSure)) {
    const unsure = subjects.find((subject) => !isSure(subject));
    return { likeliest: unsure?.guesses.fitting[0]?.framing };
  }
  const framings = subjects.map(({ guesses }) => madeOf(guesses.fitting[0].framing, options));
  if (subjects.length === 1) return { framing: framings[0] };
  const [own, other] = first.direction === "client" ? framings : framings.toReversed();
  return { framing: duplex({ in: other, out: own }) };
}

function isSure({ guesses: { fitting: [best] } }: Subject): boolean {
  return best !== undefined && best.bits >= SURE && best.share >= LIKELY;
}
