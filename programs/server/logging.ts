/** The server's log: how much of it is told, and where. */

import { type Level, LEVELS } from "../shared/events.ts";
import { LogFile } from "../shared/log_file.ts";
import { type OptionSpecs, UsageError } from "../shared/options.ts";
import type { ProgramContext } from "../shared/program.ts";
import { droppedEvents, makeReporter, missingLines } from "../shared/report.ts";

/** The options of the log. */
export const LOG_OPTIONS: OptionSpecs = {
  "log-file": { value: "FILE", group: "Running", help: "has the log; SIGHUP opens it again" },
  "log-level": { value: "LEVEL", choices: LEVELS, group: "Running", help: "info by default" },
};

/** A server's context, and its log file if there is one. */
export interface Logging {
  /** With the reporter of the log. */
  readonly context: ProgramContext;
  /** The file of `--log-file`. */
  readonly file: LogFile | undefined;
}

/**
 * Makes the reporter that the server uses while it runs. A file that cannot be opened is told of, and
 * the server goes on without it.
 *
 * @throws {UsageError} for options that contradict each other.
 */
export async function startLog(program: ProgramContext): Promise<Logging> {
  const { options, host, resources } = program;
  const [json, quiet] = [options.on("json"), options.on("quiet")];
  const level = options.text("log-level") as Level | undefined;
  if (quiet && level !== undefined) {
    throw new UsageError("--quiet and --log-level: give one of them");
  }
  const path = options.text("log-file");
  const settings = { json, quiet, mayDrop: true, level: level ?? "info" } as const;
  if (path === undefined) {
    return { context: { ...program, reporter: makeReporter(host, settings) }, file: undefined };
  }
  const onStderr = makeReporter(host, { ...settings, json: false });
  const file = new LogFile(path, {
    otherwise: json ? host.stdout : host.stderr,
    onFailure: (message) => onStderr.error(message),
    note: (count) => json ? droppedEvents(count, "warn") : missingLines(count),
  });
  resources.use(file);
  await file.reopen();
  const reporter = makeReporter(host, { ...settings, log: file });
  return { context: { ...program, reporter }, file };
}
