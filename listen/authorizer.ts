/** Asks the program who a peer is, and whether it may come in. */

import { RefusedError } from "../errors.ts";
import { hostnameOf } from "../internal/address.ts";
import { deadlineOf } from "../internal/time.ts";
import type { PeerIdentity } from "../transport.ts";
import type { WebRequest } from "../transport/internal.ts";
import { cookiesOf } from "./cookies.ts";

/** What a peer shows when it comes in. Each road has only some of it. */
export interface Handshake {
  /** The endpoint where it came in. */
  readonly endpoint: string;
  /** The address of the peer with its port, or of the client behind a named proxy. */
  readonly remote: string;
  /** The address alone. Empty for a peer on this machine without one. */
  readonly hostname: string;
  /** The URL of the request, with its query. Only over WebSocket. */
  readonly url: URL | undefined;
  /** The fields of the request. Empty over other roads than WebSocket. */
  readonly headers: Headers;
  /** The cookies of the request, as they are: not decoded. */
  readonly cookies: ReadonlyMap<string, string>;
  /** The subprotocols that the peer offers, in its order. */
  readonly subprotocols: readonly string[];
  /** The identity that the peer has proved by a certificate. */
  readonly peer: PeerIdentity | undefined;
  /** The token that the peer gave, with `token: true`. */
  readonly token: string | undefined;
  /** Aborted when the answer comes too late for this peer. Pass it to what you ask. */
  readonly signal: AbortSignal;
}

/**
 * Tells who a peer is, or refuses it. Gives what becomes `connection.user`, or gives or throws a
 * {@linkcode RefusedError}.
 */
export type Authorize<U> = (
  handshake: Handshake,
) => U | RefusedError | Promise<U | RefusedError>;

/** What is known of a peer before it is asked who it is. */
export interface Shown {
  readonly endpoint: string;
  readonly remote: string;
  readonly peer: PeerIdentity | undefined;
  readonly token?: string;
  readonly request?: WebRequest;
}

/** The answer: whoever it is, or why it is refused. */
export type Verdict = { readonly user: unknown } | RefusedError;

/** How to ask. */
export interface AuthorizerOptions {
  /** Time for an answer, in milliseconds. */
  readonly timeout: number;
  /** Aborted when the server closes: nobody waits for an answer then. */
  readonly stopping: AbortSignal;
  /** Called with what the program throws, but for refusals. */
  readonly onError: (error: unknown) => void;
}

/** Asks one peer after the other, without letting any of them wait for another. */
export class Authorizer {
  readonly #authorize: Authorize<unknown>;
  readonly #options: AuthorizerOptions;

  /** Takes the program's function. */
  constructor(authorize: Authorize<unknown>, options: AuthorizerOptions) {
    this.#authorize = authorize;
    this.#options = options;
  }

  /** Resolves to the answer, in time. Never rejects. */
  async ask(shown: Shown): Promise<Verdict> {
    const { timeout, stopping } = this.#options;
    const aborter = new AbortController();
    const { promise, resolve } = Promise.withResolvers<Verdict>();
    const giveUp = (reason: string, code: string) => {
      const error = new RefusedError(reason, { code, status: 503 });
      aborter.abort(error);
      resolve(error);
    };
    const stop = () => giveUp("the server is closing", "closing");
    const deadline = deadlineOf(
      timeout,
      () => giveUp(`who this is was not known within ${timeout} ms`, "timeout"),
    );
    stopping.addEventListener("abort", stop, { once: true });
    if (stopping.aborted) stop();
    else this.#answerTo(handshakeOf(shown, aborter.signal)).then(resolve);
    try {
      return await promise;
    } finally {
      deadline.clear();
      stopping.removeEventListener("abort", stop);
    }
  }

  /** An error of the program is told once; what comes too late is told by the refusal already. */
  async #answerTo(handshake: Handshake): Promise<Verdict> {
    try {
      const answer = await this.#authorize(handshake);
      return answer instanceof RefusedError ? answer : { user: answer };
    } catch (error) {
      if (error instanceof RefusedError) return error;
      if (!handshake.signal.aborted) this.#options.onError(error);
      return new RefusedError("the server failed to tell who this is", {
        code: "internal",
        status: 500,
        cause: error,
      });
    }
  }
}

function handshakeOf({ request, ...shown }: Shown, signal: AbortSignal): Handshake {
  const { url, headers = new Headers(), subprotocols = [] } = request ?? {};
  return {
    endpoint: shown.endpoint,
    remote: shown.remote,
    hostname: hostnameOf(shown.remote) ?? "",
    url,
    headers,
    cookies: cookiesOf(headers),
    subprotocols,
    peer: shown.peer,
    token: shown.token,
    signal,
  };
}
