/** The client in a pipe: messages in, messages out, as lines or in another form. */

import type { Connection } from "../../connection.ts";
import { ConnectionClosedError, ConnectionLostError } from "../../errors.ts";
import { type InForm, readBatches } from "../shared/forms.ts";
import { EXIT } from "../shared/options.ts";
import { OutputError } from "../shared/output.ts";
import { within } from "../shared/within.ts";
import { type ClientContext, closeAndExplain, Hearing, isInOrder } from "./context.ts";
import { lacksOnlyFarewell } from "./farewell.ts";
import { inFormOf, isStream, messagePrinter, outFormOf } from "./messages.ts";

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
 * Sends each line of standard input as a message and prints each message as a line, or in the forms of
 * `--in` and `--out`. With framing `none` there are no messages, and the bytes pass as they are. After
 * the input's end it prints what still comes until the peer closes or `--linger` is over. Only then it
 * half-closes, or at once with `--half-close`: most peers end the other direction with it. What the
 * peer says to that is printed too, for as long again.
 * A peer that ends before the input does has lost something, unless it was asked to by `/quit`.
 */
export async function pipe(context: ClientContext): Promise<number> {
  const { options, stopped, host: { stdin, stdout } } = context;
  const [inForm, outForm] = [inFormOf(context), outFormOf(context)];
  const connection = await context.connect();
  const usual = isStream(connection) ? "bytes" : "lines";
  const print = messagePrinter(context, outForm ?? (stdout.isTerminal ? "lines" : usual));
  const hearing = new Hearing(context, connection, {
    hear: print,
    said: () => input.first,
    flush: () => stdout.flush(),
  });
  // Where there are only bytes, nobody can see that some are missing: what still comes is waited for.
  const isLeft = () => stdout.queuedBytes > 0 || connection.stats.unreadBytes > 0;
  const patience = new Patience(hearing, isStream(connection) ? isLeft : undefined);
  const input: Input = new Input(connection, hearing, patience);
  const sending = input.sendAll(stdin.readable, {
    form: inForm ?? usual,
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

/** In which form the input is, and what happens after its end. */
interface Sending {
  readonly form: InForm;
  readonly linger: number;
  readonly halfClosesAtOnce: boolean;
}

/** How long the peer may take to end, when everything was sent. */
class Patience {
  readonly #hearing: Hearing;
  readonly #isLeft: (() => boolean) | undefined;

  /**
   * With `isLeft`, it begins anew as long as something has come, or is left to be printed. Without, it
   * ends when its time is over, whatever the peer says.
   */
  constructor(hearing: Hearing, isLeft: (() => boolean) | undefined) {
    this.#hearing = hearing;
    this.#isLeft = isLeft;
  }

  /** Waits until the peer has ended, or so many milliseconds are over. */
  async wait(linger: number): Promise<void> {
    for (let before = this.#hearing.bytes; !this.#hearing.ended;) {
      await this.#hearing.endsWithin(linger);
      const { bytes } = this.#hearing;
      if (this.#isLeft === undefined || bytes === before && !this.#isLeft()) return;
      before = bytes;
    }
  }
}

/** Sends standard input to the peer. */
class Input {
  /** The first message. */
  first: Uint8Array | undefined;
  #last: Uint8Array | undefined;
  #count = 0;
  /** How many messages were sent before the first message. A token is one. */
  #sentBefore = 0;
  /** `read` to its end, and `sent` when the peer has had the time to refuse it. */
  #state: "reading" | "read" | "sent" = "reading";
  #unit = "lines";
  readonly #connection: Connection;
  readonly #hearing: Hearing;

  readonly #patience: Patience;

  constructor(connection: Connection, hearing: Hearing, patience: Patience) {
    this.#connection = connection;
    this.#hearing = hearing;
    this.#patience = patience;
  }

  /** Sends all and half-closes; aborts for what is not the connection's own failure. */
  async sendAll(readable: ReadableStream<Uint8Array>, sending: Sending): Promise<void> {
    try {
      await this.#sendAll(readable, sending);
    } catch (error) {
      // The peer's last message may say why, and `closed` does.
      if (error instanceof ConnectionClosedError || error instanceof ConnectionLostError) return;
      this.#connection.abort(error);
    }
  }

  async #sendAll(
    readable: ReadableStream<Uint8Array>,
    { form, linger, halfClosesAtOnce }: Sending,
  ): Promise<void> {
    const connection = this.#connection;
    if (form !== "lines") this.#unit = form === "bytes" ? "pieces" : "messages";
    await connection.flush();
    this.#sentBefore = connection.stats.messagesSent;
    for await (const batch of readBatches(readable, form)) {
      this.first ??= batch[0];
      this.#last = batch.at(-1);
      for (const message of batch) {
        this.#count++;
        await connection.send(message);
      }
    }
    this.#state = "read";
    await connection.flush();
    await this.#hearing.settled();
    if (this.#hearing.ended) return;
    this.#state = "sent";
    if (!halfClosesAtOnce) await this.#patience.wait(linger);
    if (this.#hearing.ended) return;
    await connection.closeWrite();
    await this.#patience.wait(linger);
    if (!this.#hearing.ended) connection.abort(LINGERED);
  }

  /** Call it when the peer has ended. Returns what the peer did not wait for, if anything. */
  async whatIsMissing(sending: Promise<void>): Promise<string | undefined> {
    const { messagesSent, bufferedBytes } = this.#connection.stats;
    if (this.#state === "sent" && bufferedBytes === 0) return undefined;
    const count = this.#count;
    await within(INPUT_GRACE, sending);
    const unsent = this.#count - (messagesSent - this.#sentBefore);
    const isWhole = this.#state !== "reading" && this.#count === count && bufferedBytes === 0;
    if (this.#hearing.count > 0 && (isWhole || this.#hasQuit())) return undefined;
    const how = this.#state === "reading" ? "before the input ended" : "before this end did";
    return unsent > 0 ? `${how}: ${unsent} ${this.#unit} were not sent` : how;
  }

  #hasQuit(): boolean {
    return this.#last !== undefined && QUIT.test(decoder.decode(this.#last));
  }
}
