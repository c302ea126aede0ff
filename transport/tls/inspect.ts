/** Looks at a server's certificates without trusting them. */

import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import { TlsError } from "../../errors.ts";
import type { PeerIdentity } from "../../transport.ts";
import { dial } from "../dial.ts";
import type { TransportConnectOptions } from "../kind.ts";
import type { DialTarget } from "../proxy.ts";
import { chainOf, identityOf } from "./certificates.ts";
import { wireOf } from "./cipher_stream.ts";
import { identify, startTls, Trust } from "./client.ts";

/** One certificate of a chain. */
export interface CertificateReport extends PeerIdentity {
  /** From when on it is valid, in milliseconds since 1970. */
  readonly validFrom: number;
  /** Whether it was issued by itself. */
  readonly isSelfSigned: boolean;
}

/** What a server shows in its handshake. */
export interface TlsReport {
  /** The version, such as `TLSv1.3`. */
  readonly protocol: string;
  /** The cipher suite. */
  readonly cipher: string;
  /** The server's certificate, and those of its issuers that the server sent or this end knows. */
  readonly chain: readonly CertificateReport[];
  /** Why the client does not trust it with its options. Undefined if it does. */
  readonly fault: string | undefined;
  /** How long the handshake took, in milliseconds. */
  readonly time: number;
}

/**
 * Does a handshake, tells what the server showed, and closes: nothing else is sent, whether the server is
 * trusted or not.
 *
 * @throws {TlsError} if there is no handshake, with the reason.
 * @throws {TypeError} for options that are wrong or contradict each other.
 * @throws the system's error, or the signal's reason.
 */
export async function inspectTls(
  target: DialTarget,
  { signal, tls = {}, proxy, source }: TransportConnectOptions,
): Promise<TlsReport> {
  const trust = new Trust(tls, target.hostname);
  const conn = await dial(target, { signal, proxy, source });
  const startedAt = performance.now();
  let report: TlsReport | undefined;
  const check = (socket: TLSSocket) => {
    report = reportOf(socket, trust, performance.now() - startedAt);
    return undefined;
  };
  const transport = await startTls(wireOf(conn), trust, signal, check);
  transport.close();
  return report!;
}

function reportOf(socket: TLSSocket, trust: Trust, time: number): TlsReport {
  const certificate = socket.getPeerCertificate(true) as DetailedPeerCertificate | undefined;
  return {
    protocol: socket.getProtocol() ?? "unknown",
    cipher: socket.getCipher().standardName,
    chain: certificate === undefined ? [] : chainOf(certificate).map(certificateOf),
    fault: faultOf(socket, trust),
    time,
  };
}

function certificateOf(certificate: DetailedPeerCertificate): CertificateReport {
  return {
    ...identityOf(certificate),
    validFrom: Date.parse(certificate.valid_from),
    isSelfSigned: certificate.issuerCertificate === certificate,
  };
}

function faultOf(socket: TLSSocket, trust: Trust): string | undefined {
  try {
    identify(socket, trust);
    return undefined;
  } catch (error) {
    if (error instanceof TlsError) return error.message;
    throw error;
  }
}
