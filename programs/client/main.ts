/** The client program: options and commands. */

import { FRAMING_NAMES, type FramingText } from "../../codec.ts";
import { connect, type ConnectOptions } from "../../connect/connect.ts";
import type { Connection } from "../../connection.ts";
import { withoutPassword } from "../../internal/address.ts";
import { MAX_DELAY, MAX_INT32 } from "../../internal/check.ts";
import { likely } from "../../internal/nearest.ts";
import type { WebConnectOptions } from "../../transport.ts";
import { LIMIT_OPTION, limitsFrom } from "../shared/limits.ts";
import {
  DEFAULT_ENDPOINT,
  describeOptions,
  ENDPOINT_HELP,
  EXIT,
  type OptionSpecs,
  type ParsedOptions,
  UsageError,
} from "../shared/options.ts";
import { OutputError, ReaderGoneError } from "../shared/output.ts";
import { requireConnect } from "../shared/permissions.ts";
import { main as runAndExit, type Program, type ProgramContext } from "../shared/program.ts";
import { secretFrom } from "../shared/secrets.ts";
import { CLIENT_TLS_OPTIONS, clientTls } from "../shared/secure.ts";
import { onStopSignal } from "../shared/signals.ts";
import type { ClientContext } from "./context.ts";
import { namesProxy } from "./proxy_variables.ts";

const OPTIONS: OptionSpecs = {
  framing: {
    value: "NAME",
    choices: FRAMING_NAMES,
    framing: true,
    help: "if the endpoint names none; u32be by default",
  },
  timeout: {
    value: "MS",
    range: [1, MAX_DELAY],
    help: "to connect, and per answer; 10000 by default",
  },
  linger: {
    value: "MS",
    range: [0, MAX_DELAY],
    group: "talk, send",
    help: "after a pipe's end, 1000 by default",
  },
  "half-close": { group: "talk, send", help: "ends this direction first" },
  expect: { value: "N", range: [0, MAX_INT32], group: "talk, send", help: "so many answers" },
  count: { value: "N", range: [1, MAX_INT32], group: "ping, bench", help: "how often" },
  interval: { value: "MS", range: [0, MAX_DELAY], group: "ping, bench", help: "between pings" },
  size: { value: "BYTES", range: [0, 2 ** 30], group: "ping, bench", help: "of a message" },
  ...CLIENT_TLS_OPTIONS,
  session: { group: "Access", help: "nothing is lost while the network is away" },
  token: { value: "TOKEN", group: "Access", help: "what the server wants first" },
  "token-file": { value: "FILE", hidden: true, group: "Access", help: "has the token" },
  subprotocol: { value: "NAME,…", list: true, hidden: true, help: "of WebSockets, to offer" },
  proxy: { value: "URL", group: "Access", help: "socks5://HOST:PORT or http://HOST:PORT" },
  limit: { ...LIMIT_OPTION, group: "Access" },
  "max-message": {
    value: "BYTES",
    range: [0, Number.MAX_SAFE_INTEGER],
    hidden: true,
    help: "largest message accepted, 16777216 by default",
  },
  output: { value: "FILE", group: "Output", help: "get: where to, - is stdout" },
  stream: { group: "Output", help: "request: its answer is a stream of items" },
  bell: { group: "Output", help: "rings when someone says your name" },
  json: { group: "Output", help: "one JSON object per line on stdout" },
  help: { short: "h", group: "Output", help: "this" },
  version: { short: "V", group: "Output", help: "the version" },
};

const HELP = `[ENDPOINT] [COMMAND] [OPTION…]
${ENDPOINT_HELP}
Commands
  (none)                 talk: lines typed or piped are sent, messages printed
  send TEXT…             send one message each; --expect N prints N answers
  request METHOD [JSON]  print the answer, or with --stream its items
  put FILE…|get NAME|ls  files, to and from server.ts --service files
  ping, bench            round-trip time, messages per second: chat or echo
Options (docs/programs.md tells all about them)
${describeOptions(OPTIONS)}
Examples
  client.ts                                            join the chat
  client.ts :1234 send hello world --expect 2          send two messages
  printf 'a\\nb\\n' | client.ts ":9000?framing=u32le"   lines as messages
Exit codes: 0 done, 1 lost or refused, 2 wrong usage, 3 protocol broken`;

type Command = (context: ClientContext) => Promise<number>;

/** Each loads what it needs, because a run of the client needs one of them. */
const COMMANDS: Record<string, () => Promise<Command>> = {
  send: async () => (await import("./send.ts")).send,
  request: async () => (await import("./request.ts")).request,
  put: async () => (await import("./transfer.ts")).put,
  get: async () => (await import("./transfer.ts")).get,
  ls: async () => (await import("./transfer.ts")).ls,
  ping: async () => (await import("./ping.ts")).ping,
  bench: async () => (await import("./bench.ts")).bench,
};
const WITH_OPERANDS = ["send", "request", "put", "get"];
/** Options that only some commands use. */
const COMMANDS_OF: Record<string, readonly string[]> = {
  linger: ["talk"],
  expect: ["send"],
  "half-close": ["talk", "send"],
  count: ["ping", "bench"],
  interval: ["ping"],
  size: ["bench"],
  output: ["get"],
  stream: ["request"],
  bell: ["talk"],
};

