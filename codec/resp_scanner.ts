/** Finds where a value of Redis' protocol ends, without recursion. */

import { InvalidLengthError } from "../errors.ts";
import { ASTERISK, DOLLAR, mayStream, type Role, roleOf } from "./resp_types.ts";
import { FrameScanner, show } from "./scan_decoder.ts";

/** What the scanner must know of the framing. */
export interface RespRules {
  readonly version: 2 | 3;
  readonly maxDepth: number;
  readonly inline: boolean;
}

const CR = 0x0d;
const LF = 0x0a;
const MINUS = 0x2d;
const ZERO = 0x30;
const QUESTION_MARK = 0x3f;
/** Redis has the same limit. */
const MAX_INLINE_BYTES = 64 * 1024;
const MAX_DIGITS = 19;
/** The smallest value: a type and CRLF. */
const MIN_VALUE_BYTES = 3;

/** The kinds of values that are open. For streamed ones, `#rest` counts nothing. */
const ITEMS = 0;
const ATTRIBUTE = 1;
const STREAM = 2;
/** A streamed map before a name, and before a value. */
const STREAM_OF_PAIRS = 3;
const STREAM_OF_PAIRS_ODD = 4;

type State =
  | "type"
  | "line" // up to CR
  | "length" // its first byte
  | "digits"
  | "no more" // CR
  | "line end" // LF
  | "contents"
  | "contents end" // CR
  | "contents line end" // LF
  | "inline";

/** Scans values of RESP2 or RESP3. */
export class RespScanner extends FrameScanner {
  #state: State = "type";
  readonly #rules: RespRules;
  #type = 0;
  #role: Role = "line";
  /** The length or number of this value: -1 for null, NaN for a streamed value. */
  #length = 0;
  #digits = 0;
  /** Bytes of a string that are still to come. */
  #left = 0;
  /** Whether the parts of a streamed string are coming. */
  #inParts = false;
  /** Whether an attribute waits for its value. */
  #isAttributed = false;
  /** The values that are open: their kinds, and how many values each still lacks. */
  #kinds = new Uint8Array(8);
  #rest = new Float64Array(8);
  #depth = 0;

  constructor(maxMessageBytes: number, verb: "send" | "receive", rules: RespRules) {
    super(maxMessageBytes, 0, verb);
    this.#rules = rules;
  }

