/** Whether the server of a session is still there. */

import { delay } from "@std/async/delay";
import type { BackplaneChannels } from "../backplane.ts";
import { channelOf } from "./relay.ts";

/**
 * How often, and how many milliseconds apart, nobody must be seen where a server listens, before it counts
 * as gone. After the broker was away all servers are back within 0.3 s, and not all at once.
 */
const LOOKS = 4;
const LOOK_DELAY = 400;
/** For how long a server that has gone is not looked for again, in milliseconds. */
const GONE_TIME = 5_000;
/** How many are remembered, and looked for at a time. Who asks for more is told that nothing is known. */
const MAX_GONE = 1_000;
const MAX_SEARCHES = 64;

/** Looks for servers of a cluster. */
export class Whereabouts {
  readonly #channels: BackplaneChannels;
  readonly #searches = new Map<string, Promise<boolean>>();
  /** Until when each counts as gone, in the order in which they went. */
  readonly #gone = new Map<string, number>();
  readonly #stopping = new AbortController();

  /** Looks through these channels. */
  constructor(channels: BackplaneChannels) {
    this.#channels = channels;
  }

  /**
   * Resolves to whether a server has certainly gone: its process, or its way to the broker, while ours is
   * there. Those who ask for the same one share the search.
   */
  isGone(tag: string): Promise<boolean> {
    const now = performance.now();
    for (const [old, until] of this.#gone) {
      if (until > now && this.#gone.size < MAX_GONE) break;
      this.#gone.delete(old);
    }
    if (this.#gone.has(tag)) return Promise.resolve(true);
    const running = this.#searches.get(tag);
    if (running !== undefined) return running;
    if (this.#searches.size >= MAX_SEARCHES) return Promise.resolve(false);
    const search = this.#search(tag).catch(() => false).then((isGone) => {
      this.#searches.delete(tag);
      if (isGone) this.#gone.set(tag, performance.now() + GONE_TIME);
      return isGone;
    });
    this.#searches.set(tag, search);
    return search;
  }

  /** Ends all searches. They have found nothing out. */
  stop(): void {
    this.#stopping.abort();
  }

  async #search(tag: string): Promise<boolean> {
    const { signal } = this.#stopping;
    for (let look = 1;; look++) {
      signal.throwIfAborted();
      if (await this.#channels.isHeard?.(channelOf(tag)) !== false) return false;
      if (look === LOOKS) return true;
      await delay(LOOK_DELAY, { signal });
    }
  }
}
