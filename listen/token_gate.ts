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
export type Words = Uint8Array | string;
/** The close code of a WebSocket: a policy was violated (RFC 6455, 7.4.1). */
export const POLICY_VIOLATION = 1008;

/** Takes the first message of peers for the token. */
export class TokenGate {
  /** Whether any first message is a token, which somebody else judges. */
  readonly takesAny: boolean;
  readonly #isRight: (given: string) => boolean;
  readonly #timeout: number;
  readonly #messageOf: (refusal: TokenRefusal) => Words | undefined;

  /**
   * `isRight` compares with the token; without it, any first message is one. A peer has `timeout` milliseconds to send it. If it does not
   * send the right token, it is told what `messageOf` returns, or nothing if that is undefined.
   */
  constructor(
    isRight: ((given: string) => boolean) | undefined,
    timeout: number,
    messageOf: (refusal: TokenRefusal) => Words | undefined,
  ) {
    this.takesAny = isRight === undefined;
    this.#isRight = isRight ?? (() => true);
    this.#timeout = timeout;
    this.#messageOf = messageOf;
  }

  /**
   * Waits for the token. Resolves to it if it came and is right. Otherwise the connection is closing or
   * has ended. The peer of a carrier understands only the frames of sessions, so it is told by one.
   */
  ask<T>(connection: Connection<T>, isCarrier = false): Promise<string | undefined> {
    return this.#ask(connection, isCarrier ? this.#refusalOfCarrier : this.#refusal);
  }

  readonly #refusal = (given?: Uint8Array) => {
    const state = given === undefined ? "none came in time" : "this one is wrong";
    const reason = `the first message must be the token, and ${state}`;
    const code = given === undefined ? "timeout" : "token";
    return { words: this.#messageOf({ code, reason }), reason };
  };

  readonly #refusalOfCarrier = (given?: Uint8Array) => {
    const { TIMEOUT, TOKEN } = SessionCode;
    const [code, reason] = given === undefined
      ? [TIMEOUT, `no token came within ${this.#timeout} ms`]
      : [TOKEN, given[0] === FrameType.HELLO ? "it wants a token" : "the token is wrong"];
    return { words: encodeRefused(code, reason), reason };
  };

  async #ask<T>(
    connection: Connection<T>,
    refusal: (given?: Uint8Array) => { words: Words | undefined; reason: string },
  ): Promise<string | undefined> {
    const turnAway = (given?: Uint8Array) => {
      const { words, reason } = refusal(given);
      if (words !== undefined) connection.sendRaw(words);
      connection.close({ code: POLICY_VIOLATION, reason });
    };
    const deadline = deadlineOf(this.#timeout, turnAway);
    try {
      const message = await connection.receiveRaw();
      if (message === undefined) return undefined;
      const given = message.length <= MAX_BYTES ? decoder.decode(message) : undefined;
      if (given !== undefined && this.#isRight(given)) return given;
      turnAway(message);
    } catch {
      // The connection was lost, or the peer broke the protocol. `closed` tells which.
    } finally {
      deadline.clear();
    }
    return undefined;
  }
}
