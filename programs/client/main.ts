/** The client program: from the command line to the command. */

import type { Connection } from "../../connection.ts";
import { withoutPassword } from "../../internal/address.ts";
import { likely } from "../../internal/nearest.ts";
import { DEFAULT_ENDPOINT, EXIT, type ParsedOptions, UsageError } from "../shared/options.ts";
import { OutputError, ReaderGoneError } from "../shared/output.ts";
import { main as runAndExit, type Program, type ProgramContext } from "../shared/program.ts";
import { onStopSignal } from "../shared/signals.ts";
import {
  allOptions,
  type Command,
  COMMANDS,
  type Conversation,
  optionsOf,
  TALK,
} from "./commands.ts";
import { connectAgain, connectOptionsFor } from "./connecting.ts";
import type { ToolContext } from "./context.ts";

/** How long whoever reads the output may still read when the user wants the program to end, in milliseconds. */
const READING_TIME = 2_000;
const UNREAD = "Cannot write to stdout: nobody reads it";
/** An option of more commands than this is none of which the user needs a list. */
const MAX_LISTED = 3;

/** The client program. */
export const CLIENT: Program = {
  name: "client",
  options: allOptions(),
  help: async (operands) => (await import("./help.ts")).helpFor(operands),
  run,
};

/** Runs the client program and ends the process. */
export function main(args: readonly string[]): Promise<never> {
  return runAndExit(args, CLIENT);
}

/** What a command line asks for. */
interface Wanted {
  /** Undefined for talk. */
  readonly name: string | undefined;
  readonly command: Command;
  /** Undefined if none was given. */
  readonly endpoint: string | undefined;
  readonly operands: readonly string[];
}

async function run(program: ProgramContext): Promise<number> {
  const wanted = wantedOf(program.options.operands);
  const { name, command, endpoint, operands } = wanted;
  if (name !== undefined && command.operands === undefined && operands.length > 0) {
    throw new UsageError(`"${name}" takes no operands, but got "${withoutPassword(operands[0])}"`);
  }
  refuseOthersOptions(wanted, program.options);
  const { host } = program;
  const stop = new AbortController();
  let reading: ReturnType<typeof setTimeout> | undefined;
  let state: "running" | "over" = "running";
  program.resources.defer(() => {
    state = "over";
    clearTimeout(reading);
  });
  onStopSignal(host).then((signal) => {
    if (state === "over") return;
    stop.abort(new Error(`stopped by ${signal}`));
    reading = setTimeout(() => host.stdout.giveUp(new OutputError(UNREAD)), READING_TIME);
  });
  const context: ToolContext = { ...program, operands, stopped: stop.signal };
  try {
    if (command.kind === "tool") return await (await command.load(host))(context);
    return await converse(command, endpoint ?? DEFAULT_ENDPOINT, context);
  } catch (error) {
    if (!(error instanceof ReaderGoneError)) throw error;
    return EXIT.done;
  }
}

/** Runs a command that talks with one peer. */
async function converse(
  command: Conversation,
  endpoint: string,
  tool: ToolContext,
): Promise<number> {
  const options = await connectOptionsFor(endpoint, tool);
  let current: Connection | undefined;
  let connectTime = 0;
  tool.resources.defer(async () => {
    current?.abort();
    await current?.closed;
  });
  tool.stopped.addEventListener("abort", () => current?.close());
  const start = await command.load(tool.host);
  return await start({
    ...tool,
    get connectTime() {
      return connectTime;
    },
    async connect() {
      const startedAt = performance.now();
      current = await connectAgain({ endpoint, options }, tool, tool.stopped);
      connectTime = performance.now() - startedAt;
      return current;
    },
    endpoint,
    connectOptions: options,
  });
}

function wantedOf(words: readonly string[]): Wanted {
  const [first, ...rest] = words;
  const given = first !== undefined && !Object.hasOwn(COMMANDS, first);
  if (given) refuseCommandLike(first);
  const [name, ...operands] = given ? rest : words;
  const endpoint = given ? first : undefined;
  if (name === undefined) return { name, command: TALK, endpoint, operands };
  if (!Object.hasOwn(COMMANDS, name)) {
    const near = likely(name, Object.keys(COMMANDS), { eager: true });
    const right = near === undefined
      ? `use one of ${Object.keys(COMMANDS).join(", ")}`
      : `the nearest is "${near}"`;
    throw new UsageError(`unknown command "${withoutPassword(name)}", ${right}`);
  }
  const command = COMMANDS[name];
  if (command.kind === "tool" && endpoint !== undefined) {
    throw new UsageError(
      `"${name}" comes first, and then what it works on: client.ts ${name} ${
        command.operands ?? ""
      }`.trimEnd(),
    );
  }
  return { name, command, endpoint, operands };
}

/**
 * Refuses a word in the place of the endpoint that is probably a mistyped command, or no command at
 * all.
 */
function refuseCommandLike(word: string): void {
  if (word === "talk") {
    throw new UsageError(`"talk" is what the client does without a command: leave it out`);
  }
  if (/[^a-z]/i.test(word)) return;
  const near = likely(word, Object.keys(COMMANDS), { eager: true });
  if (near === undefined) return;
  throw new UsageError(`"${word}" is no endpoint: did you mean the command ${near}?`);
}

/** Refuses options that other commands have, and this one has not. */
function refuseOthersOptions({ name, command }: Wanted, options: ParsedOptions): void {
  const own = optionsOf(command);
  for (const option of Object.keys(CLIENT.options)) {
    if (Object.hasOwn(own, option)) continue;
    if (options.text(option) === undefined && !options.on(option)) continue;
    const owners = [[undefined, TALK] as const, ...Object.entries(COMMANDS)]
      .filter(([_, other]) => Object.hasOwn(optionsOf(other), option))
      .map(([other]) => shown(other));
    throw new UsageError(
      owners.length > MAX_LISTED
        ? `--${option} has nothing to do with ${shown(name)}`
        : `--${option} is for ${owners.join(" and ")}, not for ${shown(name)}`,
    );
  }
}

function shown(name: string | undefined): string {
  return name === undefined ? "talk" : `"${name}"`;
}
