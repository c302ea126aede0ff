/** The server program: options, services, log, signals. */

import { FRAMING_NAMES, type FramingName } from "../codec.ts";
import type { CloseInfo, Connection } from "../connection.ts";
import type { listen as listenFunction, ListenOptions, Server } from "../server.ts";
import {
  COMMON_OPTIONS,
  DEFAULT_ENDPOINT,
  describeOptions,
  ENDPOINT_HELP,
  EXIT,
  type OptionSpecs,
  type ParsedOptions,
} from "./options.ts";
import { runProgram } from "./program.ts";
import { messageOf, type Reporter } from "./report.ts";
import { makeService, type Service, SERVICE_NAMES } from "./services.ts";
import { onStopSignal } from "./signals.ts";
import { VERSION } from "./version.ts";

const OPTIONS: OptionSpecs = {
  service: { value: "NAME", choices: SERVICE_NAMES, help: "what to do, chat by default" },
  framing: {
    value: "NAME",
    choices: FRAMING_NAMES,
    help: "of endpoints that name none, u32be by default",
  },
  "max-message": {
    value: "BYTES",
    range: [0, Number.MAX_SAFE_INTEGER],
    help: "largest message accepted, 1048576 by default",
  },
  "max-connections": {
    value: "N",
    range: [1, Number.MAX_SAFE_INTEGER],
    help: "at a time, 10000 by default",
  },
  grace: {
    value: "MS",
    range: [0, 2 ** 31 - 1],
    help: "for closing in order, 5000 by default",
  },
  quiet: { help: "no line per connection", short: "q" },
  ...COMMON_OPTIONS,
};

const HELP = `Lengthwise ${VERSION}: deno run -N server.ts [ENDPOINT…] [OPTION…]
${ENDPOINT_HELP}
Options
${describeOptions(OPTIONS)}
Examples
  server.ts                                           a chat server
  server.ts :1234 "tcp://0.0.0.0:2323?framing=line"   … that telnet can join
  server.ts ":9000?framing=u32le" --service echo      an echo server for C#
Exit codes: 0 done, 1 cannot listen, 2 wrong usage`;

/** Runs the server program and ends the process. */
export function main(args: readonly string[], listen: typeof listenFunction): Promise<never> {
  return runProgram(args, {
    options: OPTIONS,
    help: HELP,
    run: (options, reporter) => serve(options, reporter, listen),
  });
}

/** Listens until a signal comes; resolves to the exit code. */
async function serve(
  options: ParsedOptions,
  reporter: Reporter,
  listen: typeof listenFunction,
): Promise<number> {
  const json = options.on("json");
  const name = (options.text("service") ?? "chat") as (typeof SERVICE_NAMES)[number];
  const service = makeService(name, json, reporter) as Service<unknown>;
  await using server = await listen(
    options.operands.length === 0 ? DEFAULT_ENDPOINT : options.operands,
    listenOptions(options, service, reporter),
    (connection) => handle(connection, service, reporter),
  );
  for (const endpoint of server.endpoints) {
    console.log(
      json ? JSON.stringify({ event: "listening", endpoint }) : `listening on ${endpoint}`,
    );
  }
  if (name === "chat") tellHowToJoin(server, reporter);
  await stopped(server, options.number("grace") ?? 5_000, reporter);
  return EXIT.done;
}

function listenOptions(
  options: ParsedOptions,
  service: Service<unknown>,
  reporter: Reporter,
): ListenOptions<unknown> {
  return {
    format: service.format,
    framing: options.text("framing") as FramingName | undefined,
    maxMessageBytes: options.number("max-message"),
    maxConnections: options.number("max-connections"),
    onError(error, connection) {
      if (connection === undefined) reporter.error(`cannot accept: ${messageOf(error)}`);
      // What ended a connection is told when it has closed.
    },
    onRefuse(hostname, limit) {
      reporter.event({ event: "refused", hostname, limit }, `${hostname} refused: ${limit}`);
    },
  };
}

async function handle(
  connection: Connection<unknown>,
  service: Service<unknown>,
  reporter: Reporter,
): Promise<void> {
  const { id, remote, endpoint } = connection;
  reporter.event({ event: "connected", id, remote, endpoint }, `${remote} connected`);
  connection.closed.then((info) => reportClosed(connection, info, reporter));
  await service.handle(connection);
}

function reportClosed(connection: Connection<unknown>, info: CloseInfo, reporter: Reporter): void {
  const { id, remote } = connection;
  const { messagesReceived, messagesSent, messagesDropped } = connection.stats;
  const { clean, undeliveredBytes, unreadBytes } = info;
  const error = info.error === undefined ? undefined : messageOf(info.error);
  const lost = undeliveredBytes > 0 ? `, ${undeliveredBytes} bytes undelivered` : "";
  reporter.event(
    {
      event: "closed",
      id,
      remote,
      clean,
      error,
      messagesReceived,
      messagesSent,
      messagesDropped,
      undeliveredBytes,
      unreadBytes,
    },
    `${remote} closed${error === undefined ? "" : `: ${error}`}${lost}`,
  );
}

function tellHowToJoin(server: Server<unknown>, reporter: Reporter): void {
  for (const endpoint of server.endpoints) {
    const [, host, port, framing] = /^tcp:\/\/(.*):(\d+)\?framing=(\w+)$/.exec(endpoint) ?? [];
    const isDefault = endpoint === `${DEFAULT_ENDPOINT}?framing=u32be`;
    reporter.event(
      { event: "join", endpoint },
      framing === "line"
        ? `join with: telnet ${host.replace(/^\[|\]$/g, "")} ${port}`
        : `join with: deno run --allow-net${
          endpoint.startsWith("unix:") ? " --allow-read --allow-write" : ""
        } client.ts${isDefault ? "" : ` "${endpoint}"`}`,
    );
  }
}

/** Waits for a signal, then closes in order; a second one ends the process at once. */
async function stopped(server: Server<unknown>, grace: number, reporter: Reporter): Promise<void> {
  const signal = await onStopSignal();
  reporter.event(
    { event: "closing", signal, connections: server.connections.size },
    `${signal}: closing ${server.connections.size} connections; again to end at once`,
  );
  await server.close({ grace });
}
