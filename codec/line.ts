/** Framing by newlines. */

import { InvalidMessageError, MessageTooLargeError } from "../errors.ts";
import {
  checkLimit,
  type Decoder,
  DEFAULT_MAX_MESSAGE_BYTES,
  EMPTY,
  encodeWhole,
  type Framing,
  type FramingOptions,
} from "./framing.ts";
import { Gather } from "./gather.ts";
import { canonical } from "./names.ts";
import { edited, hasErasing } from "./editing.ts";
import { TelnetFilter } from "./telnet.ts";
import type { Memory } from "../internal/memory.ts";

const LF = 0x0a;
const CR = 0x0d;
const IAC = 0xff;
const NEWLINE = new Uint8Array([LF]);
const CR_NEWLINE = new Uint8Array([CR, LF]);

/** Options of {@linkcode line}. */
export interface LineOptions extends FramingOptions {
  /**
   * The newline that ends each line on the wire.
   *
   * @default "\n"
   */
  newline?: "\n" | "\r\n";
  /**
   * Whether the peer may be a telnet program. Then its commands are dropped, its options are
   * refused, CR NUL ends a line, and a byte 0xFF is sent twice. (UTF-8 never has a byte 0xFF.) Once
   * a peer has shown that it is one, by any command or by CR NUL, its keys that erase are obeyed:
   * backspace and DEL a character, Ctrl-W a word, Ctrl-U the line, as telnet's own EC and EL. In
   * telnet's character mode they arrive as characters. Turn it off for lines that are not text.
   *
   * @default true
   */
  telnet?: boolean;
}

/**
 * Frames messages as lines. A line ends at LF, and a CR before the LF is dropped. The last line is
 * a message too if its newline is missing. A message that contains a newline, or ends in CR, cannot
 * be a line: sending it is refused.
 *
 * @throws {RangeError} for a limit out of range.
 * @throws {TypeError} for another newline.
 *
 * @example What telnet sends
 * ```ts
 * import { line } from "@lengthwise/lengthwise/codec";
 * import { assertEquals } from "@std/assert";
 *
 * const decoder = line().decoder();
 * const WILL_ECHO = [0xff, 0xfb, 0x01];
 * const lines = decoder.decode(new Uint8Array([...WILL_ECHO, 0x68, 0x69, 0x0d, 0x0a, 0x79]));
 * assertEquals(lines, [new Uint8Array([0x68, 0x69])]);
 * assertEquals(decoder.end(), [new Uint8Array([0x79])]); // the last line lacks its newline
 * ```
 */
export function line(options: LineOptions = {}): Framing {
  const { maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES, newline = "\n", telnet = true } = options;
  if (newline !== "\n" && newline !== "\r\n") {
    throw new TypeError(
      `Cannot use newline ${JSON.stringify(newline)}: it must be "\\n" or "\\r\\n"`,
    );
  }
  return new LineFraming({ maxMessageBytes: checkLimit(maxMessageBytes), newline, telnet });
}

class LineFraming implements Framing {
  readonly name: string;
  readonly keepsBoundaries = true;
  readonly isSelective = true;
  readonly maxMessageBytes: number;
  readonly #options: Required<LineOptions>;
  readonly #newline: Uint8Array;

  constructor(options: Required<LineOptions>) {
    this.#options = options;
    this.name = canonical("line", {
      newline: options.newline === "\n" ? undefined : "crlf",
      telnet: options.telnet ? undefined : false,
    });
    this.maxMessageBytes = options.maxMessageBytes;
    this.#newline = options.newline === "\n" ? NEWLINE : CR_NEWLINE;
  }

