/**
 * The client's side: opens a session, and makes a new carrier whenever the session has lost one.
 */

import { errors } from "../internal/runtime/errors.ts";
import type { Connection } from "../connection.ts";
import { ConnectError, ConnectionLostError, SessionRefusedError } from "../errors.ts";
import { isMisuse, reasonOf } from "../internal/reason.ts";
import { Attempts, pause, type RetryPolicy } from "../internal/retry.ts";
import { Machine } from "./machine.ts";
import type { ResolvedSessionOptions } from "./options.ts";
import { SessionTransport } from "./transport.ts";

/**
 * Makes a new carrier. Nothing was received or sent over it yet, except what proves who the client
 * is.
 */
export type Dial = (signal: AbortSignal) => Promise<Connection<Uint8Array>>;

/**
 * Opens a new session. From then on, it reconnects by itself.
 *
 * @throws {ConnectError} when it cannot be opened.
 * @throws what `dial` threw, or `signal` was aborted with.
 */
export async function openTransport(
  dial: Dial,
  options: ResolvedSessionOptions,
  name: string,
  signal: AbortSignal | undefined,
): Promise<SessionTransport> {
  signal?.throwIfAborted();
  const transport = new SessionTransport(new Machine("client", options));
  const keeper = new Keeper(transport, dial, options.retry);
  const giveUp = () => transport.lose("it was given up");
  signal?.addEventListener("abort", giveUp, { once: true });
  try {
    await keeper.greet();
    return transport;
  } catch (error) {
    transport.lose("it was never opened", error);
    await transport.finished;
    signal?.throwIfAborted();
    if (error instanceof ConnectError || !(error instanceof Error)) throw error;
    if (isMisuse(error)) throw error;
    throw new ConnectError(`Cannot open session to ${name}: ${reasonOf(error)}`, { cause: error });
  } finally {
    signal?.removeEventListener("abort", giveUp);
  }
}

/** Keeps a session connected as long as it lives. */
class Keeper {
  readonly #transport: SessionTransport;
  readonly #dial: Dial;
  readonly #attempts: Attempts;
  readonly #stopping = new AbortController();
  #progress = 0;
  /** Where the session was opened. Another server has it only if it is carried there. */
  #home: string | undefined;

  constructor(transport: SessionTransport, dial: Dial, retry: RetryPolicy) {
    this.#transport = transport;
    this.#dial = dial;
    this.#attempts = new Attempts(retry);
    transport.onDetach = (error) => void this.#keep(error);
    transport.onOver = () => this.#stopping.abort();
  }

  /** Makes one carrier and greets over it. */
  async greet(): Promise<void> {
    const carrier = await this.#dial(this.#stopping.signal);
    if (this.#transport.isOver) {
      carrier.abort();
      await carrier.closed;
      throw new ConnectionLostError(`Cannot go on with ${carrier.remote}: the session is over`);
    }
    try {
      const isElsewhere = this.#home !== undefined && carrier.endpoint !== this.#home;
      await this.#transport.attach(carrier, undefined, isElsewhere);
    } catch (error) {
      carrier.abort(error);
      throw error;
    }
    this.#home ??= carrier.endpoint;
    this.#attempts.made();
    this.#progress = this.#transport.progress;
  }

  /** Reconnects. No caller waits for it, so its errors go to the session. */
  async #keep(failure: unknown): Promise<void> {
    try {
      await this.#reconnect(failure);
    } catch (error) {
      this.#transport.lose(`its retry policy failed: ${reasonOf(error)}`, error);
    }
  }

  /** Tries until there is a carrier, or the session is over. */
  async #reconnect(failure: unknown): Promise<void> {
    const transport = this.#transport;
    if (transport.progress > this.#progress) this.#attempts.startAnew();
    for (let error = failure; !transport.isOver;) {
      const wait = this.#attempts.failed(error);
      const attempt = this.#attempts.failures;
      if (wait === undefined) return transport.lose(`gave up after ${attempt} failures`, error);
      transport.board.show({ state: "reconnecting", attempt, error });
      await pause(wait, this.#stopping.signal);
      if (transport.isOver) return;
      try {
        return await this.greet();
      } catch (next) {
        if (transport.isOver) return;
        if (!isRetriable(next)) return transport.lose(reasonOf(next), next);
        error = next;
      }
    }
  }
}

/** Whether trying again may help. */
function isRetriable(error: unknown): boolean {
  if (error instanceof SessionRefusedError) return error.isRetriable;
  return !isMisuse(error) &&
    !(error instanceof ConnectError && error.cause instanceof errors.NotCapable);
}
