/** The server program: options, services, log, signals. */

import { FRAMING_NAMES, type FramingName } from "../codec.ts";
import type { CloseInfo, Connection } from "../connection.ts";
import type { listen as listenFunction, ListenOptions, Server } from "../server.ts";
import {
  DEFAULT_ENDPOINT,
  describeOptions,
  ENDPOINT_HELP,
  EXIT,
  type OptionSpecs,
  type ParsedOptions,
  UsageError,
} from "./options.ts";
import { runProgram } from "./program.ts";
import { messageOf, type Reporter } from "./report.ts";
import { SERVER_TLS_OPTIONS, serverTls, tokenFrom } from "./secure.ts";
import { makeService, type Service, SERVICE_NAMES } from "./services.ts";
import type { TlsListenOptions } from "../transport.ts";
import { onReloadSignal, onStopSignal } from "./signals.ts";
import { VERSION } from "./version.ts";

const MAX = Number.MAX_SAFE_INTEGER;
const MAX_MS = 2 ** 31 - 1;

const OPTIONS: OptionSpecs = {
  service: { value: "NAME", choices: SERVICE_NAMES, help: "what to do, chat by default" },
  framing: {
    value: "NAME",
    choices: FRAMING_NAMES,
    help: "where none is named; u32be by default",
  },
  session: { help: "clients that come back lose nothing" },
  ...SERVER_TLS_OPTIONS,
  token: { value: "TOKEN", group: "Access", help: "what the first message of each must be" },
  allow: { value: "NET,…", list: true, group: "Access", help: "addresses that may come in" },
  deny: { value: "NET,…", list: true, group: "Access", help: "addresses that may not" },
  origin: { value: "URL,…", list: true, group: "Access", help: "of web pages that may join" },
  history: { value: "FILE", group: "Chat", help: "keeps what is said in a SQLite file" },
  "operator-token": { value: "TOKEN", group: "Chat", help: "who knows it may /kick and /ban" },
  dir: { value: "DIR", group: "Files", help: "what to serve" },
  "read-only": { group: "Files", help: "takes no files" },
  replace: { group: "Files", help: "lets files take the place of others" },
  "max-file": { value: "BYTES", range: [0, MAX], group: "Files", help: "17179869184 by default" },
  "max-dir": { value: "BYTES", range: [0, MAX], group: "Files", help: "68719476736 by default" },
  "max-message": { value: "BYTES", range: [0, MAX], group: "Limits", help: "1048576 by default" },
  "max-connections": { value: "N", range: [1, MAX], group: "Limits", help: "10000 by default" },
  "max-rate": { value: "N", range: [1, MAX], group: "Limits", help: "100 by default" },
  "udp-idle": { value: "MS", range: [1, MAX_MS], group: "Limits", help: "60000 by default" },
  grace: { value: "MS", range: [0, MAX_MS], group: "Limits", help: "5000 by default" },
  quiet: { short: "q", group: "Output", help: "no line per connection" },
  json: { group: "Output", help: "one JSON object per line on stdout" },
  help: { short: "h", group: "Output", help: "this" },
  version: { short: "V", group: "Output", help: "the version" },
};

const HELP = `Lengthwise ${VERSION}: deno run -N server.ts [ENDPOINT…] [OPTION…]
${ENDPOINT_HELP}
Options (docs/programs.md tells all about them)
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
  refuseOthersOptions(name, options);
  const endpoints = options.operands.length === 0 ? [DEFAULT_ENDPOINT] : options.operands;
  const { tls, fingerprint, reload } = await serverTls(options, endpoints);
  const service = await makeService(name, options, reporter) as Service<unknown>;
  await using server = await listen(
    endpoints,
    { ...listenOptions(options, service, reporter), tls },
    (connection) => handle(connection, service, reporter),
  );
  for (const endpoint of server.endpoints) {
    console.log(
      json ? JSON.stringify({ event: "listening", endpoint }) : `listening on ${endpoint}`,
    );
  }
  if (fingerprint !== undefined) {
    reporter.event(
      { event: "certificate", fingerprint },
      `throw-away certificate; clients trust it with --fingerprint ${fingerprint}`,
    );
  }
  if (name === "chat") tellHowToJoin(server, reporter);
  if (reload !== undefined) onReloadSignal(() => renew(server, reload, reporter));
  await stopped(server, options.number("grace") ?? 5_000, reporter);
  service.close?.();
  return EXIT.done;
}

function refuseOthersOptions(service: string, options: ParsedOptions): void {
  for (const [name, { group }] of Object.entries(OPTIONS)) {
    const owner = group?.toLowerCase();
    if (owner !== "chat" && owner !== "files" || owner === service) continue;
    if (options.text(name) !== undefined || options.on(name)) {
      throw new UsageError(`--${name} is for the service ${owner}, not for ${service}`);
    }
  }
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
    maxConnectionRate: options.number("max-rate"),
    allow: options.list("allow"),
    deny: options.list("deny"),
    token: tokenFrom(options),
    session: options.on("session"),
    web: { origins: options.list("origin"), respond: service.respond },
    udp: { idleTimeout: options.number("udp-idle") },
    onError(error, connection) {
      if (connection === undefined) reporter.error(`cannot accept: ${messageOf(error)}`);
      // What ended a connection is told when it has closed.
    },
    onRefuse({ hostname, endpoint, reason, error }) {
      const why = error === undefined ? reason : `${reason}, ${messageOf(error)}`;
      reporter.event(
        { event: "refused", hostname, endpoint, reason, error: error && messageOf(error) },
        `${hostname || "a peer"} refused: ${why}`,
      );
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
    reporter.event({ event: "join", endpoint }, `join with: ${howToJoin(endpoint)}`);
  }
}

function howToJoin(endpoint: string): string {
  const [, host, port] = /:\/\/\[?(.*?)\]?:(\d+)/.exec(endpoint) ?? [];
  if (/^tcp:.*framing=line$/.test(endpoint)) return `telnet ${host} ${port}`;
  if (/^udp:.*framing=line/.test(endpoint)) return `nc -u ${host} ${port}`;
  if (endpoint.startsWith("ws")) return `${endpoint.replace("ws", "http")} in a browser`;
  const flags = endpoint.startsWith("unix:") ? " --allow-read --allow-write" : "";
  const isDefault = endpoint === `${DEFAULT_ENDPOINT}?framing=u32be`;
  return `deno run --allow-net${flags} client.ts${isDefault ? "" : ` "${endpoint}"`}`;
}

/** Presents certificates that were replaced; those that cannot be used are told, and the old ones stay. */
async function renew(
  server: Server<unknown>,
  reload: () => Promise<TlsListenOptions>,
  reporter: Reporter,
): Promise<void> {
  try {
    server.replaceCertificates(await reload());
    reporter.event({ event: "renewed" }, "SIGHUP: new certificates are in use");
  } catch (error) {
    reporter.error(`SIGHUP: the old certificates stay: ${messageOf(error)}`);
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
