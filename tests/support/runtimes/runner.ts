/** Runs the tests of the files that were imported, in Node or Bun, and prints a line of JSON for each. */

import process from "node:process";
import { inspect } from "node:util";
import { tests } from "./deno_stand_in.ts";

/** What became of a test. */
export interface Outcome {
  readonly name: string;
  readonly state: "passed" | "failed" | "skipped";
  /** How long it took, in milliseconds. */
  readonly time?: number;
  /** Why it failed. */
  readonly error?: string;
}

function tell(outcome: Outcome): void {
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}

/** What nobody waits for fails the run, as it does in Deno. */
for (const event of ["uncaughtException", "unhandledRejection"]) {
  process.on(event, (error) => tell({ name: event, state: "failed", error: inspect(error) }));
}

/**
 * Runs them, one after the other, but for those with these names. Returns when all have ended: the process
 * ends by itself only if they have left nothing open.
 */
export async function runTests(skipped: readonly string[]): Promise<void> {
  for (const { name, fn, ignore = false } of tests) {
    if (ignore || skipped.includes(name)) tell({ name, state: "skipped" });
    else {
      // As between tests in Deno: what is left of the last one is over.
      await new Promise((resolve) => setImmediate(resolve));
      const begun = performance.now();
      try {
        await fn();
        tell({ name, state: "passed", time: Math.round(performance.now() - begun) });
      } catch (error) {
        tell({ name, state: "failed", error: inspect(error) });
      }
    }
  }
}
