/** The token that a server asks of whoever wants to join. */

import type { Connection } from "../connection.ts";

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
  async ask<T>(connection: Connection<T>): Promise<boolean> {
    const timer = setTimeout(
      () => turnAway(connection, "the first message must be the token, and none came in time"),
      this.#timeout,
    );
    try {
      const message = await connection.receiveRaw();
      if (message === undefined) return false;
      if (message.length <= MAX_BYTES && this.#isRight(textOf(message))) return true;
      turnAway(connection, "the first message must be the token, and this one is wrong");
    } catch {
      // The connection was lost or broke the protocol: `closed` tells.
    } finally {
      clearTimeout(timer);
    }
    return false;
  }
}

function turnAway<T>(connection: Connection<T>, why: string): void {
  connection.sendRaw(REFUSAL + why);
  connection.close({ code: 1008, reason: why });
}

/** Where nothing frames the message, what a person types ends in a newline. */
function textOf(message: Uint8Array): string {
  return decoder.decode(message).replace(/\r?\n$/, "");
}
