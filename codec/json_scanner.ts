/** Finds where a JSON value ends (RFC 8259), without recursion. */

import { FrameScanner } from "./scan_decoder.ts";

/** Where in the text of a value the next byte is. `done` lasts only until `scan()` returns. */
type State =
  | "value" // where a value begins
  | "item" // behind `[`: a value or `]`
  | "member" // behind `{`: a name or `}`
  | "name" // behind a comma of an object
  | "colon"
  | "after" // behind a value that lies in another one: a comma or the end
  | "string"
  | "escape"
  | "digits" // of \uXXXX
  | "literal"
  | "number"
  | "done";

/** Where in a number the next byte is; the three steps from `sign` to `exponent` need a digit. */
type Part = "minus" | "zero" | "integer" | "point" | "fraction" | "e" | "sign" | "exponent";

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const OPEN_OBJECT = 0x7b;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const ZERO = 0x30;
/** The rest of the three literals, by their first letter. */
const LITERALS: Readonly<Record<number, string>> = { 0x74: "rue", 0x66: "alse", 0x6e: "ull" };

/** Whether a byte is white space of JSON. */
export function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** Whether a byte may stand behind a backslash; `u` may, too. */
function isEscape(byte: number): boolean {
  switch (byte) {
    case QUOTE:
    case BACKSLASH:
    case 0x2f: // /
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return true;
  }
  return false;
}

