/** A server's part of TLS: its certificates, and the handshake. */

import {
  createSecureContext,
  type DetailedPeerCertificate,
  type SecureContext,
  TLSSocket,
} from "node:tls";
import { TlsError } from "../../errors.ts";
import type { PeerIdentity, TlsListenOptions } from "../../transport.ts";
import {
  checkAlpn,
  dateFault,
  identityOf,
  readCertificates,
  readPair,
  toPem,
} from "./certificates.ts";
import type { CipherStream } from "./cipher_stream.ts";
import { hasLeft } from "./errors.ts";
import { openTls, type TlsTransport } from "./transport.ts";

/** The certificates of a server, checked. */
export class Credentials {
  readonly context: SecureContext;
  /** Whether clients must show a certificate. */
  readonly knowsClients: boolean;
  readonly alpn: readonly string[];

  /**
   * Checks them.
   *
   * @throws {TypeError} for options that are missing or wrong.
   */
  constructor(options: Partial<TlsListenOptions> = {}) {
    const { cert, key, clientCa, alpn = [] } = options;
    if (cert === undefined || key === undefined) {
      throw new TypeError(
        "Cannot listen with TLS: a certificate and its key are missing; " +
          "give tls: { cert, key } (--cert, --key)",
      );
    }
    const pair = readPair(cert, key);
    const ca = clientCa === undefined ? undefined : readCertificates(clientCa, "tls.clientCa");
    this.knowsClients = ca !== undefined;
    this.alpn = checkAlpn(alpn);
    this.context = createSecureContext({ ...pair, ca: ca && toPem(ca) });
  }
}

/**
 * Does a server's part of the handshake over a socket, which it closes if that fails. Resolves to
 * undefined for a peer that left before it sent a byte, as those do that look whether a port is open.
 *
 * @throws {TlsError} with the reason, or the signal's reason.
 */
export async function acceptTls(
  conn: Deno.TcpConn,
  { context, knowsClients, alpn }: Credentials,
  signal: AbortSignal,
): Promise<TlsTransport | undefined> {
  let stream: CipherStream | undefined;
  try {
    return await openTls(conn, {
      signal,
      handshake: { role: "server", alpn },
      engine: (cipher) =>
        new TLSSocket(stream = cipher, {
          isServer: true,
          secureContext: context,
          requestCert: knowsClients,
          rejectUnauthorized: knowsClients,
          ALPNProtocols: alpn.length > 0 ? [...alpn] : undefined,
        }),
      check: (socket) => knowsClients ? identify(socket) : undefined,
    });
  } catch (error) {
    if (stream?.first.length === 0 && hasLeft(error)) return undefined;
    throw error;
  }
}

/** The engine finishes the handshake with a certificate that it does not trust, and leaves the rest to us. */
function identify(socket: TLSSocket): PeerIdentity {
  const certificate = socket.getPeerCertificate(true) as DetailedPeerCertificate | undefined;
  if (certificate?.raw === undefined) {
    throw new TlsError("the client sent no certificate, and needs one");
  }
  const identity = identityOf(certificate);
  if (!isTrusted(socket)) {
    const fault = dateFault(certificate) ??
      `${JSON.stringify(identity.name)} was not issued by an authority in clientCa`;
    throw new TlsError(`the client's certificate is not accepted: ${fault}`);
  }
  return identity;
}

/**
 * Whether the engine trusts the peer's certificate. Only its handle tells that for a socket without
 * a `tls.Server`; whatever it says but nothing is a no.
 */
function isTrusted(socket: TLSSocket): boolean {
  const handle = (socket as { _handle?: { verifyError?(): unknown } })._handle;
  const verdict = handle?.verifyError?.();
  return verdict === "" || verdict === null;
}
