/** The two ends of a relay: where it listens, and what it connects to. */

import type { FramingText } from "../../../codec.ts";
import { connect, type ConnectOptions } from "../../../connect/connect.ts";
import type { Connection } from "../../../connection.ts";
import { type Handler, listen, type ListenOptions, type Server } from "../../../listen/listen.ts";
import {
  formatEndpoint,
  framingOf,
  hasFraming,
  parseEndpoint,
  withFraming,
} from "../../../transport.ts";
import { eventLine } from "../../shared/events.ts";
import { limitsFrom } from "../../shared/limits.ts";
import { UsageError } from "../../shared/options.ts";
import { requireListen } from "../../shared/permissions.ts";
import type { Reporter } from "../../shared/report.ts";
import { serverTls } from "../../shared/secure.ts";
import { tellingOfPeers } from "../../shared/turned_away.ts";
import { connectOptionsFor } from "../connecting.ts";
import type { ToolContext } from "../context.ts";

/** The largest message that is accepted at either end, in bytes, if nothing else is said. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/**
 * Looks at the listening end, and reads the files for it, but does not listen yet. What is returned
 * does.
 *
 * @throws {UsageError} {TypeError} {Error} for endpoints, options and files that cannot be used.
 */
export async function listeningEnd(
  endpoint: string,
  context: ToolContext,
  more: ListenOptions = {},
): Promise<(handler: Handler<Uint8Array>) => Promise<Server>> {
  const { options, reporter } = context;
  if (parseEndpoint(endpoint).transport === "memory") {
    throw new UsageError(`"${endpoint}": memory: is only for within one program`);
  }
  const { session, udp, chat: _, others } = limitsFrom(options, "relay");
  await requireListen(endpoint);
  const { tls, fingerprint } = await serverTls(options, [endpoint]);
  const limits = {
    maxMessageBytes: options.number("max-message") ?? MAX_MESSAGE_BYTES,
    ...others,
  };
  const listenOptions: ListenOptions = {
    ...limits,
    framing: options.text("framing") as FramingText | undefined,
    tls,
    allow: options.list("allow"),
    deny: options.list("deny"),
    ...(udp !== undefined && { udp }),
    ...(session !== undefined && { session }),
    ...tellingOfPeers(reporter, limits),
    ...more,
  };
  return async (handler) => {
    const server = await listen(endpoint, listenOptions, handler);
    tellListening(server.endpoints, context);
    if (fingerprint !== undefined) tellFingerprint(fingerprint, reporter);
    return server;
  };
}

/** Scripts wait for this line, which is that of the server program. */
function tellListening(endpoints: readonly string[], { options, host }: ToolContext): void {
  for (const endpoint of endpoints) {
    const line = options.on("json")
      ? eventLine({ event: "listening", endpoint })
      : `listening on ${endpoint}\n`;
    host.stdout.write(line);
  }
}

function tellFingerprint(fingerprint: string, reporter: Reporter): void {
  reporter.event(
    { event: "certificate", fingerprint },
    `throw-away certificate; clients trust it with --fingerprint ${fingerprint}`,
  );
}

/** The end to connect to. */
export interface Dial {
  /** The endpoint, with its framing. */
  readonly endpoint: string;
  /** Connects, as often as it is called. */
  connect(): Promise<Connection>;
}

/**
 * Looks at the end to connect to, and reads the files for it.
 *
 * @throws {UsageError} {TypeError} {Error} for endpoints, options and files that cannot be used.
 */
export async function diallingEnd(
  endpoint: string,
  context: ToolContext,
  more: Pick<ConnectOptions, "through"> = {},
): Promise<Dial> {
  const { options } = context;
  const target = parseEndpoint(endpoint);
  if ("port" in target && target.port === 0) {
    throw new UsageError(`"${endpoint}": port 0 is only for listening`);
  }
  const given = hasFraming(target) ? options.text("framing") as FramingText | undefined : undefined;
  const connectOptions = {
    ...await connectOptionsFor(endpoint, context, "relay"),
    maxMessageBytes: options.number("max-message") ?? MAX_MESSAGE_BYTES,
    framing: framingOf(target) ?? given,
    ...more,
  };
  const { framing = "u32be" } = connectOptions;
  return {
    endpoint: formatEndpoint(withFraming(target, framing)),
    connect: () => connect(endpoint, connectOptions),
  };
}
