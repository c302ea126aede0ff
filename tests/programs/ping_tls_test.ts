import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { listen } from "../../mod.ts";
import { certificates, type Pair } from "../support/certificates.ts";
import { runHere } from "../support/in_process.ts";

const { ca, good, expired, elsewhere, chain } = await certificates;
const authority = await Deno.makeTempFile();
await Deno.writeTextFile(authority, ca.cert);
globalThis.addEventListener("unload", () => Deno.removeSync(authority));

/** Looks at a server with this certificate. */
async function look(tls: Pair, args: readonly string[] = ["--ca", authority], transport = "tls") {
  await using server = await listen(`${transport}://127.0.0.1:0`, { tls }, () => {});
  const endpoint = server.endpoints[0].replace("127.0.0.1", "localhost");
  return await runHere("client.ts", [endpoint, "ping", "--tls", ...args]);
}

Deno.test("ping --tls shows the chain, the names, the days left and the cipher of a trusted server", async () => {
  for (const transport of ["tls", "wss"]) {
    const { code, stdout, stderr } = await look(chain, ["--ca", authority], transport);
    assertEquals([code, stderr], [0, ""]);
    assertMatch(
      stdout,
      /^TLSv1\.3, TLS_AES_\w+, handshake in \d+\.\d ms\n1\. "localhost", issued by /,
    );
    assertMatch(
      stdout,
      /\n1\. .* issued by "Intermediate"\n {3}for DNS:localhost, IP Address:127.+\n/,
    );
    assertMatch(
      stdout,
      /\n {3}valid from \d{4}-\d\d-\d\d \S+Z to \S+ \S+Z, [01] days? left\n2\. "Interm/,
    );
    assertMatch(
      stdout,
      /\nthis machine's clock says \S+ \S+Z\n--fingerprint [0-9A-F:]{95}\ntrusted\n$/,
    );
  }
});

Deno.test("ping --tls shows what is not trusted, says why, and ends with 1", async () => {
  const faults: [Pair, string[], RegExp][] = [
    [good, [], /"localhost" was issued by "Test authority", which is not trusted; give that/],
    [expired, ["--ca", authority], /"localhost" expired on /],
    [elsewhere, ["--ca", authority], /it is for DNS:elsewhere\.example, .* not for "localhost"/],
  ];
  for (const [pair, args, words] of faults) {
    const { code, stdout, stderr } = await look(pair, args);
    assertEquals(code, 1);
    assertMatch(stdout, /^TLSv1\.3.*\n1\. "[^]*\n--fingerprint [0-9A-F:]{95}\n$/);
    assertMatch(stderr, /^error: tls:\S+ is not trusted: .*\n$/);
    assertMatch(stderr, words);
  }
  assertMatch((await look(expired, [])).stdout, /expired 1 day ago|expired 2 days ago/);
});

Deno.test("The fingerprint that ping --tls shows is what --fingerprint wants", async () => {
  const { stdout } = await look(good, []);
  const [, option] = /^(--fingerprint \S+)$/m.exec(stdout)!;
  const known = await look(good, option.split(" "));
  assertEquals([known.code, known.stderr], [0, ""]);
  const other = await look(expired, option.split(" "));
  assertEquals(other.code, 1);
  assertStringIncludes(other.stderr, "and not the one that was given");
});

Deno.test("ping --tls --json is one object with everything", async () => {
  const { code, stdout } = await look(good, ["--ca", authority, "--json"]);
  const { event, trusted, names, fingerprint, chain, daysLeft } = JSON.parse(stdout);
  assertEquals([code, event, trusted, chain.length], [0, "tls", true, 2]);
  assertEquals(names, ["DNS:localhost", "IP Address:127.0.0.1"]);
  assertEquals([fingerprint, daysLeft >= 0], [chain[0].fingerprint, true]);
});

Deno.test("ping --tls says what is there where no TLS is, and refuses what has no certificates", async () => {
  await using server = await listen(
    "tcp://127.0.0.1:0?framing=line",
    (peer) => peer.send("* Hello"),
  );
  const plain = server.endpoints[0].replace("tcp:", "tls:");
  const spoken = await runHere("client.ts", [plain, "ping", "--tls"]);
  assertMatch(spoken.stderr, /^error: Cannot connect to \S+: the server does not speak TLS, /);
  assertEquals(spoken.code, 1);
  const none = await runHere("client.ts", ["tls://127.0.0.1:1", "ping", "--tls"]);
  assertMatch(none.stderr, /connection refused, nothing listens there\n$/);
  const tcp = await runHere("client.ts", [":1", "ping", "--tls"]);
  assertMatch(tcp.stderr, /--tls looks at tls:\/\/ and wss:\/\/, and ":1" is neither; say tls:/);
  assertEquals(tcp.code, 2);
});
