/** Output that never ends the server. A server outlives its terminal. */

import type { Reporter } from "../shared/report.ts";

/** A reporter like another one. Its lines are dropped when the terminal or pipe has gone. */
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
    // The failure could only be reported to the place that has failed.
  }
}