function isHexDigit(byte: number): boolean {
  return isDigit(byte) || (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66;
}

/**
 * Scans JSON values. A value ends with its last byte; only a number ends before the first byte that
 * does not belong to it. Between two values there may be white space. Whether strings are UTF-8 is not
 * checked.
 */
export class JsonScanner extends FrameScanner {
  #state: State = "value";
  #part: Part = "minus";
  /** Whether the string is the name of a member. */
  #isName = false;
  #hexDigits = 0;
  #literal = "";
  #matched = 0;
  /** The opening brackets that are not closed: a byte for each. */
  #open = new Uint8Array(8);
  #depth = 0;
  readonly #maxDepth: number;

  constructor(maxMessageBytes: number, verb: "send" | "receive", maxDepth: number) {
    super(maxMessageBytes, 0, verb);
    this.#maxDepth = maxDepth;
  }

  override skip(bytes: Uint8Array, at: number, end: number): number {
    while (at < end && isSpace(bytes[at])) at++;
    return at;
  }

  override scan(bytes: Uint8Array, at: number, end: number, origin: number): number {
    while (at < end) {
      switch (this.#state) {
        case "string":
          at = this.#string(bytes, at, end, origin);
          break;
        case "number":
          at = this.#number(bytes, at, end, origin);
          break;
        case "literal":
          this.#letter(bytes[at], at + origin);
          at++;
          break;
        case "escape":
        case "digits":
          this.#escape(bytes[at], at + origin);
          at++;
          break;
        default:
          this.#structure(bytes[at], at + origin);
          at++;
      }
      if (this.#state === "done") {
        this.#state = "value";
        return at;
      }
    }
    return -1;
  }

  override isWhole(): boolean {
    return this.#state === "number" && this.#depth === 0 && this.#mayEnd();
  }

  #string(bytes: Uint8Array, at: number, end: number, origin: number): number {
    for (; at < end; at++) {
      const byte = bytes[at];
      if (byte === QUOTE) {
        if (this.#isName) this.#state = "colon";
        else this.#endValue();
        return at + 1;
      }
      if (byte === BACKSLASH) {
        this.#state = "escape";
        return at + 1;
      }
      if (byte < 0x20) this.refuseByte(byte, at + origin, "a character of a string");
    }
    return at;
  }

  #escape(byte: number, offset: number): void {
    if (this.#state === "digits") {
      if (!isHexDigit(byte)) this.refuseByte(byte, offset, "a hexadecimal digit");
      if (--this.#hexDigits === 0) this.#state = "string";
    } else if (byte === 0x75) {
      this.#hexDigits = 4;
      this.#state = "digits";
    } else {
      if (!isEscape(byte)) this.refuseByte(byte, offset, "an escape of JSON");
      this.#state = "string";
    }
  }

  #letter(byte: number, offset: number): void {
    const wanted = this.#literal.charCodeAt(this.#matched);
    if (byte !== wanted) this.refuseByte(byte, offset, `"${String.fromCharCode(wanted)}"`);
    if (++this.#matched === this.#literal.length) this.#endValue();
  }

  #number(bytes: Uint8Array, at: number, end: number, origin: number): number {
    for (; at < end; at++) {
      const byte = bytes[at];
      const next = nextPart(this.#part, byte);
      if (next !== undefined) {
        this.#part = next;
        continue;
      }
      if (!this.#mayEnd()) this.refuseByte(byte, at + origin, "a digit");
      const isApart = isSpace(byte) || byte === OPEN_ARRAY || byte === OPEN_OBJECT ||
        byte === QUOTE;
      if (isDigit(byte) || this.#depth === 0 && !isApart) {
        this.refuseByte(byte, at + origin, "the end of a number");
      }
      this.#endValue();
      return at;
    }
    return at;
  }

  #mayEnd(): boolean {
    const part = this.#part;
    return part === "zero" || part === "integer" || part === "fraction" || part === "exponent";
  }

  /** Takes a byte that is not inside a string, a number or a literal. */
  #structure(byte: number, offset: number): void {
    if (isSpace(byte) && this.#depth > 0) return;
    switch (this.#state) {
      case "after":
        if (byte === COMMA) {
          this.#state = this.#open[this.#depth - 1] === OPEN_OBJECT ? "name" : "value";
        } else this.#close(byte, offset, "a comma or ");
        break;
      case "colon":
        if (byte !== COLON) this.refuseByte(byte, offset, "a colon");
        this.#state = "value";
        break;
      case "name":
      case "member":
        if (byte === QUOTE) {
          this.#isName = true;
          this.#state = "string";
        } else if (this.#state === "member") this.#close(byte, offset, "a name or ");
        else this.refuseByte(byte, offset, "a name");
        break;
      default:
        if (this.#state === "item" && byte === OPEN_ARRAY + 2) this.#close(byte, offset, "");
        else this.#begin(byte, offset);
    }
  }

  #begin(byte: number, offset: number): void {
    if (byte === QUOTE) {
      this.#isName = false;
      this.#state = "string";
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      this.#nest(byte, offset);
      this.#state = byte === OPEN_OBJECT ? "member" : "item";
    } else if (byte === MINUS || isDigit(byte)) {
      this.#part = byte === MINUS ? "minus" : byte === ZERO ? "zero" : "integer";
      this.#state = "number";
    } else if (Object.hasOwn(LITERALS, byte)) {
      this.#literal = LITERALS[byte];
      this.#matched = 0;
      this.#state = "literal";
    } else this.refuseByte(byte, offset, "a JSON value");
  }

  #nest(bracket: number, offset: number): void {
    const depth = this.#depth;
    if (depth === this.#maxDepth) {
      this.refuse(
        `its JSON is nested ${depth + 1} levels deep ${this.at(offset)}: limit is ${depth} levels`,
      );
    }
    if (depth === this.#open.length) {
      const larger = new Uint8Array(Math.min(2 * depth, this.#maxDepth));
      larger.set(this.#open);
      this.#open = larger;
    }
    this.#open[this.#depth++] = bracket;
  }

  /** Closes a bracket. Each closing bracket stands two places behind its opening one in ASCII. */
  #close(byte: number, offset: number, orElse: string): void {
    const closing = this.#open[this.#depth - 1] + 2;
    if (byte !== closing) {
      this.refuseByte(byte, offset, `${orElse}"${String.fromCharCode(closing)}"`);
    }
    this.#depth--;
    this.#endValue();
  }

  #endValue(): void {
    this.#state = this.#depth === 0 ? "done" : "after";
  }
}

/** Where in a number one is after a byte; undefined if the byte does not belong to the number. */
function nextPart(part: Part, byte: number): Part | undefined {
  if (isDigit(byte)) {
    switch (part) {
      case "minus":
        return byte === ZERO ? "zero" : "integer";
      case "zero":
        return undefined;
      case "point":
        return "fraction";
      case "e":
      case "sign":
        return "exponent";
      default:
        return part;
    }
  }
  if (byte === POINT) return part === "zero" || part === "integer" ? "point" : undefined;
  if (byte === PLUS || byte === MINUS) return part === "e" ? "sign" : undefined;
  const isWhole = part === "zero" || part === "integer" || part === "fraction";
  return (byte | 0x20) === 0x65 && isWhole ? "e" : undefined;
}
