/** Reads certificates from PEM, checks them, and describes them. */

import { builtin } from "../../internal/runtime/builtin.ts";
import type { X509Certificate } from "node:crypto";
import type { DetailedPeerCertificate } from "node:tls";
import type { PeerIdentity } from "../../transport.ts";

const crypto = builtin("node:crypto");

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
/** Only this many certificates of a chain are checked. */
const MAX_CHAIN = 10;

/**
 * Reads the certificates of a text in PEM.
 *
 * @throws {TypeError} which names the option, if there are none or one cannot be read.
 */
export function readCertificates(pem: string, option: string): X509Certificate[] {
  const blocks = pem.match(BLOCK);
  if (blocks === null) {
    throw new TypeError(
      `Cannot use ${option}: it has no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----`,
    );
  }
  return blocks.map((block, i) => {
    try {
      return new crypto.X509Certificate(block);
    } catch (cause) {
      throw new TypeError(`Cannot use ${option}: certificate ${i + 1} in it cannot be read`, {
        cause,
      });
    }
  });
}

/** Certificates in PEM, each from the beginning of a line, as the engine requires. */
export function toPem(certificates: readonly X509Certificate[]): string {
  return certificates.map((certificate) => `${certificate.toString().trim()}\n`).join("");
}

/**
 * Checks the names of application protocols.
 *
 * @throws {TypeError} if TLS cannot express a name.
 */
export function checkAlpn(names: readonly string[]): readonly string[] {
  for (const name of names) {
    const { length } = new TextEncoder().encode(name);
    if (length < 1 || length > 255) {
      throw new TypeError(
        `Cannot use tls.alpn "${name}": it has ${length} bytes, 1 to 255 are allowed`,
      );
    }
  }
  return names;
}

/**
 * The SHA-256 fingerprint of the first certificate of a text in PEM, in hex with colons.
 *
 * @throws {TypeError} if there is no certificate.
 */
export function fingerprintOf(pem: string): string {
  return readCertificates(pem, "cert")[0].fingerprint256;
}

/**
 * A fingerprint in upper-case hex with colons, to compare it.
 *
 * @throws {TypeError} if the text is not a fingerprint.
 */
export function readFingerprint(text: string): string {
  const digits = text.replaceAll(":", "").toUpperCase();
  if (!/^[0-9A-F]{64}$/.test(digits)) {
    throw new TypeError(
      `Cannot use tls.fingerprint "${text}": it must be SHA-256 in hex, 64 digits with or without colons`,
    );
  }
  return digits.match(/../g)!.join(":");
}

/** The identity that a certificate proves. */
export function identityOf(certificate: DetailedPeerCertificate): PeerIdentity {
  const altNames = splitNames(certificate.subjectaltname ?? "");
  return {
    name: first(certificate.subject?.CN) ?? altNames[0]?.replace(/^[^:]*:/, "") ?? "",
    altNames,
    issuer: first(certificate.issuer?.CN) ?? "",
    fingerprint: certificate.fingerprint256,
    expiresAt: Date.parse(certificate.valid_to),
  };
}

function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

/** Splits names at commas. A name that contains a comma is in quotes. */
function splitNames(text: string): string[] {
  return (text.match(/(?:[^,"]|"(?:[^"\\]|\\.)*")+/g) ?? []).map((name) => name.trim());
}

/** A certificate and those of its issuers, as far as the peer sent them. */
export function chainOf(certificate: DetailedPeerCertificate): DetailedPeerCertificate[] {
  const chain: DetailedPeerCertificate[] = [];
  let link: DetailedPeerCertificate | undefined = certificate;
  while (link?.raw !== undefined && chain.length < MAX_CHAIN) {
    chain.push(link);
    link = link.issuerCertificate === link ? undefined : link.issuerCertificate;
  }
  return chain;
}

/**
 * What is wrong with the dates of a certificate or of its issuers; undefined if nothing is wrong.
 * Deno's engine does not always tell wrong dates from a missing issuer.
 */
export function dateFault(certificate: DetailedPeerCertificate): string | undefined {
  for (const link of chainOf(certificate)) {
    const { valid_from, valid_to } = link;
    const { name } = identityOf(link);
    if (Date.parse(valid_to) < Date.now()) return `${JSON.stringify(name)} expired on ${valid_to}`;
    if (Date.parse(valid_from) > Date.now()) {
      return `${JSON.stringify(name)} is not valid before ${valid_from}`;
    }
  }
}

/**
 * Whether a certificate has version 3. Deno checks the handshake signature only for that version.
 * In DER such a certificate begins with `30 len 30 len a0 03 02 01 02` (RFC 5280, section 4.1).
 */
export function isVersion3(der: Uint8Array): boolean {
  const at = 2 * 2 + lengthBytes(der, 1) + lengthBytes(der, 3 + lengthBytes(der, 1));
  return [0xa0, 3, 2, 1, 2].every((byte, i) => der[at + i] === byte);
}

/** How many bytes follow the first one of a length in DER. */
function lengthBytes(der: Uint8Array, at: number): number {
  return der[at] < 0x80 ? 0 : der[at] & 0x7f;
}
