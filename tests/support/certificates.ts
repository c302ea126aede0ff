/** Certificates for tests: an authority, and what it has and has not issued. */

import { Buffer } from "node:buffer";
import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";

/** A certificate and its key, in PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** What to issue. */
export interface IssueOptions {
  /** The names that it is for, host names or addresses. */
  readonly names?: readonly string[];
  /** Who issues it; itself by default. */
  readonly by?: Pair;
  /** Whether it may issue others. */
  readonly isAuthority?: boolean;
  /** From when to when it is valid, in days from now. */
  readonly days?: readonly [from: number, to: number];
}

const DAY = 24 * 60 * 60 * 1000;
const library: string = "npm:selfsigned@5.5.0";

/** Issues a certificate to a common name. */
export async function issue(commonName: string, options: IssueOptions = {}): Promise<Pair> {
  const { names = [], by, isAuthority = false, days = [-1, 1] } = options;
  const { generate } = await import(library);
  const [from, to] = days.map((day) => new Date(Date.now() + day * DAY));
  const extensions: unknown[] = [
    { name: "basicConstraints", cA: isAuthority, critical: true },
    { name: "keyUsage", digitalSignature: true, keyCertSign: isAuthority, critical: true },
  ];
  const altNames = names.map((name) =>
    isIP(name) ? { type: 7, ip: name } : { type: 2, value: name }
  );
  if (altNames.length > 0) extensions.push({ name: "subjectAltName", altNames });
  const { cert, private: key } = await generate([{ name: "commonName", value: commonName }], {
    keyType: "ec",
    algorithm: "sha256",
    notBeforeDate: from,
    notAfterDate: to,
    extensions,
    ca: by,
  });
  return { cert, key };
}

/**
 * A key in PEM (RFC 5915) that claims to be a certificate's, but is not: its public half is copied,
 * its private half made up. OpenSSL believes it, and its signatures are wrong.
 */
export function forgedKey(cert: string): string {
  const { x, y } = new X509Certificate(cert).publicKey.export({ format: "jwk" });
  const secret = crypto.getRandomValues(new Uint8Array(32));
  secret[0] = 1; // below the order of the curve
  const der = Buffer.concat([
    Buffer.from([0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20]),
    secret,
    Buffer.from([0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]),
    Buffer.from([0xa1, 0x44, 0x03, 0x42, 0x00, 0x04]),
    Buffer.from(x!, "base64url"),
    Buffer.from(y!, "base64url"),
  ]);
  return `-----BEGIN EC PRIVATE KEY-----\n${
    der.toString("base64")
  }\n-----END EC PRIVATE KEY-----\n`;
}

async function issueAll() {
  const [ca, otherCa] = await Promise.all([
    issue("Test authority", { isAuthority: true }),
    issue("Other authority", { isAuthority: true }),
  ]);
  const names = ["localhost", "127.0.0.1"];
  const inter = await issue("Intermediate", { isAuthority: true, by: ca });
  const deep = await issue("localhost", { names, by: inter });
  const [good, next, expired, elsewhere, client, stranger, oldClient] = await Promise.all([
    issue("localhost", { names, by: ca }),
    issue("localhost", { names, by: ca }),
    issue("localhost", { names, by: ca, days: [-3, -1] }),
    issue("elsewhere", { names: ["elsewhere.example", "192.0.2.1"], by: ca }),
    issue("alice", { names: ["alice.example"], by: ca }),
    issue("mallory", { by: otherCa }),
    issue("old alice", { by: ca, days: [-3, -1] }),
  ]);
  return {
    /** The authority that is trusted. */
    ca,
    /** An authority that nobody trusts. */
    otherCa,
    /** For localhost and 127.0.0.1. */
    good,
    /** Another one like `good`. */
    next,
    /** As `good`, but over. */
    expired,
    /** For other names. */
    elsewhere,
    /** As `good`, by an intermediate authority, which stands behind it. */
    chain: { cert: deep.cert + "\n" + inter.cert, key: deep.key },
    /** A client's. */
    client,
    /** A client's by `otherCa`. */
    stranger,
    /** A client's that is over. */
    oldClient,
  };
}

/** All certificates, made once. */
export const certificates: ReturnType<typeof issueAll> = issueAll();
await certificates; // Nothing of it may go on during the first test.
