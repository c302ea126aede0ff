/**
 * Notifications on a backplane. A message there is one byte, 1, or 2 for a volatile notification, and
 * behind it the NOTIFY that each peer gets, as docs/requests.md describes it. The rooms have names of
 * their own there: so a hub of connections does not pass on what is meant for peers.
 */

import type { Backplane, BackplaneLink, BackplanePort } from "../backplane.ts";

/** Before the name of a room. */
const PREFIX = "\u0000peers:";
const LASTING = 1;
const VOLATILE = 2;

/** Takes what other hubs have published. */
export type Take = (room: string, message: Uint8Array, isVolatile: boolean) => void;

/** Stands between a hub and its backplane: who has published a notification takes care of delivery. */
export class NoticePlane implements Backplane {
  readonly #backplane: Backplane;
  readonly #take: Take;
  readonly #foreign: () => void;
  #link: BackplaneLink | undefined;

  /** `foreign` is called for a message that is none of these. */
  constructor(backplane: Backplane, take: Take, foreign: () => void) {
    this.#backplane = backplane;
    this.#take = take;
    this.#foreign = foreign;
  }

  /** Connects the one hub. */
  attach(port: BackplanePort): BackplaneLink {
    const link = this.#link = this.#backplane.attach({
      deliver: (name, bytes) => this.#deliver(name, bytes),
      failed: (error) => port.failed(error),
    });
    return {
      subscribe: (room) => link.subscribe(PREFIX + room),
      unsubscribe: (room) => link.unsubscribe(PREFIX + room),
      publish: () => {}, // See publish() below.
      ...(link.channels === undefined ? {} : { channels: link.channels }),
      close: () => link.close(),
    };
  }

  /** Publishes a notification, which does not change any more. */
  publish(room: string, message: Uint8Array, isVolatile: boolean): void {
    this.#link?.publish(PREFIX + room, () => {
      const bytes = new Uint8Array(1 + message.length);
      bytes[0] = isVolatile ? VOLATILE : LASTING;
      bytes.set(message, 1);
      return bytes;
    });
  }

  #deliver(name: string, bytes: Uint8Array): void {
    const isKnown = name.startsWith(PREFIX) && (bytes[0] === LASTING || bytes[0] === VOLATILE);
    if (!isKnown) return this.#foreign();
    this.#take(name.slice(PREFIX.length), bytes.subarray(1), bytes[0] === VOLATILE);
  }
}