  withLimit(maxMessageBytes: number): Framing {
    return new LineFraming({ ...this.#options, maxMessageBytes: checkLimit(maxMessageBytes) });
  }

  decoder(memory?: Memory): Decoder {
    return new LineDecoder(this.maxMessageBytes, this.#options.telnet, memory);
  }

  frameBytes(message: Uint8Array): number {
    this.#check(message);
    return message.length + this.#escapes(message) + this.#newline.length;
  }

  encodeInto(message: Uint8Array, target: Uint8Array, at: number): number {
    if (this.#escapes(message) === 0) {
      target.set(message, at);
      at += message.length;
    } else {
      for (const byte of message) {
        target[at++] = byte;
        if (byte === IAC) target[at++] = IAC;
      }
    }
    target.set(this.#newline, at);
    return at + this.#newline.length;
  }

  encodeParts(message: Uint8Array): Uint8Array[] {
    if (this.#escapes(message) > 0) return [this.encode(message)];
    this.#check(message);
    return [message, this.#newline];
  }

  encode(message: Uint8Array): Uint8Array {
    return encodeWhole(this, message);
  }

  #check(message: Uint8Array): void {
    const at = message.indexOf(LF);
    if (at >= 0) {
      throw new InvalidMessageError(
        `Cannot send message as a line: it has a newline at byte ${at}`,
      );
    }
    if (message.length > 0 && message[message.length - 1] === CR) {
      throw new InvalidMessageError("Cannot send message as a line: it ends in a carriage return");
    }
    if (this.#options.telnet && hasCrNul(message)) {
      throw new InvalidMessageError(
        "Cannot send message as a line: it has CR NUL, which ends a line in telnet",
      );
    }
  }

  /** How many bytes must be sent twice. */
  #escapes(message: Uint8Array): number {
    if (!this.#options.telnet) return 0;
    let count = 0;
    for (let at = message.indexOf(IAC); at >= 0; at = message.indexOf(IAC, at + 1)) count++;
    return count;
  }
}

function hasCrNul(message: Uint8Array): boolean {
  for (let at = message.indexOf(0); at >= 0; at = message.indexOf(0, at + 1)) {
    if (at > 0 && message[at - 1] === CR) return true;
  }
  return false;
}

class LineDecoder implements Decoder {
  readonly #maxBytes: number;
  readonly #telnet: TelnetFilter | undefined;
  readonly #gather: Gather;
  /** Bytes of text in the chunks before this one. */
  #before = 0;
  /** Bytes behind the last line, with telnet's. */
  #tailBytes = 0;
  #failure: unknown;

  constructor(
    maxMessageBytes: number,
    telnet: boolean,
    memory: Memory | undefined,
  ) {
    this.#gather = new Gather(memory);
    this.#maxBytes = maxMessageBytes;
    this.#telnet = telnet ? new TelnetFilter() : undefined;
  }

  get pendingBytes(): number {
    return this.#gather.bytes + (this.#telnet?.pendingBytes ?? 0);
  }

  get tailBytes(): number {
    return this.#tailBytes;
  }

  takeReply(): Uint8Array | undefined {
    return this.#telnet?.takeReply();
  }

  decode(chunk: Uint8Array, messages: Uint8Array[] = []): Uint8Array[] {
    if (this.#failure !== undefined) throw this.#failure;
    const text = this.#telnet?.filter(chunk) ?? chunk;
    let at = 0;
    for (let end = text.indexOf(LF); end >= 0; end = text.indexOf(LF, at)) {
      messages.push(this.#finish(text.subarray(at, end), this.#before + end));
      at = end + 1;
    }
    if (at < text.length) {
      // One byte above the limit may be a CR, which is not part of the message.
      const bytes = this.#gather.bytes + text.length - at;
      if (bytes > this.#maxBytes + 1) {
        this.#refuse(text[text.length - 1] === CR ? bytes - 1 : bytes, "a line so far");
      }
      this.#gather.push(text.subarray(at));
    }
    this.#before += text.length;
    if (at === 0) this.#tailBytes += chunk.length;
    else if (text === chunk) this.#tailBytes = chunk.length - at;
    else this.#tailBytes = chunk.length - this.#telnet!.lineEnd;
    return messages;
  }

  end(messages: Uint8Array[] = []): Uint8Array[] {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#gather.bytes > 0) {
      messages.push(this.#finish(EMPTY, this.#before));
      this.#tailBytes = 0;
    }
    return messages;
  }

  /** Makes a message of the gathered bytes and the rest of the line, which ends at a byte of the text. */
  #finish(rest: Uint8Array, end: number): Uint8Array {
    const whole = this.#gather.bytes === 0 ? rest : this.#gather.take(0, rest);
    const length = whole.length > 0 && whole[whole.length - 1] === CR
      ? whole.length - 1
      : whole.length;
    if (length > this.#maxBytes) this.#refuse(length, "a line");
    const isTyped = this.#telnet !== undefined && end >= this.#telnet.knownFrom;
    if (isTyped && hasErasing(whole)) return edited(whole.subarray(0, length));
    return length === 0 ? EMPTY : whole.subarray(0, length);
  }

  #refuse(size: number, what: string): never {
    this.#gather.clear();
    this.#failure = new MessageTooLargeError("receive", size, this.#maxBytes, what);
    throw this.#failure;
  }
}
