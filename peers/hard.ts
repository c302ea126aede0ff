/** The peers of a hub that cannot get every notification as it is. */

import type { Connection } from "../connection.ts";
import type { Peer } from "../request/internal.ts";

/**
 * Peers that have not sent their HELLO yet, and peers that take smaller messages than the hub may send.
 * Most notifications are small, and most peers take all: then nobody is looked at one by one.
 */
export class HardPeers {
  readonly #peers = new Map<Connection, Peer>();
  readonly #maxBytes: number;

  /** `maxBytes` is how large a notification may be. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether there are none. */
  get isEmpty(): boolean {
    return this.#peers.size === 0;
  }

  /** A peer has joined. */
  add(connection: Connection, peer: Peer): void {
    if (this.#peers.has(connection) || peer.maxMessageBytes >= this.#maxBytes) return;
    this.#peers.set(connection, peer);
    peer.greeted.then(() => {
      if (peer.maxMessageBytes >= this.#maxBytes) this.#peers.delete(connection);
    });
    peer.closed.then(() => this.#peers.delete(connection));
  }

  /** Those of the members that do not take a notification of this size now. */
  *among(members: ReadonlySet<Connection>, bytes: number): Iterable<[Connection, Peer]> {
    const few = this.#peers.size < members.size ? this.#peers.keys() : members;
    for (const connection of few) {
      const peer = this.#peers.get(connection);
      if (peer === undefined || peer.takes(bytes) || !members.has(connection)) continue;
      yield [connection, peer];
    }
  }

  /** There are no members any more. */
  clear(): void {
    this.#peers.clear();
  }
}
