/** The server program: options, services, log, signals. */

import { FRAMING_NAMES, type FramingText } from "../../codec.ts";
import type { CloseInfo, Connection } from "../../connection.ts";
import { withoutPassword } from "../../internal/address.ts";
import { MAX_DELAY } from "../../internal/check.ts";
import { reasonOf } from "../../internal/reason.ts";
import { listen, type ListenOptions, type Server } from "../../listen/listen.ts";
import { parseEndpoint, type TlsListenOptions } from "../../transport.ts";
import { EXEC_OPTIONS } from "../shared/exec_options.ts";
import { FORM_OPTIONS } from "../shared/forms.ts";
import {
  DEFAULT_ENDPOINT,
  describeOptions,
  ENDPOINT_HELP,
  EXIT,
  type OptionSpecs,
  type ParsedOptions,
  UsageError,
} from "../shared/options.ts";
import { howToChange, LIMIT_OPTION, type Limits, limitsFrom } from "../shared/limits.ts";
import { requireListen } from "../shared/permissions.ts";
import { main as runAndExit, type Program, type ProgramContext } from "../shared/program.ts";
import { writeRefusal } from "../shared/refusal.ts";
import { messageOf, type Reporter } from "../shared/report.ts";
import { hasSecret, secretFrom } from "../shared/secrets.ts";
import { SERVER_TLS_OPTIONS, serverTls } from "../shared/secure.ts";
import { onHangup, onStopSignal } from "../shared/signals.ts";
import { howToJoin, ownHostname, tellOfAddresses, webPages } from "./joining.ts";
import type { Service } from "./service.ts";
import { makeService, SERVICE_NAMES } from "./services.ts";

/** How long whoever reads the output may still read at the end, in milliseconds. */
const READING_TIME = 1_000;
/** What events may wait with --hold-back, in bytes: those of connections that are not served yet. */
const MAX_HELD_BYTES = 8 * 1024 * 1024;

const MAX = Number.MAX_SAFE_INTEGER;

const OPTIONS: OptionSpecs = {
  service: { value: "NAME", choices: SERVICE_NAMES, help: "what to do, chat by default" },
  framing: {
    value: "NAME",
    choices: FRAMING_NAMES,
    framing: true,
    help: "where an endpoint names none; u32be",
  },
  session: { help: "clients that come back lose nothing" },
  ...SERVER_TLS_OPTIONS,
  token: { value: "TOKEN", group: "Access", help: "what the first message of each must be" },
  "token-file": { value: "FILE", hidden: true, group: "Access", help: "has the token" },
  allow: { value: "NET,…", list: true, group: "Access", help: "addresses that may come in" },
  deny: { value: "NET,…", list: true, group: "Access", help: "addresses that may not" },
  origin: { value: "URL,…", list: true, group: "Access", help: "of web pages that may join" },
  subprotocol: {
    value: "NAME,…",
    list: true,
    group: "Access",
    help: "of WebSockets, to pick from",
  },
  history: { value: "FILE", group: "Chat", help: "keeps what is said in a SQLite file" },
  backup: { value: "FILE", group: "Chat", help: "copies the history to FILE, and ends" },
  "operator-token": { value: "TOKEN", group: "Chat", help: "who knows it may /kick and /ban" },
  "operator-token-file": { value: "FILE", hidden: true, group: "Chat", help: "has that token" },
  dir: { value: "DIR", group: "Files", help: "what to serve" },
  "read-only": { group: "Files", help: "takes no files" },
  replace: { group: "Files", help: "lets files take the place of others" },
  "max-file": { value: "BYTES", range: [0, MAX], group: "Files", help: "17179869184 by default" },
  "max-dir": { value: "BYTES", range: [0, MAX], group: "Files", help: "68719476736 by default" },
  ...EXEC_OPTIONS,
  in: { ...FORM_OPTIONS.in, group: "Exec", hidden: true },
  out: { ...FORM_OPTIONS.out, group: "Exec", hidden: true },
  limit: LIMIT_OPTION,
  "max-message": { value: "BYTES", range: [1, MAX], hidden: true, help: "1048576 by default" },
  "max-connections": { value: "N", range: [1, MAX], hidden: true, help: "10000 by default" },
  "max-rate": { value: "N", range: [1, MAX], hidden: true, help: "100 by default" },
  "udp-idle": { value: "MS", range: [1, MAX_DELAY], hidden: true, help: "60000 by default" },
  grace: { value: "MS", range: [0, MAX_DELAY], group: "Limits", help: "5000 by default" },
  quiet: { short: "q", group: "Output", help: "no line per connection" },
  "hold-back": { group: "Output", help: "serves nobody new while --json is not read" },
  json: { group: "Output", help: "one JSON object per line on stdout" },
  help: { short: "h", group: "Output", help: "this" },
  version: { short: "V", group: "Output", help: "the version" },
};

