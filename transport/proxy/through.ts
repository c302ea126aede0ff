/** Connects through a proxy. */

import { builtin } from "../../internal/runtime/builtin.ts";
import { errors } from "../../internal/runtime/errors.ts";
import { ProxyError } from "../../errors.ts";
import { reasonOf } from "../../internal/reason.ts";
import type { TcpSocket } from "../../internal/runtime/stream_socket.ts";
import { formatAddress } from "../endpoint.ts";
import type { DialTarget, Proxy } from "../proxy.ts";
import { endpointReason } from "../reasons.ts";
import { Dialogue } from "./dialogue.ts";
import { httpConnect } from "./http.ts";
import { socks5 } from "./socks5.ts";

const { isIPv6 } = builtin("node:net");
const { domainToASCII } = builtin("node:url");

const PROTOCOLS = { socks5, http: httpConnect };

/** Opens a connection to the proxy by `open`, and makes the proxy connect to the target. */
export async function dialThrough(
  proxy: Proxy,
  target: DialTarget,
  signal: AbortSignal,
  open: (target: DialTarget, signal: AbortSignal) => Promise<TcpSocket>,
): Promise<TcpSocket> {
  const destination = forProxy(target);
  const conn = await open(proxy, signal).catch((cause) => {
    throw signal.aborted ? signal.reason : unreachable(proxy, cause);
  });
  const abort = () => conn.close();
  signal.addEventListener("abort", abort, { once: true });
  try {
    await PROTOCOLS[proxy.protocol](new Dialogue(proxy, conn), destination);
    signal.throwIfAborted();
    return conn;
  } catch (cause) {
    signal.throwIfAborted();
    conn.close();
    throw cause instanceof ProxyError
      ? cause
      : new ProxyError(proxy.name, `failed: ${reasonOf(cause)}`, { cause });
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function unreachable(proxy: Proxy, cause: unknown): Error {
  // Stays a NotCapable error, so that nobody retries. It names the permission for the proxy.
  if (cause instanceof errors.NotCapable) {
    const address = formatAddress(proxy.hostname, proxy.port);
    return new errors.NotCapable(`run with --allow-net=${address}`, { cause });
  }
  return new ProxyError(
    proxy.name,
    `cannot be reached: ${endpointReason(cause, proxy, "connect")}`,
    { cause },
  );
}

/** The destination in a form that every proxy understands. */
function forProxy({ hostname, port }: DialTarget): DialTarget {
  const ascii = /^\p{ASCII}*$/u.test(hostname) ? hostname : domainToASCII(hostname);
  // Other characters could be taken for another part of the request.
  if (/^[\w.-]{1,255}$/.test(ascii) || (isIPv6(ascii) && !ascii.includes("%"))) {
    return { hostname: ascii, port };
  }
  throw new TypeError(
    `through a proxy, the host must be an address without zone or 1 to 255 of A-Z a-z 0-9 . _ -, ` +
      `not "${hostname}"`,
  );
}
