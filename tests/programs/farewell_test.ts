import { assertEquals, assertMatch } from "@std/assert";
import { TextLineStream } from "@std/streams/text-line-stream";
import { join } from "node:path";
import { certificates } from "../support/certificates.ts";
import { runHere } from "../support/in_process.ts";
import { ptyTest } from "../support/pty.ts";

const { ca, good } = await certificates;
const FIXTURE = join(import.meta.dirname!, "../support/fixtures/tls_cut.py");
const NOTE =
  /^\S+ note: the peer ended without saying so \(close_notify\), after a whole message\n$/;
const CUT = /^error: Cannot receive from .*close_notify\); what it sent may be cut short\n$/;

/** What the peer answers, as hex: "hello" behind a length, whole or without its end. */
const WHOLE = "0000000568656c6c6f";
const PART = "000000056865";

ptyTest("client.ts judges by what it asked for when TLS ends without close_notify", async () => {
  const folder = await Deno.makeTempDir();
  const [caFile, certFile, keyFile] = ["ca", "cert", "key"].map((name) => join(folder, name));
  await Deno.writeTextFile(caFile, ca.cert);
  await Deno.writeTextFile(certFile, good.cert);
  await Deno.writeTextFile(keyFile, good.key);
  const peer = new Deno.Command("python3", {
    args: [FIXTURE, certFile, keyFile],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const lines = peer.stdout.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream()).values();
  const to = `tls://127.0.0.1:${(await lines.next()).value}`;
  const cases: [args: string[], stdin: string, code: number, stdout: string, stderr: RegExp][] = [
    [[to, "send", `#${WHOLE}`, "--expect", "1"], "", 0, "hello\n", /^$/],
    [[to, "send", `#${WHOLE}${WHOLE}`, "--expect", "2"], "", 0, "hello\nhello\n", /^$/],
    [[to, "send", `#${WHOLE}`], "", 0, "", NOTE],
    [[to, "send", `#${WHOLE}`, "--expect", "2"], "", 1, "hello\n", CUT],
    [[to, "send", `#${PART}`, "--expect", "1"], "", 1, "", CUT],
    [[to], `#${WHOLE}\n`, 0, "hello\n", NOTE],
    [[to], `#${WHOLE}${PART}\n`, 1, "hello\n", CUT],
    [[`${to}?framing=u16be`], "#000568656c6c6f\n", 0, "hello\n", NOTE],
    [[`${to}?framing=line`], "#68656c6c6f0a\n", 1, "hello\n", CUT],
    [[`${to}?framing=none`], "#68656c6c6f", 1, "hello", CUT],
  ];
  for (const [args, stdin, code, stdout, stderr] of cases) {
    const result = await runHere("client.ts", [...args, "--ca", caFile], { stdin });
    assertEquals([result.code, result.stdout], [code, stdout], `${args} ${stdin} ${result.stderr}`);
    assertMatch(result.stderr, stderr, `${args} ${stdin}`);
  }
  peer.kill();
  await peer.status;
  await lines.return?.();
  await Deno.remove(folder, { recursive: true });
});
