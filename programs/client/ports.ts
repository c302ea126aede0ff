/** The client's `ping --port FROM-TO`: which ports of a host are open. */

import { pooledMap } from "@std/async/pool";
import { connect } from "../../connect/connect.ts";
import { ConnectError } from "../../errors.ts";
import { formatEndpoint, parseEndpoint } from "../../transport.ts";
import { EXIT, UsageError } from "../shared/options.ts";
import { requireConnect } from "../shared/permissions.ts";
import type { ClientContext } from "./context.ts";

/** How many attempts are under way at a time. */
const AT_ONCE = 32;
/** How long one may take if nothing else is said, in milliseconds. */
const TIMEOUT = 2_000;

/** What is known of a port. */
interface Probe {
  readonly port: number;
  readonly open: boolean;
  /** How long it took to connect, in milliseconds. */
  readonly connectTime?: number;
  /** Why it is not open. */
  readonly error?: string;
}

/**
 * Connects to each port of a range, with the handshake of TLS or WebSocket where the endpoint has one,
 * and says nothing. Prints the open ones, and ends with 1 if there is none.
 */
export async function pingPorts(context: ClientContext, range: string): Promise<number> {
  const { options, reporter, stopped, host: { stdout } } = context;
  const target = parseEndpoint(context.endpoint);
  if (!("port" in target) || target.transport === "udp") {
    throw new UsageError(`--port: "${context.endpoint}" has no ports that are open or not`);
  }
  const ports = portsOf(range);
  const { tls, proxy, source, web } = context.connectOptions;
  const connectTimeout = options.number("timeout") ?? TIMEOUT;
  const probe = async (port: number): Promise<Probe> => {
    stopped.throwIfAborted();
    const endpoint = formatEndpoint({ ...target, port });
    await requireConnect(endpoint, proxy);
    const startedAt = performance.now();
    try {
      const connection = await connect(endpoint, { connectTimeout, tls, proxy, source, web });
      const connectTime = performance.now() - startedAt;
      connection.abort();
      await connection.closed;
      return { port, open: true, connectTime };
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      return { port, open: false, error: error.message };
    }
  };
  let open = 0;
  for await (const result of pooledMap(AT_ONCE, ports, probe)) {
    if (result.open) open++;
    if (options.on("json")) reporter.event({ event: "port", ...result });
    else if (result.open) {
      stdout.write(`${result.port} open, ${result.connectTime!.toFixed(3)} ms\n`);
    }
    await stdout.room();
  }
  if (options.on("json")) reporter.event({ event: "summary", ports: ports.length, open });
  else stdout.write(`${open} of ${ports.length} ports of ${target.hostname} open\n`);
  return open > 0 ? EXIT.done : EXIT.lost;
}

function portsOf(range: string): number[] {
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(range) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (!(from >= 1 && from <= to && to <= 65_535)) {
    throw new UsageError(`--port ${range}: it must be a port or FROM-TO, of 1 to 65535`);
  }
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