const HELP = `[ENDPOINT…] [OPTION…]
${ENDPOINT_HELP}
Options (docs/programs.md tells all about them)
${describeOptions(OPTIONS)}
Examples
  server.ts                                           a chat server
  server.ts :1234 "tcp://0.0.0.0:2323?framing=line"   … that telnet can join
  server.ts ":9000?framing=u32le" --service echo      an echo server for C#
Exit codes: 0 done, 1 cannot listen, 2 wrong usage`;

/** The server program. */
export const SERVER: Program = { name: "server", options: OPTIONS, help: HELP, run: serve };

/** Runs the server program and ends the process. */
export function main(args: readonly string[]): Promise<never> {
  return runAndExit(args, SERVER);
}

/** Listens until a signal comes. Resolves to the exit code. */
async function serve(context: ProgramContext): Promise<number> {
  const { options, reporter, host: { stdout } } = context;
  const json = options.on("json");
  const name = (options.text("service") ?? "chat") as (typeof SERVICE_NAMES)[number];
  refuseOthersOptions(name, options);
  const limits = limitsFrom(options, "server");
  refuseOthersLimits(name, limits);
  const backup = options.text("backup");
  if (backup !== undefined) return await backUp(options, backup, reporter);
  if (options.on("hold-back")) {
    if (!json) throw new UsageError("--hold-back is for the events of --json");
    stdout.maxOfferedBytes = MAX_HELD_BYTES;
  }
  const endpoints = options.operands.length === 0 ? [DEFAULT_ENDPOINT] : options.operands;
  refuseUnusable(endpoints, options, limits);
  for (const endpoint of endpoints) await requireListen(endpoint);
  const { tls, fingerprint, reload } = await serverTls(options, endpoints);
  const token = await secretFrom(context, "token");
  const service = await makeService(name, context, limits.chat) as Service<unknown>;
  let open: readonly string[] = [];
  const respond = service.hasPage ? webPages(() => open) : undefined;
  await using server = await listen(
    endpoints,
    {
      ...listenOptions(context, service, limits),
      tls,
      token,
      web: {
        origins: options.list("origin"),
        subprotocols: options.list("subprotocol"),
        respond,
      },
      onListen: (endpoints) => open = endpoints,
    },
    (connection) => handle(connection, service, context),
  );
  // This comes before anybody can know of the server.
  const stopped = stopSignal(context, reload && (() => renew(server, reload, reporter)));
  for (const endpoint of server.endpoints) {
    const line = json
      ? JSON.stringify({ event: "listening", endpoint })
      : `listening on ${endpoint}`;
    stdout.write(line + "\n");
  }
  if (fingerprint !== undefined) {
    reporter.event(
      { event: "certificate", fingerprint },
      `throw-away certificate; clients trust it with --fingerprint ${fingerprint}`,
    );
  }
  await tellOfAddresses(server.endpoints, reporter);
  if (name === "chat") await tellHowToJoin(server.endpoints, tls, context);
  const signal = await stopped;
  const { size } = server.connections;
  reporter.event(
    { event: "closing", signal, connections: size },
    `${signal}: closing ${size} connections; again to end at once`,
  );
  await server.close({ grace: options.number("grace") ?? 5_000 });
  service.close?.();
  await stdout.end(READING_TIME);
  return EXIT.done;
}

/** Copies the history of a chat. The chat may be running in another process. */
async function backUp(options: ParsedOptions, to: string, reporter: Reporter): Promise<number> {
  const file = options.text("history");
  if (file === undefined) throw new UsageError("--backup FILE needs --history FILE, to copy from");
  if (options.operands.length > 0) {
    throw new UsageError(
      `--backup listens nowhere, but got "${withoutPassword(options.operands[0])}"`,
    );
  }
  const { backUpHistory } = await import("../../chat/history/sqlite.ts");
  await backUpHistory(file, to);
  reporter.event({ event: "backup", file, to }, `${file} is copied to ${to}`);
  return EXIT.done;
}

function refuseOthersOptions(service: string, options: ParsedOptions): void {
  for (const [name, { group }] of Object.entries(OPTIONS)) {
    const owner = group?.toLowerCase();
    if (!["chat", "files", "exec"].includes(owner ?? "") || owner === service) continue;
    if (options.text(name) !== undefined || options.on(name)) {
      throw new UsageError(`--${name} is for the service ${owner}, not for ${service}`);
    }
  }
}

