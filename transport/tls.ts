/** TLS: `tls://HOST:PORT`. */

import type { Endpoint, TlsEndpoint, TlsListenOptions } from "../transport.ts";
import { DenoListener, requireDeno } from "./deno_conn.ts";
import { dial } from "./dial.ts";
import type { AcceptedPeer, TransportKind, TransportListener } from "./kind.ts";
import { wireOf } from "./tls/cipher_stream.ts";
import { startTls, Trust } from "./tls/client.ts";
import { acceptTls, Credentials } from "./tls/server.ts";

export { fingerprintOf } from "./tls/certificates.ts";
export { fingerprintOfPair, hasKey } from "./tls/pair.ts";
export { TlsError } from "../errors.ts";

/** TLS 1.2 and 1.3 by `node:tls`, over sockets of Deno. */
export const tls: TransportKind<TlsEndpoint> = {
  // deno-lint-ignore require-await
  async listen(endpoint, { backlog, tls: options }) {
    requireDeno();
    const credentials = new Credentials(options);
    const { hostname, port } = endpoint;
    const listener = Deno.listen({ hostname, port, tcpBacklog: backlog });
    return new TlsListener(listener, { ...endpoint, port: listener.addr.port }, credentials);
  },
  async connect(endpoint, { signal, tls: options = {}, proxy }) {
    requireDeno();
    const trust = new Trust(options, endpoint.hostname);
    return await startTls(wireOf(await dial(endpoint, { signal, proxy })), trust, signal);
  },
};

/** Accepts without waiting for handshakes, so that a silent peer delays nobody. */
export class TlsListener implements TransportListener {
  readonly endpoint: Endpoint;
  readonly #inner: DenoListener<Deno.TcpConn>;
  #credentials: Credentials;

  /** Takes over a listener. */
  constructor(listener: Deno.TcpListener, endpoint: Endpoint, credentials: Credentials) {
    this.endpoint = endpoint;
    this.#credentials = credentials;
    this.#inner = new DenoListener(listener, endpoint, (conn, { signal }) => {
      return acceptTls(wireOf(conn), this.#credentials, signal);
    });
  }

  /** The next peer, before its handshake. */
  accept(): Promise<AcceptedPeer> {
    return this.#inner.accept();
  }

  /**
   * Uses other certificates for handshakes from now on; connections that are open go on.
   *
   * @throws {TypeError} when they are wrong; then those before stay.
   */
  replaceCertificates(options: TlsListenOptions): void {
    this.#credentials = new Credentials(options);
  }

  /** Stops listening. */
  close(): void {
    this.#inner.close();
  }
}
