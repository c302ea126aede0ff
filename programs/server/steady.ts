/** Telling that ends nothing when nobody can be told any more: a server outlives its terminal. */

import type { Reporter } from "../shared/report.ts";

/** A reporter like another one, whose lines are dropped when their terminal or pipe has gone. */
export function steady(reporter: Reporter): Reporter {
  return {
    event: (event, line) => attempt(() => reporter.event(event, line)),
    error: (message) => attempt(() => reporter.error(message)),
    progress: (done) => attempt(() => reporter.progress(done)),
  };
}

/** Writes a line to stdout, if anybody can read it. */
export function tell(line: string): void {
  attempt(() => console.log(line));
}

function attempt(write: () => void): void {
  try {
    write();
  } catch {
    // Where it could be said that this failed, it failed.
  }
}
