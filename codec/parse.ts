/** Framings from text. */

import { FramingTextError } from "../errors.ts";
import { likely } from "../internal/nearest.ts";
import { CATALOG, LENGTHS } from "./catalog.ts";
import type { Framing, FramingOptions } from "./framing.ts";
import { type Argument, parseTerm, type Term } from "./grammar.ts";
import type { Kind } from "./kind.ts";
import { lengthPrefix } from "./length_prefix.ts";
import { FRAMING_KINDS, FRAMING_NAMES, type FramingKind, type FramingText } from "./names.ts";
import { type Parameter, readParameter, type Source } from "./parameters.ts";

/**
 * Returns the framing that a text says: a name such as `u32be`, or a kind with parameters, such as
 * `length(bytes:4,offset:1)`, `delimiter(0d0a)` or `fixed(188)`. A parameter that is not given has its
 * default. The `name` of the framing is the text in canonical form, which makes an equal framing
 * again.
 *
 * @throws {TypeError} for a name that does not exist.
 * @throws {FramingTextError} if something else is wrong with the text. It tells the place.
 * @throws {RangeError} for a limit out of range.
 *
 * @example A length behind a type byte, which counts itself but not that byte
 * ```ts
 * import { framing } from "@lengthwise/lengthwise/codec";
 * import { assertEquals } from "@std/assert";
 *
 * const postgres = framing("length(bytes:4, offset:1, adjustment:-4, strip:0)");
 * assertEquals(postgres.name, "length(offset:1,adjustment:-4,strip:0)");
 * const query = new Uint8Array([0x51, 0, 0, 0, 0, 0x3b, 0]);
 * assertEquals(postgres.encode(query), new Uint8Array([0x51, 0, 0, 0, 6, 0x3b, 0]));
 * ```
 */
export function framing(text: FramingText, options: FramingOptions = {}): Framing {
  if (!/[( ]/.test(text) && !isName(text)) {
    throw new TypeError(
      `Cannot use framing "${text}": it must be one of ${FRAMING_NAMES.join(", ")}`,
    );
  }
  return build(parseTerm(text), text, options);
}

function isName(word: string): boolean {
  return Object.hasOwn(LENGTHS, word) || Object.hasOwn(CATALOG, word);
}

/** Makes the framing of a term; `options` are for the outermost one. */
function build(term: Term, text: string, options: FramingOptions): Framing {
  const { word, at, end, args } = term;
  if (Object.hasOwn(LENGTHS, word)) {
    if (args === undefined) return lengthPrefix({ ...options, ...LENGTHS[word] });
    throw new FramingTextError(text, at, end, "takes no parameters; length(…) does");
  }
  if (!Object.hasOwn(CATALOG, word)) {
    const near = likely(word, [...FRAMING_NAMES, ...FRAMING_KINDS]);
    const right = near === undefined
      ? `use one of ${FRAMING_KINDS.join(", ")}`
      : `the nearest is "${near}"`;
    throw new FramingTextError(text, at, end, `is unknown, ${right}`);
  }
  const kind = CATALOG[word as FramingKind];
  const values = readArguments(kind, term, {
    text,
    build: (inner) => build(inner, text, {}),
  });
  const framing = make(kind, term, text, values);
  // The limit is an option of the caller. If it is wrong, that is no fault of the text.
  return Object.keys(options).length === 0
    ? framing
    : kind.make({ ...options, ...values } as never);
}

function make(kind: Kind, { at, end }: Term, text: string, values: object): Framing {
  try {
    return kind.make(values as never);
  } catch (cause) {
    if (!(cause instanceof TypeError || cause instanceof RangeError)) throw cause;
    const what = cause.message.replace(/^Cannot use /, "cannot have ");
    throw new FramingTextError(text, at, end, what, { cause });
  }
}

/** The options that the arguments of a term give. */
function readArguments(kind: Kind, term: Term, source: Source): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const { name, value } of term.args ?? []) {
    const [key, parameter] = parameterOf(kind, name, value, source);
    const isFlag = name === undefined && key === value.word && key !== kind.bare;
    const read = isFlag || readParameter(parameter, value, source);
    if (parameter.several) values[key] = [...values[key] as unknown[] ?? [], read];
    else if (!Object.hasOwn(values, key)) values[key] = read;
    else {
      const { at, end } = name ?? value;
      throw new FramingTextError(source.text, at, end, `is too much: ${key} is given already`);
    }
  }
  for (const [key, { required }] of Object.entries(kind.parameters)) {
    if (!required || Object.hasOwn(values, key)) continue;
    const { at, end } = term;
    const what = `lacks its ${key}; right would be ${kind.example}`;
    throw new FramingTextError(source.text, at, end, what);
  }
  return values;
}

/** The parameter that an argument is for. A switch may be given by its name alone. */
function parameterOf(
  { parameters, bare }: Kind,
  name: Argument["name"],
  value: Term,
  { text }: Source,
): [key: string, parameter: Parameter] {
  const { word, at, end } = name ?? value;
  const isKnown = Object.hasOwn(parameters, word);
  if (name === undefined && !(isKnown && parameters[word].type === "boolean")) {
    if (bare !== undefined) return [bare, parameters[bare]];
    if (isKnown) throw new FramingTextError(text, at, end, `needs a value: ${word}:…`);
  }
  if (isKnown) return [word, parameters[word]];
  const names = Object.keys(parameters);
  const near = likely(word, names);
  const right = names.length === 0
    ? "there are no parameters here"
    : near === undefined
    ? `the parameters are ${names.join(", ")}`
    : `the nearest is "${near}"`;
  throw new FramingTextError(text, at, end, `is unknown; ${right}`);
}
