/** What is sent under load, and how it is known when it comes back. */

/** Which message it is: of which connection, and which one of that connection. */
export interface Mark {
  readonly connection: number;
  readonly number: number;
}

/** One kind of traffic. */
export interface Traffic {
  /** Whether all connections get what one sends. */
  readonly isShared: boolean;
  /** The bytes of a message. */
  message(mark: Mark): Uint8Array;
  /**
   * Which message has come to a connection that has had `next` answers. Undefined if it is no answer
   * to anything.
   */
  markOf(message: Uint8Array, connection: number, next: number): Mark | undefined;
}

/** Digits of a number in an echo's message. */
const DIGITS = 8;
const RADIX = 36;
const PAD = 0x61;

/**
 * Messages of one size, which an echo server sends back. Each has its number, in characters that every
 * framing of text can carry, if it is large enough. If not, they are counted.
 */
export function echoTraffic(size: number): Traffic {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  return {
    isShared: false,
    message({ number }) {
      const message = new Uint8Array(size).fill(PAD);
      if (size >= DIGITS) {
        encoder.encodeInto(number.toString(RADIX).padStart(DIGITS, "0"), message);
      }
      return message;
    },
    markOf(message, connection, next) {
      if (message.length !== size) return undefined;
      if (size < DIGITS) return { connection, number: next };
      const digits = decoder.decode(message.subarray(0, DIGITS));
      return /^[\da-z]+$/.test(digits)
        ? { connection, number: parseInt(digits, RADIX) }
        : undefined;
    },
  };
}

const WORDS =
  "the a of is it that we you not for was on are with as at be this have from or had by " +
  "hot but some what there can out other were all your when use word how said each she which their " +
  "time will way about many then them would like so these her long make thing see him two has look " +
  "more day could go come did my sound no most number who over know water than call first people";
const MAX_WORDS = 30;

/**
 * What people say in a chat: lines of a few words, mostly short ones. A mark at the end tells which
 * line it is, in whatever way the chat shows it.
 */
export function chatTraffic(): Traffic {
  const run = crypto.randomUUID().slice(0, 6);
  const words = WORDS.split(" ");
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  const pattern = new RegExp(`#(\\d+)\\.(\\d+)\\.${run}`);
  return {
    isShared: true,
    message({ connection, number }) {
      const length = 1 + Math.floor(Math.random() * Math.random() * MAX_WORDS);
      const said = Array.from({ length }, () => words[Math.floor(Math.random() * words.length)]);
      return encoder.encode(`${said.join(" ")} #${connection}.${number}.${run}`);
    },
    markOf(message) {
      const found = pattern.exec(decoder.decode(message));
      return found === null
        ? undefined
        : { connection: Number(found[1]), number: Number(found[2]) };
    },
  };
}
