/** Ending on request. */

const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : ["SIGINT", "SIGTERM"];

/** What a shell reports for a program that was interrupted. */
const EXIT_INTERRUPTED = 130;

/** Resolves at the first SIGINT or SIGTERM. From then on another one ends the process at once. */
export function onStopSignal(): Promise<Deno.Signal> {
  return new Promise((resolve) => {
    let first = true;
    for (const signal of SIGNALS) {
      Deno.addSignalListener(signal, () => {
        if (!first) Deno.exit(EXIT_INTERRUPTED);
        first = false;
        resolve(signal);
      });
    }
  });
}

/** Calls back at each SIGHUP, where there is such a signal; it ends the process no more. */
export function onHangup(callback: () => void): void {
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGHUP", callback);
}
