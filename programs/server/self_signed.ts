/** A throw-away certificate, for trying out TLS. */

import { isIP } from "node:net";
import { isWildcard } from "../../internal/address.ts";
import { fingerprintOf } from "../../transport/tls.ts";

/** A certificate that nobody vouches for, with its key, both in PEM. */
export interface SelfSigned {
  /** The certificate. */
  readonly cert: string;
  /** Its private key. */
  readonly key: string;
  /**
   * The SHA-256 of the certificate, in hexadecimal with colons. Clients can recognize the
   * certificate by it.
   */
  readonly fingerprint: string;
}

const LIBRARY = "npm:selfsigned@5.5.0";
const VALID_DAYS = 7;
const DAY = 24 * 60 * 60 * 1000;

/** The part of the library that is used. */
interface Library {
  generate(
    attributes: { name: string; value: string }[],
    options: Record<string, unknown>,
  ): Promise<{ cert: string; private: string }>;
}

/**
 * Makes a certificate and its key (EC, P-256) for this machine and the given hosts, valid for a
 * week. The library for this is downloaded at the first call.
 *
 * @throws {TypeError} if the library cannot be loaded.
 */
export async function selfSigned(hostnames: readonly string[] = []): Promise<SelfSigned> {
  const names = new Set(["localhost", "127.0.0.1", "::1", ...hostnames]);
  for (const name of names) if (name === "" || isWildcard(name)) names.delete(name);
  const now = Date.now();
  // The name is in a variable, so Deno downloads the library only when it is used.
  const library: string = LIBRARY;
  const { generate } = await import(library) as Library;
  const { cert, private: key } = await generate([{ name: "commonName", value: "localhost" }], {
    keyType: "ec",
    curve: "P-256",
    algorithm: "sha256",
    notBeforeDate: new Date(now - DAY), // clocks differ
    notAfterDate: new Date(now + VALID_DAYS * DAY),
    extensions: [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      { name: "subjectAltName", altNames: Array.from(names, altName) },
    ],
  });
  return { cert, key, fingerprint: fingerprintOf(cert) };
}

function altName(name: string): { type: number; value?: string; ip?: string } {
  return isIP(name) ? { type: 7, ip: name } : { type: 2, value: name };
}
