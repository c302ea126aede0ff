/** `--check`: looks whether the server could serve, and serves nobody. */

import { dirname } from "node:path";
import { ListenError } from "../../errors.ts";
import { reasonOf } from "../../internal/reason.ts";
import { listen, type ListenOptions } from "../../listen/listen.ts";
import type { TlsListenOptions } from "../../transport.ts";
import { type Event, eventLine } from "../shared/events.ts";
import { requireFile } from "../shared/given.ts";
import { EXIT } from "../shared/options.ts";
import type { ProgramContext } from "../shared/program.ts";
import { secretFrom } from "../shared/secrets.ts";
import { listenOptions } from "./listening.ts";
import { openMonitor } from "./monitor.ts";
import { prepare, type Prepared } from "./preparing.ts";
import { makeService } from "./services.ts";
import { inWords, possibleWorkers } from "./workers/possible.ts";

/** A certificate that is valid for less than this is worth a word, in milliseconds. */
const SOON = 14 * 24 * 3600 * 1000;

/**
 * Looks at everything that a start looks at: options and their file, permissions, certificates,
 * secrets, the service, the log file, and each port, which is opened for a moment. A port that is in use
 * is told of, and is no error: the server that is to be replaced may have it.
 *
 * @throws {UsageError} {Error} for the first thing that is wrong.
 */
export async function check(context: ProgramContext): Promise<number> {
  const { options, host: { stdout } } = context;
  const tell = (event: Event, line: string) =>
    stdout.write(options.on("json") ? eventLine(event) : `${line}\n`);
  const prepared = await prepare(context);
  if (options.text("config") !== undefined) {
    tell({ event: "checked", config: options.text("config") }, `${options.text("config")}: good`);
  }
  const until = await validUntil(prepared.tls);
  if (until !== undefined) {
    const soon = until.getTime() - Date.now() < SOON;
    const when = until.toISOString();
    tell(
      { event: "checked", certificate: options.text("cert") ?? "self-signed", until: when, soon },
      `certificate: valid until ${when}${soon ? ", which is soon" : ""}`,
    );
  }
  await checkService(context, prepared);
  await checkLogFile(options.text("log-file"));
  const possible = await possibleWorkers(options);
  if (possible.wanted > 1) tell({ event: "checked", ...possible }, inWords(possible));
  for (const [endpoint, open] of portsOf(context, prepared)) {
    const state = await stateOf(open);
    const words = state === "free" ? "free" : "in use now: a server that is to be replaced has it?";
    tell({ event: "checked", endpoint, state }, `${endpoint}: ${words}`);
  }
  return EXIT.done;
}

/** When the first certificate of a chain ends. */
async function validUntil(tls: TlsListenOptions | undefined): Promise<Date | undefined> {
  if (tls === undefined) return undefined;
  const { fingerprintOfPair } = await import("../../transport/tls.ts");
  fingerprintOfPair(tls); // Whether it is a certificate.
  const { X509Certificate } = await import("node:crypto");
  const { validFrom, validTo } = new X509Certificate(tls.cert);
  const [from, to] = [new Date(validFrom), new Date(validTo)];
  if (to.getTime() < Date.now()) {
    throw new Error(`the certificate has ended on ${to.toISOString()}: get another one`);
  }
  if (from.getTime() > Date.now()) {
    throw new Error(`the certificate begins on ${from.toISOString()}: is the clock right?`);
  }
  return to;
}

/** Makes the service, but for a history, which would be created. */
async function checkService(context: ProgramContext, { name, limits }: Prepared): Promise<void> {
  const history = context.options.text("history");
  if (history === undefined) {
    const service = await makeService(name, context, limits.chat);
    return await service.close?.();
  }
  await secretFrom(context, "operator-token");
  for (const permission of ["read", "write"] as const) {
    await requireFile(permission, history, `--history ${history}`);
  }
  try {
    const { isDirectory } = await Deno.stat(dirname(history));
    if (!isDirectory) throw new Deno.errors.NotADirectory();
  } catch (error) {
    throw new Error(`--history ${history}: ${reasonOf(error)}`, { cause: error });
  }
}

/** Whether the file can be opened as the server would. It is not left behind. */
async function checkLogFile(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  await requireFile("write", path, `--log-file ${path}`);
  const options = { append: true, create: true };
  try {
    const file = await Deno.open(path, { write: true, createNew: true }).catch((error) => {
      if (error instanceof Deno.errors.AlreadyExists) return undefined;
      throw error;
    });
    if (file === undefined) return (await Deno.open(path, options)).close();
    file.close();
    await Deno.remove(path);
  } catch (error) {
    throw new Error(`--log-file ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

/** Something to open for a moment, by its name. */
type Port = [name: string, open: () => Promise<AsyncDisposable | undefined>];

/** What to open. */
function portsOf(
  context: ProgramContext,
  { endpoints, watched, limits, tls }: Prepared,
): Port[] {
  const service = { handle: () => Promise.resolve() };
  const options: ListenOptions<unknown> = { ...listenOptions(context, service, limits), tls };
  const open = (endpoint: string) => listen(endpoint, options, (peer) => peer.abort());
  const ports = endpoints.map((endpoint): Port => [endpoint, () => open(endpoint)]);
  if (watched.length === 0) return ports;
  return [...ports, [
    `--metrics ${context.options.text("metrics")}`,
    () => openMonitor(watched, tls),
  ]];
}

async function stateOf(
  open: () => Promise<AsyncDisposable | undefined>,
): Promise<"free" | "in use"> {
  try {
    await using _ = await open();
    return "free";
  } catch (error) {
    if (error instanceof ListenError && isInUse(error)) return "in use";
    throw error;
  }
}

function isInUse({ cause }: Error): boolean {
  const { AddrInUse, AlreadyExists } = Deno.errors; // The latter for Unix sockets.
  return cause instanceof AddrInUse || cause instanceof AlreadyExists ||
    cause instanceof Error && isInUse(cause);
}
