/** From the client's options to those of `connect()`. */

import type { FramingText } from "../../codec.ts";
import type { ConnectOptions } from "../../connect/connect.ts";
import type { Connection } from "../../connection.ts";
import { ConnectError } from "../../errors.ts";
import { Attempts, backoff, pause } from "../../internal/retry.ts";
import type { WebConnectOptions } from "../../transport.ts";
import { limitsFrom } from "../shared/limits.ts";
import { type ParsedOptions, UsageError } from "../shared/options.ts";
import { requireConnect } from "../shared/permissions.ts";
import type { ProgramContext } from "../shared/program.ts";
import { secretFrom } from "../shared/secrets.ts";
import { clientTls } from "../shared/secure.ts";
import { tracing } from "../shared/tracing.ts";
import { namesProxy } from "./proxy_variables.ts";

/** A relay's `--cert` and `--key` are for where it listens. */
const RELAY_CERTIFICATE = { cert: "client-cert", key: "client-key" };

/**
 * What to connect to an endpoint with. A relay both listens and connects. Files are read, and permissions are looked at.
 *
 * @throws {UsageError} for options that contradict each other or are useless here.
 * @throws {Error} for what cannot be read, and where a permission is missing.
 */
export async function connectOptionsFor(
  endpoint: string,
  program: ProgramContext,
  side: "client" | "relay" = "client",
): Promise<ConnectOptions> {
  const { options, reporter } = program;
  const proxy = await proxyFrom(endpoint, program);
  await requireConnect(endpoint, proxy);
  const { session, others } = limitsFrom(options, side);
  if (session !== undefined && !options.on("session")) {
    const [name] = Object.keys(session);
    throw new UsageError(`--limit session.${name} is for sessions: say --session as well`);
  }
  return {
    framing: options.text("framing") as FramingText | undefined,
    maxMessageBytes: options.number("max-message"),
    connectTimeout: options.number("timeout"),
    ...others,
    tls: await clientTls(
      options,
      endpoint,
      reporter,
      side === "relay" ? RELAY_CERTIFICATE : undefined,
    ),
    proxy,
    source: options.text("source")?.replace(/^\[|\]$/g, ""),
    web: webFrom(options, endpoint),
    token: await secretFrom(program, "token"),
    ...(options.on("session") && { session: session ?? true }),
    telemetry: await tracing(),
  };
}

/**
 * Connects, and tries again as often as `--retry` says, with longer and longer waits in between.
 *
 * @throws {ConnectError} the last failure.
 */
export async function connectAgain(
  connect: () => Promise<Connection>,
  program: ProgramContext,
  stopped: AbortSignal,
): Promise<Connection> {
  const retries = program.options.number("retry") ?? 0;
  if (retries === 0) return await connect();
  const attempts = new Attempts(backoff({ maxAttempts: retries + 1 }));
  for (;;) {
    try {
      return await connect();
    } catch (error) {
      if (!(error instanceof ConnectError) || stopped.aborted) throw error;
      const wait = attempts.failed(error);
      if (wait === undefined) throw error;
      program.reporter.event(
        { event: "retry", error: error.message },
        `${error.message}; trying again in ${(wait / 1000).toFixed(1)} s`,
      );
      await pause(wait, stopped);
      stopped.throwIfAborted();
    }
  }
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
