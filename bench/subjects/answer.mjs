/** A child's end of the bench's talk with it: one JSON object per line in, one per line out. */

import process from "node:process";
import { createInterface } from "node:readline";

/**
 * Answers commands from standard input. When standard input ends, whoever started this process has
 * gone, and it goes too.
 *
 * @param {Record<string, (args: any) => unknown>} commands What each command does.
 */
export function answer(commands) {
  const lines = createInterface({ input: process.stdin });
  lines.on("line", async (line) => {
    const { command, args } = JSON.parse(line);
    try {
      say({ value: (await commands[command](args)) ?? null });
    } catch (error) {
      say({ error: String(error) });
    }
  });
  lines.on("close", () => process.exit());
}

/** @param {unknown} value What to say. */
export function say(value) {
  process.stdout.write(JSON.stringify(value) + "\n");
}

/** What every server under test counts, and the commands that ask for it. */
export class Tally {
  /** Messages of connections that have ended. */
  received = 0;
  #fresh = 0;
  #wanted = Infinity;
  #reached = () => {};

  /** A connection is ready for messages. */
  opened() {
    if (++this.#fresh === this.#wanted) this.#reached();
  }

  /** Commands for `answer()`. */
  get commands() {
    return {
      received: () => this.received,
      memory: () => process.memoryUsage.rss(),
      /** @param {{ count: number }} args How many new connections to wait for, since last time. */
      opened: async ({ count }) => {
        this.#wanted = count;
        if (this.#fresh < count) {
          await /** @type {Promise<void>} */ (new Promise((resolve) => this.#reached = resolve));
        }
        this.#fresh -= count;
        this.#wanted = Infinity;
      },
    };
  }
}

/**
 * Does something again and again; gives the time that half of them took at most, and the time that
 * 99 of 100 took at most, in microseconds.
 *
 * @param {number} count How often.
 * @param {() => Promise<void>} once What to do.
 */
export async function timesOf(count, once) {
  const times = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    await once();
    times[i] = performance.now() - start;
  }
  times.sort();
  return [times[count >> 1] * 1000, times[Math.floor(count * 0.99)] * 1000];
}

/**
 * As `timesOf()`, but gives only the median.
 *
 * @param {number} count How often.
 * @param {() => Promise<void>} once What to do.
 */
export async function medianTime(count, once) {
  const [median] = await timesOf(count, once);
  return median;
}
