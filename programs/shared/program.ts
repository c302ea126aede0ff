/** What both programs do before and after their work: options, help, errors, exit code. */

import {
  ConnectError,
  ConnectionLostError,
  FramingTextError,
  ProtocolError,
} from "../../errors.ts";
import { isMisuse } from "../../internal/reason.ts";
import { printable } from "../../internal/text.ts";
import { type Host, ownProcess } from "./host.ts";
import { EXIT, type OptionSpecs, type ParsedOptions, parseOptions, UsageError } from "./options.ts";
import { OutputError, ReaderGoneError } from "./output.ts";
import { errorLine, makeReporter, messageOf, type Reporter } from "./report.ts";
import { VERSION } from "./version.ts";

/** How long the last lines on stderr may take, in milliseconds. */
const LAST_WORDS = 1_000;

/** One of the programs. */
export interface Program {
  /** Which one. */
  readonly name: "server" | "client";
  /** Its options. */
  readonly options: OptionSpecs;
  /** What `--help` shows, from the operands on. It may depend on the operands given. */
  readonly help: string | ((operands: readonly string[]) => string | Promise<string>);
  /** Does the work. Resolves to the exit code. */
  run(context: ProgramContext): Promise<number>;
}

/** What a run of a program has. */
export interface ProgramContext {
  /** The command line's options. */
  readonly options: ParsedOptions;
  /** Where events and errors go. */
  readonly reporter: Reporter;
  /** What the process gives. */
  readonly host: Host;
  /** Released at the very end, when all output is out. */
  readonly resources: AsyncDisposableStack;
}

/** Runs a program in this process, and ends the process. */
export async function main(args: readonly string[], program: Program): Promise<never> {
  const host = ownProcess();
  return host.exit(await runProgram(args, program, host));
}

/** Runs a program to its end, after which nothing is left of it. Resolves to the exit code. */
export async function runProgram(
  args: readonly string[],
  program: Program,
  host: Host,
): Promise<number> {
  const { stdout, stderr } = host;
  let reporter = makeReporter(host, { json: args.includes("--json") });
  stdout.onFailure = ({ message }) => stderr.write(errorLine(message, stderr));
  let code: number = EXIT.done;
  await using resources = new AsyncDisposableStack();
  try {
    const options = parseOptions(args, program.options);
    if (options.on("help")) stdout.write(await helpOf(program, options) + "\n");
    else if (options.on("version")) stdout.write(VERSION + "\n");
    else {
      const mayDrop = program.name === "server";
      const [json, quiet] = [options.on("json"), options.on("quiet")];
      reporter = makeReporter(host, { json, quiet, mayDrop });
      code = await program.run({ options, reporter, host, resources });
    }
  } catch (error) {
    code = exitCodeOf(error);
    const isTold = error instanceof OutputError;
    if (!isTold) {
      reporter.error(messageOf(error) + (code === EXIT.usage ? "; --help tells more" : ""));
      const drawing = drawingOf(error);
      if (drawing !== undefined && !args.includes("--json")) stderr.write(drawing);
    }
  }
  return await settled(code, host);
}

/** The framing that was given, with a mark below what is wrong with it. */
function drawingOf(error: unknown): string | undefined {
  const wrong = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(wrong instanceof FramingTextError)) return undefined;
  return wrong.drawing.split("\n").map((line) => `  ${printable(line)}\n`).join("");
}

/** Waits until what was told is written; the exit code, which is never 0 if something could not be. */
async function settled(code: number, { stdout, stderr }: Host): Promise<number> {
  await Promise.allSettled([stdout.flush()]);
  await stderr.end(LAST_WORDS);
  const isLost = [stdout, stderr].some(({ failure }) =>
    failure !== undefined && !(failure instanceof ReaderGoneError)
  );
  return code === EXIT.done && isLost ? EXIT.lost : code;
}

async function helpOf({ name, help }: Program, { operands }: ParsedOptions): Promise<string> {
  const { commandOf } = await import("./command.ts"); // It loads node:path.
  const { run, program } = commandOf(name);
  const shown = typeof help === "string" ? help : await help(operands);
  return `Usage: ${run} -N ${program} ${shown}`;
}

/** The exit code for an error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError || isMisuse(error)) return EXIT.usage;
  return isProtocolError(error) ? EXIT.protocol : EXIT.lost;
}

/**
 * Whether the peer broke a protocol, also if the connection or the session was lost because of
 * that.
 */
export function isProtocolError(error: unknown): boolean {
  if (error instanceof ConnectError) return false; // It was not there yet.
  return error instanceof ProtocolError ||
    error instanceof ConnectionLostError && error.cause instanceof ProtocolError;
}
