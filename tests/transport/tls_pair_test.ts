/** Certificates and keys as files have them: what is found in PEM, and what is refused at the start. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { connect, listen } from "../../mod.ts";
import { fingerprintOf } from "../../transport/tls.ts";
import { certificates, forgedKey, type Pair } from "../support/certificates.ts";
import { runHere, ServerHere } from "../support/in_process.ts";

const { ca, chain, client, good, next } = await certificates;
const trust = { ca: ca.cert };
const [leaf, above] = chain.cert.match(/-----BEGIN[^]+?-----END CERTIFICATE-----\n?/g)!;
/** What "openssl ecparam -genkey" puts before a key. */
const PARAMETERS = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
const ENCRYPTED =
  "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";

/** Serves with a pair; resolves to the fingerprint that a client sees which trusts the authority. */
async function seen(tls: { cert: string; key?: string }): Promise<string | undefined> {
  await using server = await listen("tls://127.0.0.1:0", { tls }, () => {});
  await using connection = await connect(server.endpoints[0], { tls: trust });
  return connection.peer?.fingerprint;
}

const FOUND: [string, { cert: string; key?: string }, Pair][] = [
  ["certificate and key in one text", { cert: good.cert + good.key }, good],
  ["key and certificate in one text", { cert: `${good.key}\n${good.cert}` }, good],
  ["the one text for both", { cert: good.cert + good.key, key: good.cert + good.key }, good],
  ["words around the blocks", { cert: `subject=x\n${good.cert}\nkey:\n${good.key}\nend` }, good],
  ["lines that end in CR LF", { cert: (good.cert + good.key).replaceAll("\n", "\r\n") }, good],
  ["the parameters of a curve", { cert: good.cert, key: PARAMETERS + good.key }, good],
  ["another one's key before", { cert: good.cert, key: next.key + good.key }, good],
  ["an encrypted key before", { cert: good.cert, key: ENCRYPTED + good.key }, good],
  ["the issuer before", { cert: above + leaf, key: chain.key }, { ...chain, cert: leaf }],
  ["another certificate before", { cert: next.cert + good.cert, key: good.key }, good],
];

for (const [what, tls, { cert }] of FOUND) {
  Deno.test(`tls: finds certificate and key with ${what}`, async () => {
    assertEquals(await seen(tls), fingerprintOf(cert));
  });
}

Deno.test("tls: a client's certificate and key may be one text, in any order", async () => {
  const tls = { ...good, clientCa: ca.cert };
  await using server = await listen("tls://127.0.0.1:0", { tls }, async (connection) => {
    await connection.send(connection.peer!.name);
  });
  const cert = client.key + client.cert;
  await using connection = await connect(server.endpoints[0], { tls: { ...trust, cert } });
  assertEquals(new TextDecoder().decode(await connection.receive()), "alice");
});

/** Makes a key and a certificate for it by OpenSSL; undefined where there is none, or none of that kind. */
async function byOpenssl(...options: string[]): Promise<string | undefined> {
  const args = ["req", "-x509", "-nodes", "-days", "1", "-subj", "/CN=localhost", ...options];
  const command = new Deno.Command("openssl", { args: [...args, "-keyout", "-", "-out", "-"] });
  const { code, stdout } = await command.output().catch(() => ({ code: 1, stdout: undefined }));
  return code === 0 ? new TextDecoder().decode(stdout) : undefined;
}

const KINDS: [string, string[], RegExp | undefined][] = [
  ["RSA", ["-newkey", "rsa:2048"], undefined],
  ["Ed25519", ["-newkey", "ed25519"], undefined],
  ["P-384", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1"], undefined],
  ["P-521", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp521r1"], undefined],
  ["RSA of 1024 bits", ["-newkey", "rsa:1024"], /it is rsa of 1024 bits, and it must be RSA with/],
  ["secp256k1", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"], /ec on secp256k1, /],
  ["Ed448", ["-newkey", "ed448"], /it is ed448, and it must be/],
  ["RSA-PSS", ["-newkey", "rsa-pss"], /it is rsa-pss of 2048 bits, and/],
];

for (const [kind, options, refusal] of KINDS) {
  Deno.test(`tls: a key of ${kind} ${refusal ? "is refused at the start" : "serves"}`, async () => {
    const cert = await byOpenssl(...options);
    if (cert === undefined) return console.log(`  skipped: openssl makes no key of ${kind}`);
    if (refusal !== undefined) {
      const error = await assertRejects(
        () => listen("tls://127.0.0.1:0", { tls: { cert } }),
        TypeError,
      );
      return assertMatch(error.message, refusal);
    }
    await using server = await listen("tls://127.0.0.1:0", { tls: { cert } }, () => {});
    const tls = { fingerprint: fingerprintOf(cert) };
    await using connection = await connect(server.endpoints[0], { tls });
    assert(connection.peer !== undefined);
  });
}

Deno.test("tls: a key that only claims to be the certificate's is refused at the start", async () => {
  const tls = { cert: good.cert, key: forgedKey(good.cert) };
  const error = await assertRejects(() => listen("tls://127.0.0.1:0", { tls }), TypeError);
  // Deno reads no such key; another engine may, and then its signature is looked at.
  assertMatch(error.message, /the key in it cannot be read|what it signs does not fit/);
});

Deno.test("the programs take one file for certificate and key, and show the right fingerprint", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, above + chain.key + leaf);
    const args = ["tls://127.0.0.1:0", "--cert", path];
    await using server = await ServerHere.start(args);
    const line = await server.logLine(/join with/);
    assertMatch(line, new RegExp(`--fingerprint ${fingerprintOf(leaf)}`));
    await Deno.writeTextFile(path, good.cert);
    const { code, stderr } = await runHere("server.ts", args);
    assertEquals(code, 2);
    assertMatch(stderr, /a certificate and its key are missing.*--cert, --key/);
  } finally {
    await Deno.remove(path);
  }
});
