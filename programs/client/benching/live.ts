/** What happens at the moment, in one line on a terminal. */

import type { ClientContext } from "../context.ts";
import type { LoadRun } from "./load.ts";
import { roundedRate } from "./result.ts";

/** How often the line is drawn, in milliseconds. */
const INTERVAL = 500;

/** Draws the line on stderr until it is disposed of. It draws nothing where that is no terminal. */
export function liveLine(run: LoadRun, { options, host: { stderr } }: ClientContext): Disposable {
  if (!stderr.isTerminal || options.on("json")) return { [Symbol.dispose]() {} };
  let [answers, at] = [0, performance.now()];
  const draw = () => {
    if (stderr.queuedBytes > 0) return;
    const now = performance.now();
    const rate = (run.answers - answers) / (now - at) * 1_000;
    const [p50, p99, max] = run.histogram.takeRecent([50, 99, 100]);
    const { failures: { length: failed }, connected } = run;
    const time = (Math.max(0, run.now()) / 1_000).toFixed(1);
    const figures = run.answers === answers
      ? "nothing comes back"
      : `${roundedRate(rate)} messages/s, ms: 50 % ${p50.toFixed(2)}, 99 % ${p99.toFixed(2)}, ` +
        `max ${max.toFixed(2)}`;
    const line = `${time} s, ${connected - failed} connections` +
      `${failed === 0 ? "" : `, ${failed} failed`}: ${figures}`;
    [answers, at] = [run.answers, now];
    // One column stays free. Otherwise the cursor would go to the next line.
    stderr.write(`\r${line.slice(0, Deno.consoleSize().columns - 1)}\x1b[K`);
  };
  const timer = setInterval(draw, INTERVAL);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      stderr.write("\r\x1b[K");
    },
  };
}
