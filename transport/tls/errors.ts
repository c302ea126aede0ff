/** Explains failures of TLS, in words that say what to do. */

import { hint } from "../../codec/internal.ts";
import { TlsError } from "../../errors.ts";
import { peerHasGone } from "../conn.ts";

/** The network told the end of the stream, and TLS did not: the stream may be cut. */
export class CutError extends TlsError {}

/** Whether an error only says that the peer has left, in order or not. */
export function hasLeft(error: unknown): boolean {
  return error instanceof CutError ||
    peerHasGone(error instanceof TlsError ? error.cause : error);
}

/** Which end this is. */
export type Role = "server" | "client";

/** What is known about a handshake that failed. */
export interface Handshake {
  readonly role: Role;
  /** The first bytes that the peer sent. */
  readonly first: Uint8Array;
  /** The application protocols that this end knows. */
  readonly alpn: readonly string[];
}

/**
 * Patterns for the engine's messages, and our words for them. Each has the words of Deno's engine first,
 * and then those of Node's and Bun's, which have blanks or underscores between them.
 */
const REASONS: readonly [RegExp, (handshake: Handshake) => string][] = [
  [/known protocol|NoApplicationProtocol|no.application.protocol/i, ({ role, alpn }) => {
    const names = alpn.map((name) => JSON.stringify(name)).join(", ");
    return role === "server"
      ? `the client offers none of the application protocols ${names}`
      : `the server knows none of the application protocols ${names}`;
  }],
  [
    /sent no certificates|did.not.return.a.certificate/i,
    () => "the client sent no certificate, and needs one",
  ],
  [
    // A missing issuer is reported after the handshake. During it, these words mean a wrong signature.
    /unable to verify the first certificate|BadSignature|bad.signature/i,
    ({ role }) => `the ${other(role)} does not have the key of its certificate`,
  ],
  [
    /CertificateRequired|certificate.required/i,
    () => "the server wants a client certificate; give cert and key (--cert, --key)",
  ],
  [
    /alert:? ?_?(unknown.?ca|bad.?certificate|certificate.?(unknown|expired|revoked)|unsupported.?certificate)/i,
    ({ role }) =>
      role === "server"
        ? "the client does not trust this server's certificate"
        : "the server does not accept this client's certificate",
  ],
  [
    /ProtocolVersion|SignatureAlgorithmsExtensionRequired|DoesNotSupportTls|Tls1\dNotOffered|unsupported.protocol|alert.protocol.version/i,
    ({ role }) => `the ${other(role)} speaks no common version of TLS; this end speaks 1.2 and 1.3`,
  ],
  [
    /NoCipherSuitesInCommon|NoKxGroupsInCommon|HandshakeFailure|no.shared.cipher|handshake.failure/i,
    ({ role }) => `the ${other(role)} and this end have no cipher or key exchange in common`,
  ],
];

/** The error that explains why a handshake failed. */
export function handshakeError(cause: unknown, handshake: Handshake): TlsError {
  if (cause instanceof TlsError) return cause;
  const { role, first } = handshake;
  if (first.length > 0 && !isTls(first)) {
    const looks = hint(first);
    return new TlsError(
      `the ${other(role)} does not speak TLS${looks === undefined ? "" : `, ${looks}`}`,
      { cause },
    );
  }
  return new TlsError(
    explanationOf(cause, handshake) ?? `the handshake failed: ${messageOf(cause)}`,
    {
      cause,
    },
  );
}

/** The error that explains why a stream broke after its handshake. */
export function streamError(cause: unknown, handshake: Handshake): unknown {
  const words = explanationOf(cause, handshake);
  return words === undefined ? cause : new TlsError(words, { cause });
}

function explanationOf(cause: unknown, handshake: Handshake): string | undefined {
  const message = messageOf(cause);
  return REASONS.find(([pattern]) => pattern.test(message))?.[1](handshake);
}

/** Whether bytes are the start of a TLS record (RFC 8446, section 5.1). */
function isTls(first: Uint8Array): boolean {
  return first[0] >= 20 && first[0] <= 24 && (first.length < 2 || first[1] === 3);
}

function other(role: Role): Role {
  return role === "server" ? "client" : "server";
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
