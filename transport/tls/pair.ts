/** A certificate and its private key: found in PEM, in whatever order, and proven to be able to serve. */

import { builtin } from "../../internal/runtime/builtin.ts";
import type { KeyObject, X509Certificate } from "node:crypto";
import { readCertificates, toPem } from "./certificates.ts";

const { createPrivateKey, sign, verify } = builtin("node:crypto");

const KEY = /-----BEGIN ([A-Z ]*)PRIVATE KEY-----[^]*?-----END \1PRIVATE KEY-----/g;
/** What is signed to see whether a key is the certificate's. */
const SAMPLE = new Uint8Array(32);
/** Deno's engine has these and no others, and what it signs them with. */
const CURVES: Readonly<Record<string, string>> = {
  prime256v1: "sha256",
  secp384r1: "sha384",
  secp521r1: "sha512",
};
const MIN_RSA_BITS = 2048;
const USABLE = "it must be RSA with 2048 bits or more, EC on P-256, P-384 or P-521, or Ed25519";

/** A pair, each in PEM. */
export interface TlsPair {
  /** The certificate, and those above it behind it. */
  readonly cert: string;
  /** Its private key, and nothing else. */
  readonly key: string;
}

/** Whether a text in PEM has a private key in it. */
export function hasKey(pem: string): boolean {
  return pem.match(KEY) !== null;
}

/**
 * Finds a key, the certificate that it belongs to, and the certificates above that one, in texts that may
 * hold more, in any order; both may be the same text.
 *
 * @throws {TypeError} naming the option, when there are none, when they do not belong together, and when
 * no handshake could be done with them.
 */
export function readPair(cert: string, key: string): TlsPair {
  const certificates = readCertificates(cert, "tls.cert");
  const keys = readKeys(key);
  for (const [pem, readable] of keys) {
    const own = certificates.find((certificate) => certificate.checkPrivateKey(readable));
    if (own === undefined) continue;
    checkUsable(readable, own);
    return { cert: toPem(inOrder(own, certificates)), key: `${pem}\n` };
  }
  throw new TypeError(
    `Cannot use tls.key: it is not the key of the certificate in tls.cert, ${
      subjectOf(certificates[0])
    }`,
  );
}

/**
 * SHA-256 of the certificate that a server shows, in hex with colons, wherever it stands in the text.
 *
 * @throws {TypeError} as {@linkcode readPair} does.
 */
export function fingerprintOfPair({ cert, key = cert }: { cert: string; key?: string }): string {
  return readCertificates(readPair(cert, key).cert, "tls.cert")[0].fingerprint256;
}

/** All keys of a text that can be read, each in PEM too. */
function readKeys(text: string): [pem: string, key: KeyObject][] {
  const blocks = text.match(KEY) ?? [];
  if (blocks.length === 0) {
    throw new TypeError(
      "Cannot use tls.key: it has no key in PEM, which begins with -----BEGIN PRIVATE KEY-----",
    );
  }
  const open = blocks.filter((block) => !block.includes("ENCRYPTED"));
  if (open.length === 0) {
    throw new TypeError(
      'Cannot use tls.key: it is encrypted; decrypt it with "openssl pkey -in KEY -out NEW"',
    );
  }
  return open.map((block) => {
    try {
      return [block, createPrivateKey(block)];
    } catch (cause) {
      throw new TypeError("Cannot use tls.key: the key in it cannot be read", { cause });
    }
  });
}

/** The certificate that is shown, then who issued it, and so on; then what is left. */
function inOrder(own: X509Certificate, all: readonly X509Certificate[]): X509Certificate[] {
  const rest = all.filter((certificate) => certificate !== own);
  const chain = [own];
  for (;;) {
    const above = rest.findIndex((certificate) => chain.at(-1)!.checkIssued(certificate));
    if (above < 0) return [...chain, ...rest];
    chain.push(...rest.splice(above, 1));
  }
}

/** Looks now for what would end each handshake. */
function checkUsable(key: KeyObject, certificate: X509Certificate): void {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  const bits = details?.modulusLength ?? 0;
  const curve = details?.namedCurve ?? "";
  const hash = type === "rsa" && bits >= MIN_RSA_BITS ? "sha256" : CURVES[curve];
  if (hash === undefined && type !== "ed25519") {
    const size = bits > 0 ? ` of ${bits} bits` : curve === "" ? "" : ` on ${curve}`;
    throw new TypeError(`Cannot use tls.key: it is ${type}${size}, and ${USABLE}`);
  }
  if (proves(key, certificate, hash)) return;
  throw new TypeError(
    `Cannot use tls.key: what it signs does not fit the certificate in tls.cert, ${
      subjectOf(certificate)
    }`,
  );
}

function proves(key: KeyObject, { publicKey }: X509Certificate, hash: string | undefined): boolean {
  try {
    return verify(hash, SAMPLE, publicKey, sign(hash, SAMPLE, key));
  } catch {
    return false; // It cannot sign at all.
  }
}

function subjectOf(certificate: X509Certificate): string {
  return certificate.subject
    ? `"${certificate.subject.replaceAll("\n", ", ")}"`
    : "which is nameless";
}
