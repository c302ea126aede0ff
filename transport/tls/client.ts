/** TLS of a client: whom it trusts, and its handshake. */

import { builtin } from "../../internal/runtime/builtin.ts";
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import { TlsError } from "../../errors.ts";
import type { PeerIdentity, TlsConnectOptions } from "../../transport.ts";
import {
  checkAlpn,
  dateFault,
  identityOf,
  isVersion3,
  readCertificates,
  readFingerprint,
  toPem,
} from "./certificates.ts";
import type { Wire } from "./cipher_stream.ts";
import { hasKey, readPair } from "./pair.ts";
import { openTls, type TlsTransport } from "./transport.ts";

const { isIP } = builtin("node:net");
const { checkServerIdentity, connect } = builtin("node:tls");

/** The checked options of a client: whom it trusts, and its own certificate. */
export class Trust {
  readonly ca: string | undefined;
  /** The client's own certificate and key. */
  readonly pair: { readonly cert?: string; readonly key?: string } = {};
  readonly alpn: readonly string[];
  readonly fingerprint: string | undefined;
  readonly insecure: boolean;
  /** The name that the server's certificate must have. */
  readonly name: string;

  /**
   * Checks the options. The server's certificate must be for `hostname`, or for `serverName` if the
   * options have it.
   *
   * @throws {TypeError} if options are wrong or contradict each other.
   */
  constructor(options: TlsConnectOptions, hostname: string) {
    const { ca, cert, key, serverName = hostname, alpn = [], fingerprint, insecure = false } =
      options;
    for (
      const [a, b] of [["insecure", "fingerprint"], ["insecure", "ca"], [
        "fingerprint",
        "ca",
      ]] as const
    ) {
      if (options[a] && options[b] !== undefined) {
        throw new TypeError(`Cannot use tls.${a} together with tls.${b}: give one of them`);
      }
    }
    const ownKey = key ?? (cert !== undefined && hasKey(cert) ? cert : undefined);
    if (cert === undefined !== (ownKey === undefined)) {
      const [given, missing] = cert === undefined ? ["key", "cert"] : ["cert", "key"];
      throw new TypeError(`Cannot use tls.${given} without tls.${missing}: give both or none`);
    }
    if (serverName === "") {
      throw new TypeError('Cannot use tls.serverName "": it must not be empty');
    }
    if (cert !== undefined && ownKey !== undefined) this.pair = readPair(cert, ownKey);
    this.ca = ca === undefined ? undefined : toPem(readCertificates(ca, "tls.ca"));
    this.alpn = checkAlpn(alpn);
    this.fingerprint = fingerprint === undefined ? undefined : readFingerprint(fingerprint);
    this.insecure = insecure;
    this.name = serverName;
  }
}

/**
 * Does the client's side of the handshake over a socket. Closes the socket if the handshake fails.
 * `check` may look at the server in another way than to require that it is trusted.
 *
 * @throws {TlsError} with the reason, or the signal's reason.
 */
export function startTls(
  wire: Wire,
  trust: Trust,
  signal: AbortSignal,
  check: (socket: TLSSocket) => PeerIdentity | undefined = (socket) => identify(socket, trust),
): Promise<TlsTransport> {
  const { ca, pair, alpn, name } = trust;
  return openTls(wire, {
    signal,
    handshake: { role: "client", alpn },
    engine: (cipher) =>
      connect({
        socket: cipher,
        host: name,
        servername: isIP(name) ? "" : name, // an address is no server name (RFC 6066, section 3)
        ca,
        ...pair,
        ALPNProtocols: alpn.length > 0 ? [...alpn] : undefined,
        // The engine still checks the certificate. identify() reads the result, and explains it.
        rejectUnauthorized: false,
      }),
    check,
  });
}

/**
 * Who the server is. Undefined if anyone will do.
 *
 * @throws {TlsError} if it is not trusted, which says why.
 */
export function identify(socket: TLSSocket, trust: Trust): PeerIdentity | undefined {
  const { fingerprint, insecure, name } = trust;
  if (insecure) return undefined;
  const certificate = socket.getPeerCertificate(true) as DetailedPeerCertificate | undefined;
  if (certificate?.raw === undefined) throw new TlsError("the server sent no certificate");
  if (fingerprint !== undefined) {
    checkFingerprint(certificate, fingerprint);
    return identityOf(certificate);
  }
  if (!socket.authorized || checkServerIdentity(name, certificate) !== undefined) {
    throw new TlsError(
      `the server's certificate is not accepted: ${faultOf(certificate, socket, name)}`,
    );
  }
  return identityOf(certificate);
}

function checkFingerprint({ fingerprint256, raw }: DetailedPeerCertificate, wanted: string): void {
  if (fingerprint256 !== wanted) {
    throw new TlsError(
      `the server's certificate has fingerprint ${fingerprint256}, and not the one that was given`,
    );
  }
  // If the handshake signature is not checked, anybody can show a copy of the certificate.
  if (!isVersion3(raw)) {
    throw new TlsError("the server's certificate is not of X.509 version 3, so it proves nothing");
  }
}

/** Why a certificate is refused. */
function faultOf(certificate: DetailedPeerCertificate, socket: TLSSocket, name: string): string {
  const dates = dateFault(certificate);
  if (dates !== undefined) return dates;
  const identity = identityOf(certificate);
  if (socket.authorized || codeOf(socket.authorizationError) === "ERR_TLS_CERT_ALTNAME_INVALID") {
    const names = identity.altNames.length > 0 ? identity.altNames.join(", ") : "no host";
    return `it is for ${names}, and not for "${name}" (--server-name)`;
  }
  const [whom, issuer] = [identity.name, identity.issuer].map((text) => JSON.stringify(text));
  return `${whom} was issued by ${issuer}, which is not trusted; give that authority with ca (--ca)`;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : error;
}
