/** What all commands of the client use. */

import type { ConnectOptions } from "../../connect/connect.ts";
import type { CloseInfo, Connection } from "../../connection.ts";
import { ConnectionClosedError, ConnectionLostError, ProtocolError } from "../../errors.ts";
import type { ProgramContext } from "../shared/program.ts";
import { messageOf } from "../shared/report.ts";
import { within } from "../shared/within.ts";
import { explained, refusalAtEnd, refusalIn, type Refused } from "./refusal.ts";

/** What every command of the client gets. */
export interface ToolContext extends ProgramContext {
  /** The command's own operands. */
  readonly operands: readonly string[];
  /** Aborted when the user wants the program to end. */
  readonly stopped: AbortSignal;
}

/** What a conversation with one peer gets. */
export interface ClientContext extends ToolContext {
  /** How long the last `connect()` took, in milliseconds: at least a round trip. */
  readonly connectTime: number;
  /** The endpoint: of several, the one of the last connection, or else the first. */
  readonly endpoint: string;
  /** All of them. */
  readonly endpoints: readonly string[];
  /** Whether the user has named any. */
  readonly namesEndpoint: boolean;
  /** How to connect to the first one. */
  readonly connectOptions: ConnectOptions;
  /** Connects to one of them. It may be called again. A signal closes the last connection in order. */
  connect(): Promise<Connection>;
}

/** The possible reasons if a server refuses a client and says nothing. */
const TURNED_AWAY = "it may be full, deny this address, or want a token";
/** A connection that lasted longer than this, in milliseconds, was not turned away. */
const SOON = 5_000;
/** One that ended before this, in milliseconds, ended at once. */
const AT_ONCE = 1_000;
/** How long to wait for a server's first word or its end before half-closing, in milliseconds. */
const MIN_SETTLING = 100;
const MAX_SETTLING = 1_000;
const SETTLING_STEPS = 10;

const decoder = new TextDecoder();

/** What a {@linkcode Hearing} does with messages. */
export interface HearingOptions {
  /** Called with each message. */
  hear(message: Uint8Array): void;
  /** Waits until what was heard is out, after each batch. */
  flush?(): Promise<void>;
  /**
   * The first message of this end. If it comes back as an echo, it is not a refusal, even if it
   * looks like one.
   */
  said?(): string | Uint8Array | undefined;
}

/** Receives all messages of a peer until its end, so the end is noticed when it comes. */
export class Hearing {
  /** How many messages came. */
  count = 0;
  /** Their bytes. */
  bytes = 0;
  /** How the server does not let this client in. */
  refusal: Refused | undefined;
  /** The error that ended the hearing. */
  error: unknown;
  /** Resolves when nothing more comes. It never rejects. */
  readonly over: Promise<void>;
  #state: "open" | "ended" = "open";
  readonly #context: ClientContext;
  readonly #connection: Connection;
  readonly #options: HearingOptions;
  readonly #begun = Promise.withResolvers<void>();

  /** Begins to receive. */
  constructor(context: ClientContext, connection: Connection, options: HearingOptions) {
    this.#context = context;
    this.#connection = connection;
    this.#options = options;
    this.over = this.#run();
  }

  get #hasBegun(): boolean {
    return this.count > 0 || this.ended;
  }

  /** Whether nothing more comes. */
  get ended(): boolean {
    return this.#state === "ended";
  }

  /**
   * Waits for the first message or the end. It gives up after a time in which an end must have been
   * noticed that the server brought about before it got what was sent. After this end has
   * half-closed, such an end would look like an answer to that.
   */
  async settled(): Promise<void> {
    const { connectTime } = this.#context;
    const wait = Math.min(Math.max(MIN_SETTLING, 2 * connectTime), MAX_SETTLING);
    // The wait has several steps. If this process was held up, a single timer would be over before
    // anything was read.
    for (let step = 0; step < SETTLING_STEPS && !this.#hasBegun; step++) {
      await within(wait / SETTLING_STEPS, this.#begun.promise);
    }
  }

  /** Waits until nothing more comes, and no longer than so many milliseconds. */
  async endsWithin(wait: number): Promise<void> {
    await within(wait, this.over);
  }

  async #run(): Promise<void> {
    try {
      for await (const batch of this.#connection.batches()) {
        for (const message of batch) {
          this.#hear(message);
          if (this.refusal !== undefined) return;
        }
        await this.#options.flush?.();
      }
    } catch (error) {
      this.error = error;
    } finally {
      this.#state = "ended";
      this.#begun.resolve();
    }
  }

  #hear(message: Uint8Array): void {
    if (this.count === 0 && !this.#isEcho(message)) {
      this.refusal = refusalIn(message);
      if (this.refusal !== undefined) return;
    }
    this.count++;
    this.bytes += message.length;
    this.#options.hear(message);
    this.#begun.resolve();
  }

  #isEcho(message: Uint8Array): boolean {
    const said = this.#options.said?.();
    if (said === undefined) return false;
    return decoder.decode(message) === (typeof said === "string" ? said : decoder.decode(said));
  }
}