function refuseOthersLimits(service: string, { chat }: Limits): void {
  if (chat !== undefined && service !== "chat") {
    const [name] = Object.keys(chat);
    throw new UsageError(`--limit chat.${name} is for the service chat, not for ${service}`);
  }
}

/** Refuses endpoints that nobody could connect to, and options that no endpoint uses. */
function refuseUnusable(
  endpoints: readonly string[],
  options: ParsedOptions,
  { session, udp }: Limits,
): void {
  const kinds = endpoints.map((endpoint) => parseEndpoint(endpoint).transport);
  const memory = endpoints[kinds.indexOf("memory")];
  if (memory !== undefined) {
    throw new UsageError(`"${memory}": memory: is only for within one program`);
  }
  const uses = { origin: ["ws", "wss"], subprotocol: ["ws", "wss"], "udp-idle": ["udp"] };
  if (udp !== undefined && !kinds.includes("udp")) {
    throw new UsageError("--limit udp.idleTimeout is for udp://, and no endpoint is one");
  }
  const areSessions = options.on("session") ||
    endpoints.every((endpoint) => /[?&]session=1(&|$)/.test(endpoint));
  if (session !== undefined && !areSessions) {
    const [name] = Object.keys(session);
    throw new UsageError(`--limit session.${name} is for sessions: say --session as well`);
  }
  for (const [name, owners] of Object.entries(uses)) {
    if (options.text(name) === undefined || kinds.some((kind) => owners.includes(kind))) continue;
    const wanted = owners.map((kind) => `${kind}://`).join(" and ");
    throw new UsageError(`--${name} is for ${wanted}, and no endpoint is one`);
  }
}

function listenOptions(
  { options, reporter }: ProgramContext,
  service: Service<unknown>,
  { session, udp, others }: Limits,
): ListenOptions<unknown> {
  const limits = {
    maxMessageBytes: options.number("max-message"),
    maxConnections: options.number("max-connections"),
    maxConnectionRate: options.number("max-rate"),
    ...others,
  };
  return {
    ...limits,
    format: service.format,
    framing: options.text("framing") as FramingText | undefined,
    allow: options.list("allow"),
    deny: options.list("deny"),
    refusalMessage: service.refusalMessage ?? writeRefusal,
    session: session ?? options.on("session"),
    udp: udp ?? { idleTimeout: options.number("udp-idle") },
    onError(error, connection) {
      if (connection === undefined) reporter.error(`cannot accept: ${reasonOf(error)}`);
      // An error of a connection is reported when the connection has closed.
    },
    onRefuse({ hostname, endpoint, reason, error }) {
      const why = howToChange(reason, limits) ??
        (error === undefined ? reason : `${reason}, ${messageOf(error)}`);
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
  { options, reporter, host: { stdout } }: ProgramContext,
): Promise<void> {
  const { id, remote, endpoint } = connection;
  reporter.event({ event: "connected", id, remote, endpoint }, `${remote} connected`);
  connection.closed.then((info) => reportClosed(connection, info, reporter));
  if (options.on("hold-back")) await Promise.allSettled([stdout.room()]); // A server outlives whoever reads.
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

async function tellHowToJoin(
  endpoints: readonly string[],
  tls: TlsListenOptions | undefined,
  context: ProgramContext,
): Promise<void> {
  const entrance = {
    token: hasSecret(context, "token"),
    fingerprint: tls && (await import("../../transport/tls.ts")).fingerprintOfPair(tls),
    clientCertificate: tls?.clientCa !== undefined,
    hostname: await ownHostname(),
  };
  const { commandOf } = await import("../shared/command.ts"); // It loads node:path.
  const client = commandOf("client");
  for (const endpoint of endpoints) {
    const how = howToJoin(endpoint, entrance, client);
    context.reporter.event({ event: "join", endpoint }, `join with: ${how}`);
  }
}

/**
 * Presents certificates that were replaced. If they cannot be used, this is reported and the old
 * ones stay.
 */
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

/**
 * Resolves when the server must end. SIGHUP ends it only if it can mean that the server's terminal
 * has gone.
 */
function stopSignal(
  { reporter, host }: ProgramContext,
  renew?: () => Promise<void>,
): Promise<Deno.Signal> {
  const hasTerminal = [host.stdin, host.stdout, host.stderr].some(({ isTerminal }) => isTerminal);
  const hangup = new Promise<Deno.Signal>((resolve) =>
    onHangup(host, () => {
      if (renew !== undefined) renew();
      else if (hasTerminal) resolve("SIGHUP");
      else reporter.event({ event: "ignored", signal: "SIGHUP" }, "SIGHUP: nothing to read again");
    })
  );
  return Promise.race([onStopSignal(host), hangup]);
}