/** How long whoever reads the output may still read when the user wants the program to end, in milliseconds. */
const READING_TIME = 2_000;
const UNREAD = "Cannot write to stdout: nobody reads it";

/** The client program. */
export const CLIENT: Program = { name: "client", options: OPTIONS, help: HELP, run };

/** Runs the client program and ends the process. */
export function main(args: readonly string[]): Promise<never> {
  return runAndExit(args, CLIENT);
}

async function run(program: ProgramContext): Promise<number> {
  const { options, reporter, host, resources } = program;
  const [first, ...rest] = options.operands;
  const given = first !== undefined && !Object.hasOwn(COMMANDS, first);
  if (given) refuseCommandLike(first);
  const endpoint = given ? first : DEFAULT_ENDPOINT;
  const [command, ...operands] = given ? rest : options.operands;
  if (command !== undefined && !Object.hasOwn(COMMANDS, command)) {
    const near = likely(command, Object.keys(COMMANDS), { eager: true });
    const right = near === undefined
      ? `use one of ${Object.keys(COMMANDS).join(", ")}`
      : `the nearest is "${near}"`;
    throw new UsageError(`unknown command "${withoutPassword(command)}", ${right}`);
  }
  if (command !== undefined && !WITH_OPERANDS.includes(command) && operands.length > 0) {
    throw new UsageError(
      `"${command}" takes no operands, but got "${withoutPassword(operands[0])}"`,
    );
  }
  refuseOthersOptions(command, options);
  const proxy = await proxyFrom(endpoint, program);
  await requireConnect(endpoint, proxy);
  const { session, others } = limitsFrom(options, "client");
  if (session !== undefined && !options.on("session")) {
    const [name] = Object.keys(session);
    throw new UsageError(`--limit session.${name} is for sessions: say --session as well`);
  }
  const connectOptions: ConnectOptions = {
    framing: options.text("framing") as FramingText | undefined,
    maxMessageBytes: options.number("max-message"),
    connectTimeout: options.number("timeout"),
    ...others,
    tls: await clientTls(options, endpoint, reporter),
    proxy,
    web: webFrom(options, endpoint),
    token: await secretFrom(program, "token"),
    ...(options.on("session") && { session: session ?? true }),
  };
  let current: Connection | undefined;
  let connectTime = 0;
  const stop = new AbortController();
  let reading: ReturnType<typeof setTimeout> | undefined;
  resources.defer(async () => {
    clearTimeout(reading);
    current?.abort();
    await current?.closed;
  });
  onStopSignal(host).then((signal) => {
    stop.abort(new Error(`stopped by ${signal}`));
    current?.close();
    reading = setTimeout(() => host.stdout.giveUp(new OutputError(UNREAD)), READING_TIME);
  });
  const context: ClientContext = {
    ...program,
    operands,
    stopped: stop.signal,
    get connectTime() {
      return connectTime;
    },
    async connect() {
      const startedAt = performance.now();
      current = await connect(endpoint, connectOptions);
      connectTime = performance.now() - startedAt;
      return current;
    },
  };
  try {
    const load = command === undefined ? loadConversation : COMMANDS[command];
    return await (await load(program))(context);
  } catch (error) {
    if (!(error instanceof ReaderGoneError)) throw error;
    return EXIT.done;
  }
}

/** What the client does without a command. */
async function loadConversation({ host }: ProgramContext): Promise<Command> {
  const atTerminal = host.stdin.isTerminal && host.stdout.isTerminal;
  return atTerminal ? (await import("./talk.ts")).talk : (await import("./pipe.ts")).pipe;
}

/** The proxy, if one is named anywhere. Only then it is worth loading what chooses it. */
async function proxyFrom(
  endpoint: string,
  { options, reporter, host }: ProgramContext,
): Promise<string | undefined> {
  const given = options.text("proxy");
  const variable = (name: string) => host.variable(name);
  if (given === undefined && !namesProxy(endpoint, variable)) return undefined;
  const { proxyFor } = await import("./proxy.ts");
  return proxyFor(
    endpoint,
    given,
    variable,
    (message) => reporter.event({ event: "warning", message }, `warning: ${message}`),
  );
}

/** The options of a WebSocket's handshake. */
function webFrom(options: ParsedOptions, endpoint: string): WebConnectOptions | undefined {
  const subprotocols = options.list("subprotocol");
  if (subprotocols === undefined) return undefined;
  if (/^wss?:/i.test(endpoint)) return { subprotocols };
  throw new UsageError(`--subprotocol is for ws:// and wss://, and "${endpoint}" is neither`);
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

function refuseOthersOptions(command = "talk", options: ParsedOptions): void {
  for (const [name, commands] of Object.entries(COMMANDS_OF)) {
    if (commands.includes(command)) continue;
    if (options.text(name) === undefined && !options.on(name)) continue;
    const theirs = commands.map((other) => other === "talk" ? other : `"${other}"`).join(" and ");
    throw new UsageError(
      `--${name} is for ${theirs}, not for ${command === "talk" ? command : `"${command}"`}`,
    );
  }
}
