/** The token that a server asks of whoever wants to join. */

import type { Connection } from "../connection.ts";
import { SessionCode } from "../session.ts";
import { encodeRefused, FrameType } from "../session/internal.ts";
import type { TokenRefusal } from "./types.ts";

/** More than any token with what a file puts around it is not even looked at. */
const MAX_BYTES = 1032;
const decoder = new TextDecoder();

/** What a peer is told. */
type Words = Uint8Array | string;
/** The close code of a WebSocket: a policy was violated (RFC 6455, 7.4.1). */
const POLICY_VIOLATION = 1008;

/** Lets in those whose first message is the token. */
export class TokenGate {
  readonly #isRight: (given: string) => boolean;
  readonly #timeout: number;
  readonly #messageOf: (refusal: TokenRefusal) => Words | undefined;

  /**
   * Knows the token by `isRight`, and gives peers `timeout` milliseconds to say it. What is said to those
   * that do not is `messageOf`, if that is anything.
   */
  constructor(
    isRight: (given: string) => boolean,
    timeout: number,
    messageOf: (refusal: TokenRefusal) => Words | undefined,
  ) {
    this.#isRight = isRight;
    this.#timeout = timeout;
    this.#messageOf = messageOf;
  }

  /** Waits for the token. Resolves to whether it came; else the connection is being closed. */
  ask<T>(connection: Connection<T>): Promise<boolean> {
    return this.#ask(connection, (given) => {
      const state = given === undefined ? "none came in time" : "this one is wrong";
      const reason = `the first message must be the token, and ${state}`;
      const code = given === undefined ? "timeout" : "token";
      return { words: this.#messageOf({ code, reason }), reason };
    });
  }

  /** As `ask()`, of a carrier, whose other end knows the frames of sessions and no other words. */
  askCarrier(carrier: Connection<Uint8Array>): Promise<boolean> {
    return this.#ask(carrier, (given) => {
      const { TIMEOUT, TOKEN } = SessionCode;
      const [code, reason] = given === undefined
        ? [TIMEOUT, `no token came within ${this.#timeout} ms`]
        : [TOKEN, given[0] === FrameType.HELLO ? "it wants a token" : "the token is wrong"];
      return { words: encodeRefused(code, reason), reason };
    });
  }

  async #ask<T>(
    connection: Connection<T>,
    refusal: (given?: Uint8Array) => { words: Words | undefined; reason: string },
  ): Promise<boolean> {
    const turnAway = (given?: Uint8Array) => {
      const { words, reason } = refusal(given);
      if (words !== undefined) connection.sendRaw(words);
      connection.close({ code: POLICY_VIOLATION, reason });
    };
    const timer = setTimeout(turnAway, this.#timeout);
    try {
      const message = await connection.receiveRaw();
      if (message === undefined) return false;
      if (message.length <= MAX_BYTES && this.#isRight(decoder.decode(message))) return true;
      turnAway(message);
    } catch {
      // The connection was lost or broke the protocol: `closed` tells.
    } finally {
      clearTimeout(timer);
    }
    return false;
  }
}
