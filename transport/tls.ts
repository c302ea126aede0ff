/** TLS: `tls://HOST:PORT`. */

import { sockets } from "../internal/runtime/sockets.ts";
import type { SocketListener, TcpSocket } from "../internal/runtime/stream_socket.ts";
import type { Endpoint, TlsEndpoint, TlsListenOptions } from "../transport.ts";
import { dial } from "./dial.ts";
import type { AcceptedPeer, TransportKind, TransportListener } from "./kind.ts";
import { portOf } from "./port.ts";
import { behindProxy, type Open } from "./proxied.ts";
import { StreamListener } from "./stream.ts";
import { wireOf } from "./tls/cipher_stream.ts";
import { startTls, Trust } from "./tls/client.ts";
import { acceptTls, Credentials } from "./tls/server.ts";

export { fingerprintOf } from "./tls/certificates.ts";
export { fingerprintOfPair, hasKey } from "./tls/pair.ts";
export { TlsError } from "../errors.ts";

/** TLS 1.2 and 1.3 by `node:tls`, over the sockets of the runtime. */
export const tls: TransportKind<TlsEndpoint> = {
  async listen(endpoint, options) {
    const credentials = new Credentials(options.tls);
    const listener = await (await sockets()).listenTcp(portOf(endpoint, options));
    const open = { ...endpoint, port: listener.addr.port };
    return new TlsListener(listener, open, credentials, options.isProxy);
  },
  async connect(endpoint, { signal, tls: options = {}, proxy, source }) {
    const trust = new Trust(options, endpoint.hostname);
    const conn = await dial(endpoint, { signal, proxy, source });
    return await startTls(wireOf(conn), trust, signal);
  },
};

/** Accepts without waiting for handshakes, so that a silent peer delays nobody. */
export class TlsListener implements TransportListener {
  readonly endpoint: Endpoint;
  readonly #inner: StreamListener<TcpSocket>;
  #credentials: Credentials;

  /** Takes over a listener. */
  constructor(
    listener: SocketListener<TcpSocket>,
    endpoint: TlsEndpoint,
    credentials: Credentials,
    isProxy?: (hostname: string) => boolean,
  ) {
    this.endpoint = endpoint;
    this.#credentials = credentials;
    const open: Open = (conn, { signal }) => acceptTls(wireOf(conn), this.#credentials, signal);
    this.#inner = new StreamListener(
      listener,
      endpoint,
      open,
      behindProxy(endpoint, open, isProxy),
    );
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
