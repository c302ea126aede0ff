/** TLS of a server: its certificates, and its handshake. */

import { builtin } from "../../internal/runtime/builtin.ts";
import type {
  DetailedPeerCertificate,
  SecureContext,
  SecureContextOptions,
  TLSSocket,
} from "node:tls";
import { TlsError } from "../../errors.ts";
import { notHere, runtime } from "../../internal/runtime/runtime.ts";
import type { PeerIdentity, TlsListenOptions } from "../../transport.ts";
import { checkAlpn, dateFault, identityOf, readCertificates, toPem } from "./certificates.ts";
import { hasKey, readPair } from "./pair.ts";
import type { CipherStream, Wire } from "./cipher_stream.ts";
import { hasLeft } from "./errors.ts";
import { openTls, type TlsTransport } from "./transport.ts";

const tls = builtin("node:tls");

/** The checked certificates of a server. */
export class Credentials {
  readonly context: SecureContext;
  /** Whether clients must show a certificate. */
  readonly knowsClients: boolean;
  readonly alpn: readonly string[];

  /**
   * Checks the options.
   *
   * @throws {TypeError} if options are missing or wrong.
   */
  constructor(options: Partial<TlsListenOptions> = {}) {
    const { cert, key, clientCa, alpn = [] } = options;
    if (cert === undefined || key === undefined && !hasKey(cert)) {
      throw new TypeError(
        "Cannot listen with TLS: a certificate and its key are missing; " +
          "give tls: { cert, key } (--cert, --key)",
      );
    }
    const pair = readPair(cert, key ?? cert);
    if (clientCa !== undefined && runtime.name === "Bun") {
      throw notHere(
        "tls.clientCa",
        "its TLS does not tell a server whether a client can be trusted",
      );
    }
    const ca = clientCa === undefined ? undefined : readCertificates(clientCa, "tls.clientCa");
    this.knowsClients = ca !== undefined;
    this.alpn = checkAlpn(alpn);
    this.context = contextOf({ ...pair, ca: ca && toPem(ca) });
  }
}

/** The engine may still find something wrong, which is wrong for all handshakes. */
function contextOf(options: SecureContextOptions): SecureContext {
  try {
    return tls.createSecureContext(options);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.replace(/^error:\w+:/, "") : `${cause}`;
    throw new TypeError(`Cannot use tls.cert and tls.key: ${why}`, { cause });
  }
}

/**
 * Does the server's side of the handshake over a socket. Closes the socket if the handshake fails.
 * Resolves to undefined if the peer left before it sent a byte, as port scanners do.
 *
 * @throws {TlsError} with the reason, or the signal's reason.
 */
export async function acceptTls(
  wire: Wire,
  { context, knowsClients, alpn }: Credentials,
  signal: AbortSignal,
): Promise<TlsTransport | undefined> {
  let stream: CipherStream | undefined;
  try {
    return await openTls(wire, {
      signal,
      handshake: { role: "server", alpn },
      engine: (cipher) =>
        new tls.TLSSocket(stream = cipher, {
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

/** Checks the client's certificate: the engine finishes the handshake even if it does not trust it. */
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
 * Whether the engine trusts the peer's certificate. For a socket without a `tls.Server`, only the
 * engine's handle tells that. The certificate is trusted only if the handle reports no error.
 */
function isTrusted(socket: TLSSocket): boolean {
  const handle = (socket as { _handle?: { verifyError?(): unknown } })._handle;
  const verdict = handle?.verifyError?.();
  return verdict === "" || verdict === null;
}
