/** Signals that end a program. */

import type { Host } from "./host.ts";

const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : ["SIGINT", "SIGTERM"];

/** The exit code that a shell gives for an interrupted program. */
const EXIT_INTERRUPTED = 130;

/** Resolves at the first SIGINT or SIGTERM. After that, a second one ends the process at once. */
export function onStopSignal(host: Host): Promise<Deno.Signal> {
  return new Promise((resolve) => {
    let first = true;
    for (const signal of SIGNALS) {
      host.onSignal(signal, () => {
        if (!first) host.exit(EXIT_INTERRUPTED);
        first = false;
        resolve(signal);
      });
    }
  });
}

/**
 * Calls `callback` at each SIGHUP, if the system has this signal. SIGHUP then no longer ends the
 * process.
 */
export function onHangup(host: Host, callback: () => void): void {
  if (Deno.build.os !== "windows") host.onSignal("SIGHUP", callback);
}
