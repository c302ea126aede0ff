/**
 * The grammar of framings as text:
 *
 * ```text
 * term     = word [ "(" [ argument *( "," argument ) ] ")" ]
 * argument = [ word ":" ] term
 * word     = 1*( letter / digit / "." / "_" / "-" )
 * ```
 *
 * White space may stand around every sign and word. What a term means, parse.ts knows.
 */

import { FramingTextError } from "../errors.ts";

/** A word with its arguments, and where it stands in the text. */
export interface Term {
  readonly word: string;
  /** The arguments; undefined if there are no parentheses. */
  readonly args: readonly Argument[] | undefined;
  /** Where the word begins and ends. */
  readonly at: number;
  readonly end: number;
}

/** One argument of a term. */
export interface Argument {
  /** The parameter's name, if it is said. */
  readonly name: { readonly word: string; readonly at: number; readonly end: number } | undefined;
  readonly value: Term;
}

/** No framing needs more. */
const MAX_TEXT_LENGTH = 2000;
/** How many parentheses may be open. */
const MAX_DEPTH = 8;

/**
 * Reads a framing's text.
 *
 * @throws {FramingTextError} for a text that is not a term.
 */
export function parseTerm(text: string): Term {
  return new Parser(text).whole();
}

class Parser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Term {
    if (this.#text.length > MAX_TEXT_LENGTH) {
      const shown = `${this.#text.slice(0, 40)}…`;
      const what = `comes too late: a framing has at most ${MAX_TEXT_LENGTH} characters`;
      throw new FramingTextError(shown, 40, 41, what);
    }
    const term = this.#term(this.#word());
    if (this.#at < this.#text.length) this.#refuse("is too much: the framing ends before it");
    return term;
  }

  /** What follows a word: its arguments, if it has any. */
  #term({ word, at, end }: Omit<Term, "args">): Term {
    if (!this.#take("(")) return { word, at, end, args: undefined };
    if (++this.#depth > MAX_DEPTH) {
      throw new FramingTextError(this.#text, at, end, `is inside more than ${MAX_DEPTH} others`);
    }
    const args: Argument[] = [];
    if (!this.#take(")")) {
      do args.push(this.#argument()); while (this.#take(","));
      if (!this.#take(")")) this.#refuse('should be "," or ")"');
    }
    this.#depth--;
    return { word, at, end, args };
  }

  #argument(): Argument {
    const word = this.#word();
    if (!this.#take(":")) return { name: undefined, value: this.#term(word) };
    return { name: word, value: this.#term(this.#word()) };
  }

  #word(): Omit<Term, "args"> {
    this.#skipSpace();
    const word = /^[\w.-]*/.exec(this.#text.slice(this.#at))![0];
    if (word === "") this.#refuse("should be a name or a value");
    const at = this.#at;
    this.#at += word.length;
    this.#skipSpace();
    return { word, at, end: at + word.length };
  }

  #take(sign: string): boolean {
    if (this.#text[this.#at] !== sign) return false;
    this.#at++;
    this.#skipSpace();
    return true;
  }

  #skipSpace(): void {
    while (this.#text[this.#at] === " ") this.#at++;
  }

  #refuse(what: string): never {
    const next = this.#text.codePointAt(this.#at);
    const width = next === undefined ? 0 : String.fromCodePoint(next).length;
    throw new FramingTextError(this.#text, this.#at, this.#at + width, what);
  }
}
