/** The client program: from the command line to the command. */

import { Connector } from "../../connect/internal.ts";
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
  /** None if none was given. */
  readonly endpoints: readonly string[];
  readonly operands: readonly string[];
}

async function run(program: ProgramContext): Promise<number> {
  const wanted = wantedOf(program.options.operands);
  const { name, command, endpoints, operands } = wanted;
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
    return await converse(command, endpoints, context);
  } catch (error) {
    if (!(error instanceof ReaderGoneError)) throw error;
    return EXIT.done;
  }
}

/** Runs a command that talks with one peer. */
async function converse(
  command: Conversation,
  named: readonly string[],
  tool: ToolContext,
): Promise<number> {
  const endpoints = named.length === 0 ? [DEFAULT_ENDPOINT] : named;
  const [first] = endpoints;
  const isOffline = command.isOffline?.(tool) ?? false;
  const places = [];
  for (const endpoint of isOffline ? [] : endpoints) {
    places.push({ endpoint, options: await connectOptionsFor(endpoint, tool) });
  }
  const connector = isOffline ? undefined : new Connector(places);
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
      current = await connectAgain(() => connector!.connect(), tool, tool.stopped);
      connectTime = performance.now() - startedAt;
      return current;
    },
    get endpoint() {
      return endpoints.length === 1 ? first : current?.endpoint ?? first;
    },
    endpoints,
    namesEndpoint: named.length > 0,
    connectOptions: places[0]?.options ?? {},
  });
}

function wantedOf(words: readonly string[]): Wanted {
  const count = endpointsIn(words);
  const endpoints = words.slice(0, count);
  const [name, ...operands] = words.slice(count);
  const [endpoint] = endpoints;
  if (endpoint !== undefined) refuseCommandLike(endpoint);
  if (name === undefined) return { name, command: TALK, endpoints, operands };
  if (!Object.hasOwn(COMMANDS, name)) {
    const near = likely(name, Object.keys(COMMANDS), { eager: true });
    const right = near === undefined
      ? `use one of ${Object.keys(COMMANDS).join(", ")}`
      : `the nearest is "${near}"`;
    const meant = /^\d{1,5}$/.test(name) ? `; did you mean ${endpoint}:${name}?` : "";
    throw new UsageError(`unknown command "${withoutPassword(name)}", ${right}${meant}`);
  }
  const command = COMMANDS[name];
  if (command.kind === "tool" && endpoint !== undefined) {
    throw new UsageError(
      `"${name}" comes first, and then what it works on: client.ts ${name} ${
        command.operands ?? ""
      }`.trimEnd(),
    );
  }
  if (endpoints.length > 1 && command.kind === "conversation" && command.hasOneEndpoint) {
    throw new UsageError(`"${name}" takes one endpoint, but got ${endpoints.length}`);
  }
  return { name, command, endpoints, operands };
}

/** How many endpoints stand first. The first word is one if it is no command, and others have a colon. */
function endpointsIn(words: readonly string[]): number {
  let count = 0;
  while (
    count < words.length && !Object.hasOwn(COMMANDS, words[count]) &&
    (count === 0 || words[count].includes(":"))
  ) count++;
  return count;
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
    const meant = option === "port" ? `; to connect to a port, say :${options.text("port")}` : "";
    throw new UsageError(
      owners.length > MAX_LISTED
        ? `--${option} has nothing to do with ${shown(name)}`
        : `--${option} is for ${owners.join(" and ")}, not for ${shown(name)}${meant}`,
    );
  }
}

function shown(name: string | undefined): string {
  return name === undefined ? "talk" : `"${name}"`;
}
