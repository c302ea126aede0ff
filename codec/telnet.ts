/** The commands that telnet sends between the lines (RFC 854, RFC 855). */

import { BACKSPACE, ERASE_LINE } from "./editing.ts";

const IAC = 0xff;
const SB = 0xfa;
const SE = 0xf0;
const WILL = 0xfb;
const WONT = 0xfc;
const DO = 0xfd;
const DONT = 0xfe;
/** Erase character, erase line (RFC 854). */
const EC = 0xf7;
const EL = 0xf8;
/** The option by which a server says that it will show what is typed (RFC 857). */
const ECHO = 1;
/** While so many bytes of answers wait to be taken, nothing more is answered. */
const MAX_REPLY_BYTES = 1024;
const CR = 0x0d;
const LF = 0x0a;

type State = "text" | "command" | "option" | "subnegotiation" | "subnegotiation-command";

/**
 * Takes telnet's commands out of a stream of chunks. Negotiation and other commands are dropped. A
 * doubled 0xFF becomes one byte. CR NUL, which telnet sends for the return key, becomes a newline.
 * Every option that the peer asks for or offers is refused, as RFC 854 demands. The answer is
 * necessary: after Ctrl-C a telnet asks for a timing mark (RFC 860), and shows nothing more until
 * it has an answer.
 *
 * It also tells from where on the peer is known to be a telnet. Such a peer may send each key as it is
 * typed (RFC 857, RFC 858), so that keys that erase arrive as characters. A telnet is known by any
 * command, and by CR NUL, which ends lines in that mode. It is not known by CR LF, which other
 * programs send too, and not by what a server says.
 */
export class TelnetFilter {
  #state: State = "text";
  #afterCr = false;
  #asked = 0;
  #reply: number[] = [];
  /** Where in the last chunk that had bytes of telnet its last line ended. */
  lineEnd = 0;
  /** Bytes that were kept so far. */
  #kept = 0;
  #knownFrom = Infinity;

  /**
   * The number of bytes that had been kept when the peer was known to be a telnet. `Infinity` while it
   * is not known to be one.
   */
  get knownFrom(): number {
    return this.#knownFrom;
  }

  /** The refusals that were made since the last call. */
  takeReply(): Uint8Array | undefined {
    if (this.#reply.length === 0) return undefined;
    const reply = new Uint8Array(this.#reply);
    this.#reply = [];
    return reply;
  }

  /**
   * 1 inside a command, so that a command without an end is noticed in the same way as an
   * unfinished line.
   */
  get pendingBytes(): number {
    return this.#state === "text" ? 0 : 1;
  }

  /** The chunk without telnet's bytes. If there were none, it is the same array. */
  filter(chunk: Uint8Array): Uint8Array {
    const plain = this.#state === "text" && !(this.#afterCr && chunk[0] === 0) &&
      chunk.indexOf(IAC) < 0 && chunk.indexOf(0) < 0;
    if (plain) {
      if (chunk.length > 0) this.#afterCr = chunk[chunk.length - 1] === CR;
      this.#kept += chunk.length;
      return chunk;
    }
    const out = new Uint8Array(chunk.length);
    let length = 0;
    for (let at = 0; at < chunk.length; at++) {
      const kept = this.#step(chunk[at]);
      if (kept < 0) continue;
      out[length++] = kept;
      this.#kept++;
      if (kept === LF) this.lineEnd = at + 1;
    }
    return out.subarray(0, length);
  }

  /** Takes one byte; returns the byte to keep, or -1. */
  #step(byte: number): number {
    switch (this.#state) {
      case "text":
        if (byte === IAC) {
          this.#state = "command";
          return -1;
        }
        if (byte === 0 && this.#afterCr) {
          this.#afterCr = false;
          this.#know();
          return LF;
        }
        this.#afterCr = byte === CR;
        return byte;
      case "command":
        this.#state = byte === SB
          ? "subnegotiation"
          : byte >= WILL && byte < IAC
          ? "option"
          : "text";
        if (byte === IAC) {
          this.#afterCr = false;
          return IAC;
        }
        this.#asked = byte;
        if (this.#state === "text") this.#know();
        return byte === EC ? BACKSPACE : byte === EL ? ERASE_LINE : -1;
      case "option":
        this.#state = "text";
        if (this.#asked !== WILL || byte !== ECHO) this.#know();
        this.#refuse(byte);
        return -1;
      case "subnegotiation":
        if (byte === IAC) this.#state = "subnegotiation-command";
        return -1;
      case "subnegotiation-command":
        this.#state = byte === SE ? "text" : "subnegotiation";
        return -1;
    }
  }

  #know(): void {
    this.#knownFrom = Math.min(this.#knownFrom, this.#kept);
  }

  /**
   * Answers a request or an offer. WONT and DONT need no answer, and answering them could go on for
   * ever.
   */
  #refuse(option: number): void {
    if (this.#reply.length >= MAX_REPLY_BYTES) return;
    if (this.#asked === DO) this.#reply.push(IAC, WONT, option);
    else if (this.#asked === WILL) this.#reply.push(IAC, DONT, option);
  }
}