  override skip(bytes: Uint8Array, at: number, end: number): number {
    if (this.#rules.inline) { while (at < end && (bytes[at] === LF || bytes[at] === CR)) at++; }
    return at;
  }

  override scan(bytes: Uint8Array, at: number, end: number, origin: number): number {
    while (at < end) {
      switch (this.#state) {
        case "contents": {
          const step = Math.min(this.#left, end - at);
          this.#left -= step;
          at += step;
          if (this.#left === 0) this.#state = "contents end";
          break;
        }
        case "line":
          at = this.#line(bytes, at, end, origin);
          break;
        case "inline":
          at = this.#inline(bytes, at, end, origin);
          if (bytes[at - 1] === LF) {
            this.#state = "type";
            return at;
          }
          break;
        case "no more":
          this.#expect(bytes[at], CR, at + origin);
          this.#state = "line end";
          at++;
          break;
        case "line end":
          this.#expect(bytes[at], LF, at + origin);
          if (this.#endLine(++at + origin)) return at;
          break;
        case "contents end":
          this.#expect(bytes[at], CR, at + origin);
          this.#state = "contents line end";
          at++;
          break;
        case "contents line end":
          this.#expect(bytes[at], LF, at + origin);
          at++;
          this.#state = "type";
          if (!this.#inParts && this.#endValue()) return at;
          break;
        case "type":
          this.#begin(bytes[at], at + origin);
          at++;
          break;
        default:
          this.#digit(bytes[at], at + origin);
          at++;
      }
    }
    return -1;
  }

  override missing(offset: number): number {
    if (this.total !== Infinity) return super.missing(offset);
    return this.#state === "contents" ? this.#left + 2 : this.#state === "contents end" ? 2 : 1;
  }

  /** Takes the first byte of a value. */
  #begin(byte: number, offset: number): void {
    const role = roleOf(byte, this.#rules.version);
    if (role === undefined) {
      const mayBeInline = this.#rules.inline && offset === 0 && byte !== CR && byte !== LF;
      if (!mayBeInline) this.refuseByte(byte, offset, "a type");
      this.#state = "inline";
      return;
    }
    if (this.#inParts !== (role === "part")) {
      this.refuseByte(byte, offset, this.#inParts ? "a part of a streamed string" : "a type");
    }
    if (role === "push" && this.#depth > 0) {
      this.refuse(`it has a push inside of another value ${this.at(offset)}`);
    }
    if (role === "end") this.#checkEnd(byte, offset);
    this.#type = byte;
    this.#role = role;
    this.#state = role === "line" ? "line" : role === "end" ? "no more" : "length";
    if (role !== "attribute") this.#isAttributed = false;
  }

  #checkEnd(byte: number, offset: number): void {
    const kind = this.#depth === 0 ? ITEMS : this.#kinds[this.#depth - 1];
    if (kind < STREAM || this.#isAttributed) this.refuseByte(byte, offset, "a type");
    if (kind === STREAM_OF_PAIRS_ODD) {
      this.refuse(`its streamed map ends ${this.at(offset)}, before the value of a pair`);
    }
  }

  #line(bytes: Uint8Array, at: number, end: number, origin: number): number {
    for (; at < end; at++) {
      const byte = bytes[at];
      if (byte === CR) {
        this.#state = "line end";
        return at + 1;
      }
      if (byte === LF) this.refuseByte(byte, at + origin, "0x0d");
    }
    return at;
  }

  #inline(bytes: Uint8Array, at: number, end: number, origin: number): number {
    const stop = bytes.indexOf(LF, at);
    const next = stop >= 0 && stop < end ? stop + 1 : end;
    if (next + origin > MAX_INLINE_BYTES) {
      this.refuse(
        `its inline command is longer than ${MAX_INLINE_BYTES} bytes ${this.at(MAX_INLINE_BYTES)}`,
      );
    }
    return next;
  }

  /** Takes a byte of a length. */
  #digit(byte: number, offset: number): void {
    if (this.#state === "length") {
      this.#state = "digits";
      this.#length = this.#digits = 0;
      if (byte === QUESTION_MARK && this.#rules.version === 3 && mayStream(this.#type)) {
        this.#length = NaN;
        this.#state = "no more";
        return;
      }
      if (byte === MINUS && (this.#type === DOLLAR || this.#type === ASTERISK)) {
        this.#length = -1;
        return;
      }
    } else if (byte === CR && this.#digits > 0) {
      this.#state = "line end";
      return;
    }
    const digit = byte - ZERO;
    if (digit < 0 || digit > 9) this.#refuseLength(byte, offset, "a digit");
    if (this.#length < 0) {
      if (digit !== 1 || this.#digits > 0) this.#refuseLength(byte, offset, "-1");
    } else {
      if (this.#digits === 1 && this.#length === 0) this.#refuseLength(byte, offset, "0x0d");
      this.#length = this.#length * 10 + digit;
    }
    if (++this.#digits > MAX_DIGITS) {
      throw new InvalidLengthError(
        `Cannot ${this.verb} message: its length has ${this.#digits} digits ${this.at(offset)}: ` +
          `limit is ${MAX_DIGITS} digits`,
      );
    }
  }

  /** The first line of a value has ended. Returns whether the frame has, too. */
  #endLine(offset: number): boolean {
    this.#state = "type";
    switch (this.#role) {
      case "line":
        return this.#endValue();
      case "end":
        this.#depth--;
        return this.#endValue();
      case "bytes":
      case "part":
        return this.#beginBytes(offset);
      default:
        return this.#beginItems(offset);
    }
  }

  #beginBytes(offset: number): boolean {
    const length = this.#length;
    if (Number.isNaN(length)) {
      this.#inParts = true;
      return false;
    }
    if (length === 0 && this.#inParts) {
      this.#inParts = false;
      return this.#endValue();
    }
    if (length < 0) return this.#endValue();
    const size = offset + length + 2;
    if (size > this.maxMessageBytes) this.refuseSize(size);
    // Everything else is in front of a single string.
    if (this.#depth === 0 && !this.#inParts) this.total = size;
    this.#left = length;
    this.#state = length === 0 ? "contents end" : "contents";
    return false;
  }

  #beginItems(offset: number): boolean {
    const length = this.#length;
    const role = this.#role;
    if (Number.isNaN(length)) {
      this.#nest(role === "pairs" ? STREAM_OF_PAIRS : STREAM, 0, offset);
      return false;
    }
    const items = role === "items" || role === "push" ? length : 2 * length;
    const size = offset + MIN_VALUE_BYTES * (items + (role === "attribute" ? 1 : 0));
    if (size > this.maxMessageBytes) this.refuseSize(size, true);
    if (items > 0) this.#nest(role === "attribute" ? ATTRIBUTE : ITEMS, items, offset);
    else if (role === "attribute") this.#isAttributed = true;
    else return this.#endValue();
    return false;
  }

  #nest(kind: number, rest: number, offset: number): void {
    const depth = this.#depth;
    const { maxDepth } = this.#rules;
    if (depth === maxDepth) {
      this.refuse(
        `it is nested ${depth + 1} levels deep ${this.at(offset)}: limit is ${depth} levels`,
      );
    }
    if (depth === this.#kinds.length) {
      const room = Math.min(2 * depth, maxDepth);
      const [kinds, rests] = [this.#kinds, this.#rest];
      this.#kinds = new Uint8Array(room);
      this.#kinds.set(kinds);
      this.#rest = new Float64Array(room);
      this.#rest.set(rests);
    }
    this.#kinds[depth] = kind;
    this.#rest[depth] = rest;
    this.#depth++;
  }

  /** A value has ended, and with it perhaps those in which it is the last. Returns whether all have. */
  #endValue(): boolean {
    while (this.#depth > 0) {
      const level = this.#depth - 1;
      switch (this.#kinds[level]) {
        case STREAM:
          return false;
        case STREAM_OF_PAIRS:
          this.#kinds[level] = STREAM_OF_PAIRS_ODD;
          return false;
        case STREAM_OF_PAIRS_ODD:
          this.#kinds[level] = STREAM_OF_PAIRS;
          return false;
      }
      if (--this.#rest[level] > 0) return false;
      this.#depth--;
      if (this.#kinds[level] === ATTRIBUTE) {
        this.#isAttributed = true;
        return false;
      }
    }
    return true;
  }

  #expect(byte: number, wanted: number, offset: number): void {
    if (byte !== wanted) this.refuseByte(byte, offset, wanted === CR ? "0x0d" : "0x0a");
  }

  #refuseLength(byte: number, offset: number, wanted: string): never {
    throw new InvalidLengthError(
      `Cannot ${this.verb} message: its length has ${show(byte)} ${this.at(offset)}, ` +
        `where ${wanted} must be`,
    );
  }
}
