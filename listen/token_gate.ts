/** The token that a server asks of whoever wants to join. */

import type { Connection } from "../connection.ts";
import { SessionCode } from "../session.ts";
import { encodeRefused, FrameType } from "../session/internal.ts";

/** More than any token is not even looked at. */
const MAX_BYTES = 1026;
const decoder = new TextDecoder();
/** How the refusal begins, for clients that show a form for the token. */
const REFUSAL = "* Cannot join: ";

/** Lets in those whose first message is the token. */
export class TokenGate {
  readonly #isRight: (given: string) => boolean;
  readonly #timeout: number;

  /** Knows the token by `isRight`, and gives peers `timeout` milliseconds to say it. */
  constructor(isRight: (given: string) => boolean, timeout: number) {
    this.#isRight = isRight;
    this.#timeout = timeout;
  }

  /** Waits for the token. Resolves to whether it came; else the connection is being closed. */
  ask<T>(connection: Connection<T>): Promise<boolean> {
    return this.#ask(connection, (given) => {
      const state = given === undefined ? "none came in time" : "this one is wrong";
      const reason = `the first message must be the token, and ${state}`;
      return { words: REFUSAL + reason, reason };
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
    refusal: (given?: Uint8Array) => { words: Uint8Array | string; reason: string },
  ): Promise<boolean> {
    const turnAway = (given?: Uint8Array) => {
      const { words, reason } = refusal(given);
      connection.sendRaw(words);
      connection.close({ code: 1008, reason });
    };
    const timer = setTimeout(turnAway, this.#timeout);
    try {
      const message = await connection.receiveRaw();
      if (message === undefined) return false;
      if (message.length <= MAX_BYTES && this.#isRight(textOf(message))) return true;
      turnAway(message);
    } catch {
      // The connection was lost or broke the protocol: `closed` tells.
    } finally {
      clearTimeout(timer);
    }
    return false;
  }
}

/** Where nothing frames the message, what a person types ends in a newline. */
function textOf(message: Uint8Array): string {
  return decoder.decode(message).replace(/\r?\n$/, "");
}
