/** What the parameters of framings can be, and how they are read. */

import { FramingTextError } from "../errors.ts";
import { likely } from "../internal/nearest.ts";
import type { Framing } from "./framing.ts";
import type { Term } from "./grammar.ts";

/** The type of a parameter. It is data, so that bundlers can leave out what is not used. */
export type ParameterType =
  /** A whole number. */
  | { readonly type: "integer"; readonly min: number; readonly max: number }
  /** `true` or `false`; the name of the parameter alone means `true`. */
  | { readonly type: "boolean" }
  /** One of these words; the option gets the value that stands beside it. */
  | { readonly type: "word"; readonly words: Readonly<Record<string, unknown>> }
  /** Bytes, two hexadecimal digits each. */
  | { readonly type: "bytes"; readonly max: number }
  /** Another framing. */
  | { readonly type: "framing" };

/** A parameter of a framing. */
export type Parameter = ParameterType & {
  /** One sentence for those who look it up. */
  readonly help: string;
  /** The value if it is not given, as text. Without one, `help` says what happens. */
  readonly default?: string;
  /** Whether there must be a value. */
  readonly required?: boolean;
  /** Whether it may be given several times. Then the option is an array. */
  readonly several?: boolean;
};

/** What a term is read from. */
export interface Source {
  /** The whole text. */
  readonly text: string;
  /** Makes a framing of a term in it. */
  build(term: Term): Framing;
}

/**
 * The value that a term is for a parameter.
 *
 * @throws {FramingTextError} if it is none.
 */
export function readParameter(parameter: ParameterType, term: Term, source: Source): unknown {
  if (parameter.type === "framing") return source.build(term);
  const { word, at, end } = term;
  const refuse = (what: string): never => {
    throw new FramingTextError(source.text, at, end, what);
  };
  if (term.args !== undefined) refuse("takes nothing in parentheses");
  switch (parameter.type) {
    case "integer": {
      const { min, max } = parameter;
      const value = /^-?\d+$/.test(word) ? Number(word) : NaN;
      const isRight = Number.isSafeInteger(value) && value >= min && value <= max;
      return isRight ? value + 0 : refuse(`must be an integer from ${min} to ${max}`);
    }
    case "boolean":
      return word === "true" || (word === "false" ? false : refuse("must be true or false"));
    case "word": {
      if (Object.hasOwn(parameter.words, word)) return parameter.words[word];
      const words = Object.keys(parameter.words);
      const near = likely(word, words);
      const nearest = near === undefined ? "" : `; the nearest is "${near}"`;
      return refuse(`must be one of ${words.join(", ")}${nearest}`);
    }
    case "bytes":
      if (!/^([0-9a-f]{2})+$/i.test(word)) refuse("must be pairs of hexadecimal digits");
      if (word.length > 2 * parameter.max) refuse(`must be at most ${parameter.max} bytes`);
      return Uint8Array.from(word.match(/../g)!, (digits) => Number.parseInt(digits, 16));
  }
}
