/** Sessions of several servers that act as one: what an acceptor asks of its cluster. */

import type { Connection } from "../connection.ts";

/** How many bytes of a session's id name its server, where there are several. The others are random. */
export const TAG_BYTES = 5;

/** The cluster of a server, as far as sessions go. */
export interface Elsewhere {
  /** With what the ids of this server's sessions begin: ten digits in hex that no other server has. */
  readonly tag: string;
  /**
   * Carries a carrier to the server of its session, whose ids begin with `home`. `hello` is the frame that
   * the carrier has sent. Resolves when the carrier has closed.
   *
   * @throws {SessionProtocolError} the refusal, if it cannot be carried there.
   */
  carry(carrier: Connection<Uint8Array>, home: string, hello: Uint8Array): Promise<void>;
  /** Carries no more, and closes the carriers that are carried. */
  stop(): void;
}
