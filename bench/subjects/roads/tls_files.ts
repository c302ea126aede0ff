/** The certificates of the roads that want them. */

/** A server's certificate and key, and who issued it, in PEM. */
export interface Tls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Issues certificates for loopback, and puts them where the programs look for them. */
export async function writeTls(directory: string): Promise<void> {
  // Not before it is needed: it takes a package, and a while.
  const { issue } = await import("../../../tests/support/certificates.ts");
  const authority = await issue("Bench authority", { isAuthority: true });
  const { cert, key } = await issue("localhost", { names: ["127.0.0.1"], by: authority });
  for (const [name, pem] of Object.entries({ ca: authority.cert, cert, key })) {
    await Deno.writeTextFile(`${directory}/${name}.pem`, pem);
  }
}
