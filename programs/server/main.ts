/** The server program, from the command line to the end. */

import { eventLine } from "../shared/events.ts";
import { limitsFrom } from "../shared/limits.ts";
import type { LogFile } from "../shared/log_file.ts";
import { EXIT, type ParsedOptions } from "../shared/options.ts";
import { main as runAndExit, type Program, type ProgramContext } from "../shared/program.ts";
import { messageOf } from "../shared/report.ts";
import { backUp } from "./backup.ts";
import { configured, tellOptions } from "./configured.ts";
import { tellHowToJoin, tellOfAddresses } from "./joining.ts";
import { startLog } from "./logging.ts";
import { openMonitor } from "./monitor.ts";
import { HELP, OPTIONS } from "./options.ts";
import { prepare, type Prepared, serviceOf } from "./preparing.ts";
import { refuseOthers } from "./refusing.ts";
import { serveHere, type Serving } from "./serving.ts";
import { drained, renew, reopen, stopSignal } from "./stopping.ts";
import { type Possible, possibleWorkers, tellWorkers } from "./workers/possible.ts";

/** How long whoever reads the output may still read at the end, in milliseconds. */
const READING_TIME = 1_000;

/** The server program. */
export const SERVER: Program = { name: "server", options: OPTIONS, help: HELP, run: serve };

/** Runs the server program and ends the process. */
export function main(args: readonly string[]): Promise<never> {
  return runAndExit(args, SERVER);
}

/** Does what the options say. Resolves to the exit code. */
async function serve(given: ProgramContext): Promise<number> {
  const program = await configured(given);
  const { options } = program;
  const backup = options.text("backup");
  if (backup !== undefined) {
    refuseOthers(serviceOf(program), options, limitsFrom(options, "server"));
    return await backUp(options, backup, program.reporter);
  }
  if (options.on("check")) return await (await import("./check.ts")).check(program);
  const { context, file } = await startLog(program);
  try {
    return await run(context, given.options, file);
  } catch (error) {
    if (file?.isOpen) context.reporter.error(messageOf(error)); // Stderr is told by the caller.
    throw error;
  }
}

/** Listens until a signal comes. Resolves to the exit code. */
async function run(
  context: ProgramContext,
  given: ParsedOptions,
  log: LogFile | undefined,
): Promise<number> {
  const { options, reporter, host: { stdout } } = context;
  const json = options.on("json");
  const prepared = await prepare(context);
  const { name, watched, tls, fingerprint, reload } = prepared;
  // It opens first and closes last: so it can tell that the server is not ready yet, or no more.
  await using monitor = await openMonitor(watched, tls);
  const possible = await possibleWorkers(options);
  await using serving = await serveAs(possible, context, prepared, log);
  // This comes before anybody can know of the server.
  const stopped = stopSignal(context, [
    ...log === undefined ? [] : [() => reopen(log, reporter)],
    ...reload === undefined ? [] : [() => renew([serving, monitor], reload, reporter)],
  ]);
  for (const endpoint of serving.endpoints) {
    stdout.write(
      json ? eventLine({ event: "listening", endpoint }) : `listening on ${endpoint}\n`,
    );
  }
  tellWorkers(possible, reporter);
  tellOptions(context, given);
  if (fingerprint !== undefined) {
    reporter.event(
      { event: "certificate", fingerprint },
      `throw-away certificate; clients trust it with --fingerprint ${fingerprint}`,
    );
  }
  await monitor?.watch(serving, reporter);
  await tellOfAddresses(serving.endpoints, reporter);
  if (name === "chat") await tellHowToJoin(serving.endpoints, tls, context);
  const signal = await stopped;
  monitor?.drain();
  await drained(serving, signal, context);
  const { open } = await serving.stats();
  reporter.event(
    { event: "closing", signal, connections: open },
    `${signal}: closing ${open} connections; again to end at once`,
  );
  await serving.close(options.number("grace") ?? 5_000);
  await stdout.end(READING_TIME);
  return EXIT.done;
}

/** Serves in this process alone, or with workers. */
async function serveAs(
  { workers }: Possible,
  context: ProgramContext,
  prepared: Prepared,
  log: LogFile | undefined,
): Promise<Serving> {
  if (workers === 1) return await serveHere(context, prepared);
  const { Workers } = await import("./workers/workers.ts"); // Most servers have none.
  return await Workers.start(context, prepared, workers, log);
}
