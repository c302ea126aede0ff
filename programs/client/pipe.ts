/** The client in a pipe: lines in, messages out. */

import { decode, line } from "../../codec.ts";
import { type Connection, markText } from "../../connection.ts";
import { ConnectionClosedError, ConnectionLostError } from "../../errors.ts";
import { deadlineOf } from "../../internal/time.ts";
import { EXIT } from "../shared/options.ts";
import { OutputError } from "../shared/output.ts";
import { within } from "../shared/within.ts";
import { type ClientContext, closeAndExplain, Hearing, isInOrder } from "./context.ts";
import { lacksOnlyFarewell } from "./farewell.ts";
import { messagePrinter } from "./messages.ts";

/** This is not an error: everything was sent, and the peer had time to answer. */
const LINGERED = new Error("the peer did not close in time");

/**
 * After the peer has ended, the input may take this long to end, in milliseconds. Perhaps both are
 * done.
 */
const INPUT_GRACE = 100;

const QUIT = /^\/quit(?:\s|$)/i;
const decoder = new TextDecoder();

/**
 * Sends each line of standard input as a message and prints each message as a line. After the
 * input's end it prints what still comes until the peer closes or `--linger` is over. Only then it
 * half-closes, or at once with `--half-close`: most peers end the other direction with it. What the
 * peer says to that is printed too, for as long again.
 * A peer that ends before the input does has lost something, unless it was asked to by `/quit`.
 */
export async function pipe(context: ClientContext): Promise<number> {
  const { options, stopped, host: { stdin, stdout } } = context;
  const print = messagePrinter(context);
  const connection = await context.connect();
  const hearing = new Hearing(context, connection, {
    hear: print,
    said: () => input.first,
    flush: () => stdout.flush(),
  });
  const input: Input = new Input(connection, hearing);
  const sending = input.sendAll(stdin.readable, {
    linger: options.number("linger") ?? 1_000,
    halfClosesAtOnce: options.on("half-close"),
  });
  await hearing.over;
  const { refusal } = hearing;
  const isCut = lacksOnlyFarewell(context, connection, hearing);
  const error = isCut ? undefined : hearing.error;
  if (error === LINGERED) return EXIT.done;
  if (error instanceof OutputError) throw error;
  const state = error === undefined && refusal === undefined && !stopped.aborted
    ? await input.whatIsMissing(sending)
    : undefined;
  if (state !== undefined) connection.abort();
  const info = await connection.close();
  if (stopped.aborted && info.undeliveredBytes === 0) return EXIT.done;
  if (
    state === undefined && refusal === undefined && error === undefined &&
    (isInOrder(info) || isCut && info.undeliveredBytes === 0)
  ) {
    return EXIT.done;
  }
  throw await closeAndExplain(context, connection, {
    refusal,
    error,
    state: state ?? `before ${info.undeliveredBytes} bytes were sent`,
  });
}

/** What happens after the input's end. */
interface Ending {
  readonly linger: number;
  readonly halfClosesAtOnce: boolean;
}

/** Sends standard input to the peer. */
class Input {
  /** The first line. */
  first: Uint8Array | undefined;
  #last: Uint8Array | undefined;
  #lines = 0;
  /** How many messages were sent before the first line. A token is one. */
  #sentBefore = 0;
  /** `read` to its end, and `sent` when the peer has had the time to refuse it. */
  #state: "reading" | "read" | "sent" = "reading";
  readonly #connection: Connection;
  readonly #hearing: Hearing;

  constructor(connection: Connection, hearing: Hearing) {
    this.#connection = connection;
    this.#hearing = hearing;
  }

  /** Sends all lines and half-closes; aborts for what is not the connection's own failure. */
  async sendAll(readable: ReadableStream<Uint8Array>, ending: Ending): Promise<void> {
    try {
      await this.#sendAll(readable, ending);
    } catch (error) {
      // The peer's last message may say why, and `closed` does.
      if (error instanceof ConnectionClosedError || error instanceof ConnectionLostError) return;
      this.#connection.abort(error);
    }
  }

  async #sendAll(
    readable: ReadableStream<Uint8Array>,
    { linger, halfClosesAtOnce }: Ending,
  ): Promise<void> {
    const connection = this.#connection;
    await connection.flush();
    this.#sentBefore = connection.stats.messagesSent;
    for await (const message of decode(readable, line({ telnet: false }))) {
      this.first ??= message;
      this.#last = message;
      this.#lines++;
      await connection.send(markText(message)); // Of other bytes, the framing knows.
    }
    this.#state = "read";
    await connection.flush();
    await this.#hearing.settled();
    if (this.#hearing.ended) return;
    this.#state = "sent";
    if (!halfClosesAtOnce) await this.#hearing.endsWithin(linger);
    if (this.#hearing.ended) return;
    await connection.closeWrite();
    const deadline = deadlineOf(linger, () => connection.abort(LINGERED));
    this.#hearing.over.then(() => deadline.clear());
  }

  /** Call it when the peer has ended. Returns what the peer did not wait for, if anything. */
  async whatIsMissing(sending: Promise<void>): Promise<string | undefined> {
    const { messagesSent, bufferedBytes } = this.#connection.stats;
    if (this.#state === "sent" && bufferedBytes === 0) return undefined;
    const lines = this.#lines;
    await within(INPUT_GRACE, sending);
    const unsent = this.#lines - (messagesSent - this.#sentBefore);
    const isWhole = this.#state !== "reading" && this.#lines === lines && bufferedBytes === 0;
    if (this.#hearing.count > 0 && (isWhole || this.#hasQuit())) return undefined;
    const how = this.#state === "reading" ? "before the input ended" : "before this end did";
    return unsent > 0 ? `${how}: ${unsent} lines were not sent` : how;
  }

  #hasQuit(): boolean {
    return this.#last !== undefined && QUIT.test(decoder.decode(this.#last));
  }
}
