/** The client's `bench`: a short measurement, or a load. */

import { ConnectionLostError } from "../../errors.ts";
import { EXIT, UsageError } from "../shared/options.ts";
import { isProtocolError } from "../shared/program.ts";
import { type Figures, readResult, tellChanges } from "./benching/compare.ts";
import { type Load, loadOf } from "./benching/options.ts";
import type { Result } from "./benching/result.ts";
import { benchShortly } from "./benching/short.ts";
import { silenceOf } from "./benching/silence.ts";
import type { ClientContext } from "./context.ts";

/**
 * Measures an echo server, or with `--chat` a chat, and prints what it has found. With `--compare` this
 * is compared with an earlier result, or two earlier results with each other.
 */
export async function bench(context: ClientContext): Promise<number> {
  const { options, operands } = context;
  const file = options.text("compare");
  if (operands.length > (file === undefined ? 0 : 1)) {
    throw new UsageError(`"bench" takes a second FILE after --compare FILE, and nothing else`);
  }
  const before = file === undefined ? undefined : await readResult(file);
  if (operands.length === 1) {
    tellChanges(before!, await readResult(operands[0]), context);
    return EXIT.done;
  }
  const load = loadOf(options);
  if (load === undefined) {
    const after = await benchShortly(context);
    if (before !== undefined) tellChanges(before, after, context);
    return EXIT.done;
  }
  return await benchLoad(context, load, before);
}

async function benchLoad(
  context: ClientContext,
  load: Load,
  before: Figures | undefined,
): Promise<number> {
  const [{ Histogram }, { LoadRun }, { resultOf, textOf }, { liveLine }] = await Promise.all([
    import("./benching/histogram.ts"),
    import("./benching/load.ts"),
    import("./benching/result.ts"),
    import("./benching/live.ts"),
  ]);
  const { options, reporter, stopped, host: { stdout } } = context;
  const run = new LoadRun(context, load, await Histogram.load());
  const time = new Date();
  {
    using _line = liveLine(run, context);
    await run.run();
  }
  const { failures } = run;
  if (run.answers === 0 && failures.length > 0) throw failures[0];
  if (run.answers === 0) {
    const silence = { answers: 0, bytesReceived: run.bytesReceived, timeout: load.timeout };
    throw stopped.aborted
      ? new ConnectionLostError("stopped before anything was measured")
      : new ConnectionLostError(silenceOf(context, silence));
  }
  const result = resultOf(run, context, time);
  const { histogram: _, ...figures } = result;
  if (options.on("json")) reporter.event({ ...result });
  else stdout.write(textOf(result, run.bytesReceived));
  if (before !== undefined) tellChanges(before, figures, context);
  return concluded(result, failures, context);
}

/** The exit code, after each reason for which it is not 0 was told. */
function concluded(
  { errors, lost }: Result,
  failures: readonly unknown[],
  { reporter, endpoint, stopped }: ClientContext,
): number {
  for (const { error, connections } of errors) {
    reporter.error(connections === 1 ? error : `${error} (${connections} connections)`);
  }
  if (failures.some(isProtocolError)) return EXIT.protocol;
  if (failures.length > 0) return EXIT.lost;
  // Datagrams may be lost. What was under way when the user ended it is not.
  const mayMiss = endpoint.startsWith("udp:") || stopped.aborted;
  if (lost === 0 || mayMiss) return EXIT.done;
  reporter.error(`${lost} messages were not answered`);
  return EXIT.lost;
}
