/** The export format of systemd's journal. */

import { InvalidMessageError, MessageTooLargeError, TruncatedMessageError } from "../../errors.ts";
import type { Memory } from "../../internal/memory.ts";
import { BaseFraming } from "../base.ts";
import {
  checkLimit,
  type Decoder,
  DEFAULT_MAX_MESSAGE_BYTES,
  type Framing,
  type FramingOptions,
} from "../framing.ts";
import { Gather } from "../gather.ts";

const LF = 0x0a;
const EQUALS = 0x3d;
const NEWLINE = /* @__PURE__ */ new Uint8Array([LF]);

/**
 * The Journal Export Format of systemd, in files and as `systemd-journal-remote` takes it: each field is
 * `NAME=value` and LF, or `NAME`, LF, 8 bytes of length, little-endian, the value, and LF. An empty line
 * ends an entry.
 *
 * A message is an entry: its fields with the LF of each, without the empty line. More empty lines are
 * skipped, as journal-remote does. An entry whose last line has no LF, or without any field, is not sent.
 * The limit here is 16 MiB; journal-remote's is 768 MiB for a field, and 1 024 fields.
 */
export function journalExport(options: FramingOptions = {}): Framing {
  const { maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES } = options;
  return new JournalFraming(checkLimit(maxMessageBytes));
}

class JournalFraming extends BaseFraming {
  readonly name = "journalExport";
  readonly isSelective = true;

  constructor(readonly maxMessageBytes: number) {
    super();
  }

  withLimit(maxMessageBytes: number): Framing {
    return new JournalFraming(checkLimit(maxMessageBytes));
  }

  decoder(memory?: Memory): Decoder {
    return new JournalDecoder(this.maxMessageBytes, memory);
  }

  frameBytes(message: Uint8Array): number {
    const scan = new FieldScan();
    const end = scan.scan(message, 0);
    const what = message.length === 0
      ? "it has no field"
      : end >= 0
      ? `its line at byte ${end} is empty`
      : scan.isBetween
      ? undefined
      : "its last field is not whole";
    if (what !== undefined) {
      throw new InvalidMessageError(
        `Cannot send message of ${message.length} bytes as a journal entry: ${what}`,
      );
    }
    return message.length + 1;
  }

  encodeInto(message: Uint8Array, target: Uint8Array, at: number): number {
    const bytes = this.frameBytes(message);
    target.set(message, at);
    target[at + bytes - 1] = LF;
    return at + bytes;
  }

  override encodeParts(message: Uint8Array): Uint8Array[] {
    this.frameBytes(message);
    return [message, NEWLINE];
  }
}

/** Finds where a field ends, in chunks. */
class FieldScan {
  #state: "line" | "name" | "text" | "length" | "value" | "newline" = "line";
  /** Bytes of the length that have come. */
  #lengthBytes = 0;
  #length = 0;
  /** Bytes of a value with a length that must still come. */
  missing = 0;

  /** Whether a field could begin, or an entry end. */
  get isBetween(): boolean {
    return this.#state === "line";
  }

  /** Goes on at `at`. Returns where an empty line is, or -1 if all of the bytes belong to fields. */
  scan(bytes: Uint8Array, at: number, stop: number = bytes.length): number {
    while (at < stop) {
      if (this.#state === "line") {
        if (bytes[at] === LF) return at;
        this.#state = "name";
      } else if (this.#state === "name") {
        while (at < stop && bytes[at] !== EQUALS && bytes[at] !== LF) at++;
        if (at === stop) break;
        this.#state = bytes[at++] === EQUALS ? "text" : "length";
      } else if (this.#state === "text") {
        const end = bytes.indexOf(LF, at);
        if (end < 0 || end >= stop) break;
        at = end + 1;
        this.#state = "line";
      } else if (this.#state === "length") {
        this.#length += bytes[at++] * 2 ** (8 * this.#lengthBytes++);
        if (this.#lengthBytes === 8) this.#begin(this.#length);
      } else if (this.#state === "value") {
        const taken = Math.min(this.missing, stop - at);
        at += taken;
        this.missing -= taken;
        if (this.missing === 0) this.#state = "newline";
      } else {
        if (bytes[at] !== LF) {
          throw new InvalidMessageError(
            `Cannot use journal entry: byte ${bytes[at]} follows a value, and not LF`,
          );
        }
        at++;
        this.#state = "line";
      }
    }
    return -1;
  }

  #begin(length: number): void {
    this.missing = length;
    this.#state = length === 0 ? "newline" : "value";
    this.#length = 0;
    this.#lengthBytes = 0;
  }
}

class JournalDecoder implements Decoder {
  readonly #maxBytes: number;
  readonly #gather: Gather;
  readonly #scan = new FieldScan();
  /** Empty lines behind the last message. */
  #skipped = 0;
  #failure: unknown;

  constructor(maxMessageBytes: number, memory: Memory | undefined) {
    this.#maxBytes = maxMessageBytes;
    this.#gather = new Gather(memory);
  }

  get pendingBytes(): number {
    return this.#gather.bytes;
  }

  get tailBytes(): number {
    return this.#skipped + this.#gather.bytes;
  }

  decode(chunk: Uint8Array, messages: Uint8Array[] = []): Uint8Array[] {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      for (let at = 0; at < chunk.length;) {
        if (this.#gather.bytes === 0 && this.#scan.isBetween && chunk[at] === LF) {
          at++;
          this.#skipped++;
          continue;
        }
        // No byte behind the limit is looked at, so that the error is the same for all chunks.
        const room = this.#maxBytes - this.#gather.bytes;
        const stop = Math.min(chunk.length, at + room + 1);
        const end = this.#scan.scan(chunk, at, stop);
        const part = chunk.subarray(at, end < 0 ? stop : end);
        const size = this.#gather.bytes + part.length + this.#scan.missing;
        if (size > this.#maxBytes) {
          throw new MessageTooLargeError("receive", size, this.#maxBytes, "a journal entry so far");
        }
        if (end < 0) {
          this.#gather.push(part);
          break;
        }
        messages.push(this.#gather.bytes === 0 ? part : this.#gather.take(0, part));
        at = end + 1;
        this.#skipped = 0;
      }
      return messages;
    } catch (error) {
      throw this.#fail(error);
    }
  }

  end(messages: Uint8Array[] = []): Uint8Array[] {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#gather.bytes === 0) return messages;
    const missing = this.#scan.missing + 1;
    throw this.#fail(new TruncatedMessageError(this.#gather.bytes, missing, "body"));
  }

  #fail(error: unknown): unknown {
    this.#failure = error;
    this.#gather.clear();
    return error;
  }
}
