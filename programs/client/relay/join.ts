/** Joins two connections: what one peer sends goes to the other, whole, in order, both ways. */

import type { Connection } from "../../../connection.ts";
import { within } from "../../shared/within.ts";
import { delayed } from "./delayed.ts";

/** `>` from the first to the second, `<` back. */
export type Direction = ">" | "<";

/** Who sees each message before it is sent on. */
export interface Eyes {
  /** Called with each message, in order. */
  see(message: Uint8Array, direction: Direction): void;
  /** Called when a peer has ended in order, before the other one is told. */
  ended(direction: Direction): void;
  /** Waits until what was seen is out. It is called after some messages, before they are sent on. */
  flush(): void | Promise<void>;
}

/** How to join. */
export interface JoinOptions {
  /** Who looks on. */
  readonly eyes?: Eyes;
  /**
   * How long a peer that cannot be told of one end alone may be silent when the other one has ended,
   * in milliseconds: over WebSocket and UDP.
   */
  readonly linger: number;
  /** How much later messages pass, in milliseconds; at once by default. */
  readonly delay?: number;
}

/**
 * Passes messages on, both ways, until both peers have ended. A peer waits while the other one is
 * slow. When one peer half-closes, the other one is told, and goes on sending. When the connection to
 * one peer breaks, the other one is broken off, too.
 *
 * @throws what broke one of the connections.
 */
export async function join(
  first: Connection,
  second: Connection,
  options: JoinOptions,
): Promise<void> {
  const there = new Way(first, second, ">", options);
  const back = new Way(second, first, "<", options);
  const ways = [there.run(back), back.run(there)];
  try {
    await Promise.all(ways);
    await Promise.all([first.close(), second.close()]);
  } catch (error) {
    first.abort(error);
    second.abort(error);
    await Promise.allSettled(ways);
    throw error;
  }
}

/** One of the two ways. */
class Way {
  /** How many messages have passed. */
  count = 0;
  readonly #from: Connection;
  readonly #to: Connection;
  readonly #direction: Direction;
  readonly #options: JoinOptions;
  #state: "open" | "ended" = "open";
  readonly #over = Promise.withResolvers<void>();

  constructor(from: Connection, to: Connection, direction: Direction, options: JoinOptions) {
    this.#from = from;
    this.#to = to;
    this.#direction = direction;
    this.#options = options;
  }

  /** Passes messages on until the sender ends, and then tells the receiver. */
  async run(other: Way): Promise<void> {
    try {
      await this.#pass();
      this.#options.eyes?.ended(this.#direction);
      if (tellsHalf(this.#to)) return await this.#to.closeWrite();
      await other.#falls();
      await this.#to.close(); // Nothing more comes, and over UDP nobody would say so.
    } finally {
      this.#state = "ended";
      this.#over.resolve();
    }
  }

  async #pass(): Promise<void> {
    const to = this.#to;
    const { eyes, delay = 0 } = this.#options;
    const batches = this.#from.batches();
    for await (const batch of delay > 0 ? delayed(batches, delay) : batches) {
      if (eyes !== undefined) {
        for (const message of batch) eyes.see(message, this.#direction);
        await eyes.flush();
      }
      for (const message of batch) await to.send(message);
      this.count += batch.length;
    }
  }

  /** Waits until nothing has come this way for the linger, or it is over. */
  async #falls(): Promise<void> {
    for (let before = -1; this.#state === "open" && this.count !== before;) {
      before = this.count;
      await within(this.#options.linger, this.#over.promise);
    }
  }
}

/** Whether a peer can be told that nothing more comes, and still answer. */
function tellsHalf({ endpoint }: Connection): boolean {
  return !/^(?:wss?|udp):/.test(endpoint);
}
