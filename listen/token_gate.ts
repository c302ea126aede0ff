/** The token that a server asks every peer for. */

import type { Connection } from "../connection.ts";
import { deadlineOf } from "../internal/time.ts";
import { SessionCode } from "../session.ts";
import { encodeRefused, FrameType } from "../session/internal.ts";
import type { TokenRefusal } from "./types.ts";

/**
 * A longer first message is not compared. A token has at most 1024 bytes, and a file may put a byte
 * order mark before it and a line end after it.
 */
const MAX_BYTES = 1032;
const decoder = new TextDecoder();

/** What a refused peer is told. */
type Words = Uint8Array | string;
/** The close code of a WebSocket: a policy was violated (RFC 6455, 7.4.1). */
const POLICY_VIOLATION = 1008;

/** Lets in the peers whose first message is the token. */
export class TokenGate {
  readonly #isRight: (given: string) => boolean;
  readonly #timeout: number;
  readonly #messageOf: (refusal: TokenRefusal) => Words | undefined;

  /**
   * `isRight` compares with the token. A peer has `timeout` milliseconds to send it. If it does not
   * send the right token, it is told what `messageOf` returns, or nothing if that is undefined.
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

  /**
   * Waits for the token. Resolves to true if it came. Otherwise the connection is closing or has
   * ended.
   */
  ask<T>(connection: Connection<T>): Promise<boolean> {
    return this.#ask(connection, (given) => {
      const state = given === undefined ? "none came in time" : "this one is wrong";
      const reason = `the first message must be the token, and ${state}`;
      const code = given === undefined ? "timeout" : "token";
      return { words: this.#messageOf({ code, reason }), reason };
    });
  }

  /**
   * The same as `ask()` for a carrier. Its peer understands only the frames of sessions, so it is
   * told by such a frame.
   */
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
    const deadline = deadlineOf(this.#timeout, turnAway);
    try {
      const message = await connection.receiveRaw();
      if (message === undefined) return false;
      if (message.length <= MAX_BYTES && this.#isRight(decoder.decode(message))) return true;
      turnAway(message);
    } catch {
      // The connection was lost, or the peer broke the protocol. `closed` tells which.
    } finally {
      deadline.clear();
    }
    return false;
  }
}
