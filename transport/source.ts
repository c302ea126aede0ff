/** TCP connections from an address that the caller chooses, which `Deno.connect()` cannot. */

import { builtin } from "../internal/runtime/builtin.ts";
import { systemError } from "../internal/runtime/errors.ts";
import { connectTo } from "../internal/runtime/sockets/node.ts";
import { NodeTcpSocket } from "../internal/runtime/sockets/node_socket.ts";
import type { TcpSocket } from "../internal/runtime/stream_socket.ts";
import { codeOf } from "../internal/reason.ts";
import type { DialTarget } from "./proxy.ts";
import { requireNet } from "./udp/addresses.ts";

const { isIP } = builtin("node:net");

/**
 * Connects from an address of this machine, by `node:net`. A host name is looked up in the family of that
 * address.
 *
 * @throws the system's error, or the signal's reason.
 */
export async function openFrom(
  source: string,
  { hostname, port }: DialTarget,
  signal: AbortSignal,
): Promise<TcpSocket> {
  signal.throwIfAborted();
  const family = isIP(source) === 6 ? 6 : 4;
  if (isIP(hostname) !== 0 && isIP(hostname) !== family) {
    throw new Error(`${source} is of IPv${family}, and ${hostname} is not`);
  }
  requireNet(source, 0); // Node's module would throw it where nobody can catch it.
  const from = { host: hostname, port, localAddress: source, family, noDelay: true };
  try {
    return new NodeTcpSocket(await connectTo(from, signal));
  } catch (error) {
    signal.throwIfAborted();
    throw explained(error as Error, source, family);
  }
}

/** The error as `Deno.connect()` would throw it. */
function explained(cause: Error & { syscall?: string }, source: string, family: 4 | 6): unknown {
  if (cause.syscall === "bind") {
    return new Error(`this machine does not have the address ${source} to connect from`, { cause });
  }
  if (codeOf(cause) === "ENOTFOUND") {
    return new Error(`unknown host, or it has no address of IPv${family}, as ${source} is`, {
      cause,
    });
  }
  return systemError(cause);
}
