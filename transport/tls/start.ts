/** TLS that begins in the middle of a stream. */

import type { StartTlsOptions } from "../../transport.ts";
import type { Wire } from "./cipher_stream.ts";
import { startTls, Trust } from "./client.ts";
import { acceptTls, Credentials } from "./server.ts";
import type { TlsTransport } from "./transport.ts";

/** A handshake whose options were checked. */
export type Starter = (wire: Wire, signal: AbortSignal) => Promise<TlsTransport>;

/**
 * Checks the options, and gives the handshake.
 *
 * @throws {TypeError} if options are wrong.
 */
export function starterOf(options: StartTlsOptions, hostname: string | undefined): Starter {
  if (options.role === "server") {
    const credentials = new Credentials(options);
    return async (wire, signal) => {
      const transport = await acceptTls(wire, credentials, signal);
      if (transport === undefined) throw new Error("the peer ended within the handshake");
      return transport;
    };
  }
  const { role = "client", fingerprint, insecure = false } = options;
  if (role !== "client") {
    throw new TypeError(`Cannot use role "${role}": it must be "client" or "server"`);
  }
  const needsName = fingerprint === undefined && !insecure;
  if (hostname === undefined && needsName && options.serverName === undefined) {
    throw new TypeError(
      "Cannot start TLS without tls.serverName: the endpoint has no host name to check",
    );
  }
  const trust = new Trust(options, hostname ?? "localhost");
  return (wire, signal) => startTls(wire, trust, signal);
}
