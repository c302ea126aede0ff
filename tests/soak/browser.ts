/**
 * A session in a page of Chromium, and then one in a dedicated worker, whose network is cut, darkened, shut,
 * frozen and taken offline again and again: each message arrives once, in order, and comes back. Both have
 * the same number of messages and of cuts.
 *
 * ```
 * deno run -A tests/soak/browser.ts [--messages N] [--cuts N] [--seed N] [--place page|worker]
 * ```
 */

import { parseArgs } from "@std/cli/parse-args";
import { Chromium } from "../support/browser.ts";
import { underCuts } from "../support/browser_cuts.ts";
import type { Place } from "../support/client_page.ts";

const PLACES: readonly Place[] = ["page", "worker"];

const options = parseArgs(Deno.args, {
  string: ["messages", "cuts", "seed", "place"],
  default: { messages: "1000000", cuts: "200", seed: "1" },
});
const places = PLACES.filter((place) => (options.place ?? place) === place);
if (places.length === 0) throw new RangeError(`Cannot run in --place ${options.place}`);
const chromium = new Chromium();
await chromium.start();
try {
  for (const place of places) await run(place);
} finally {
  await chromium.stop();
}

async function run(place: Place): Promise<void> {
  const startedAt = performance.now();
  const seconds = () => ((performance.now() - startedAt) / 1000).toFixed(1);
  await using browser = await chromium.connect();
  const result = await underCuts(browser, {
    place,
    messages: Number(options.messages),
    cuts: Number(options.cuts),
    seed: Number(options.seed),
    onCut(done, kind) {
      if (done % 20 === 0) {
        console.log(`${place}: ${done} cuts, the last was ${kind}, ${seconds()} s`);
      }
    },
  });
  console.log(
    `${place}: ${options.messages} messages both ways, none lost, none twice; ` +
      `${JSON.stringify(result)}, ${seconds()} s`,
  );
}