/** What is known about a conversation that failed. */
export interface FailedConversation {
  /** How the server does not let this client in. */
  readonly refusal?: Refused;
  /** What was thrown. */
  readonly error?: unknown;
  /** How far the conversation came, such as `after 1 of 4 answers`. */
  readonly state: string;
  /** Whether this end had half-closed, which makes many peers end. */
  readonly halfClosed?: boolean;
}

/**
 * Closes the connection and returns an error that says why the conversation failed. If the peer
 * gave a reason, the error has the peer's words.
 */
export async function closeAndExplain(
  context: ClientContext,
  connection: Connection,
  { refusal: heard, error: thrown, state, halfClosed = false }: FailedConversation,
): Promise<unknown> {
  const info = await connection.close();
  const { stopped } = context;
  if (stopped.aborted) return new ConnectionLostError(`${messageOf(stopped.reason)} ${state}`);
  const { messagesReceived, openedAt } = connection.stats;
  const refusal = heard ?? (messagesReceived === 0 ? refusalAtEnd(info) : undefined);
  if (refusal !== undefined) return new ConnectionLostError(explained(refusal, context));
  const error = info.error instanceof ProtocolError
    ? info.error
    // The connection is known to be closed. What matters is the reason.
    : [thrown, info.error].find((error) => error && !(error instanceof ConnectionClosedError));
  const lasted = Date.now() - openedAt;
  const isSoon = messagesReceived === 0 && lasted < SOON && !halfClosed;
  if (error instanceof ConnectionLostError && isSoon && isReset(error.cause)) {
    return new ConnectionLostError(`${error.message}; ${TURNED_AWAY}`, { cause: error });
  }
  const { stranger, remote } = connection;
  if (stranger !== undefined && messagesReceived === 0) {
    const why = error === undefined ? `nothing came ${state}` : messageOf(error);
    return new ConnectionLostError(
      `${why}; an answer came from ${stranger}, but ${remote} was asked: connect to the former ` +
        "if it is the same machine",
    );
  }
  if (error !== undefined) return error;
  if (isComplaint(info)) {
    const words = info.reason ? `, ${info.reason}` : "";
    return new ConnectionLostError(`the peer closed ${state}, with code ${info.code}${words}`);
  }
  const isOurEnd = messagesReceived === 0 && halfClosed;
  const when = lasted < AT_ONCE ? "at once" : `after ${(lasted / 1000).toFixed(1)} s`;
  return new ConnectionLostError(
    isSoon
      ? `the server closed the connection ${when}, ${state}; ${TURNED_AWAY}`
      : `the peer closed ${state}${isOurEnd ? ", when this end had half-closed" : ""}`,
  );
}

/** Whether the connection ended in order, as far as this end can know. */
export function isInOrder(info: CloseInfo): boolean {
  return info.clean && info.undeliveredBytes === 0 && !isComplaint(info);
}

/** Whether the close code says that something was wrong (RFC 6455, 7.4.1). */
function isComplaint({ code }: CloseInfo): boolean {
  return code !== undefined && code > 1001 && code < 1016 && code !== 1005;
}

function isReset(cause: unknown): boolean {
  const { ConnectionReset, ConnectionAborted, BrokenPipe, NotConnected } = Deno.errors;
  return [ConnectionReset, ConnectionAborted, BrokenPipe, NotConnected].some((kind) =>
    cause instanceof kind
  );
}
