/** Files that have no room any more, after some of it was written: what is in them stays, and is whole. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { concat } from "@std/bytes";
import { framing } from "../../codec.ts";
import { connect, listen } from "../../mod.ts";
import { readRecording } from "../../programs/client/recording/reader.ts";
import { utf8 } from "../support/bytes.ts";
import { ip4, pcap } from "../support/captures.ts";

const COUNT = 200;
const MESSAGES = Array.from({ length: COUNT }, (_, i) => `message ${i} of ${COUNT}`);
/** 8 blocks of 512 bytes. */
const MOST_BYTES = 4096;

/** Runs the client where no file may become larger. The system says so as it does of a full disk. */
function limited(...args: string[]): Deno.ChildProcess {
  const script = `trap '' XFSZ; ulimit -f ${MOST_BYTES / 512}; exec "$@"`;
  return new Deno.Command("sh", {
    args: ["-c", script, "sh", Deno.execPath(), "run", "-A", "--no-check", "client.ts", ...args],
    cwd: new URL("../../", import.meta.url),
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function told(child: Deno.ChildProcess): Promise<{ code: number; errors: string[] }> {
  const { code, stderr } = await child.output();
  const lines = new TextDecoder().decode(stderr).trimEnd().split("\n");
  return { code, errors: lines.filter((line) => line.startsWith("error")) };
}

/** The messages of a recording that are whole. */
async function recorded(path: string): Promise<(string | undefined)[]> {
  const entries = await Array.fromAsync(readRecording(path));
  return entries.flatMap(({ entry }) =>
    entry.type === "message" && entry.direction === ">" ? [entry.text] : []
  );
}

Deno.test({
  name: "dump --record keeps what it has recorded when the disk is full, and ends with 1",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const folder = await Deno.makeTempDir();
    const u32be = framing("u32be");
    let seq = 1;
    const packets = MESSAGES.map((text) => {
      const bytes = u32be.encode(utf8(text));
      const packet = ip4({ seq, bytes });
      seq += bytes.length;
      return { bytes: packet };
    });
    await Deno.writeFile(`${folder}/a.pcap`, pcap(101, packets));
    const args = ["dump", `${folder}/a.pcap`, "--framing", "u32be", "--record", `${folder}/r`];
    const { code, errors } = await told(limited(...args));
    assertEquals([code, errors.length], [1, 1]);
    assertMatch(errors[0], /^error: Cannot write to .*\/r: /);
    const kept = await recorded(`${folder}/r`);
    assert(kept.length > 10 && kept.length < COUNT, `${kept.length} messages`);
    assertEquals(kept, MESSAGES.slice(0, kept.length));
    await Deno.remove(folder, { recursive: true });
  },
});

Deno.test({
  name: "proxy --record sends nothing on that is not in the file, up to a full disk",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const folder = await Deno.makeTempDir();
    const arrived: string[] = [];
    await using target = await listen("tcp://127.0.0.1:0", async (connection) => {
      for await (const message of connection) arrived.push(new TextDecoder().decode(message));
    });
    const args = ["proxy", ":0", target.endpoints[0], "--record", `${folder}/r`, "--show", "none"];
    const child = limited(...args);
    const reader = child.stdout.pipeThrough(new TextDecoderStream() as never).getReader();
    const { value } = await reader.read() as { value: string };
    await reader.cancel();
    await using client = await connect(/listening on (.*)/.exec(value)![1]);
    for (const text of MESSAGES) {
      if (client.state !== "open") break;
      await client.send(text).catch(() => {}); // The proxy has gone, as it should.
      await client.flush().catch(() => {});
    }
    const [{ code }, stderr] = await Promise.all([
      child.status,
      new Response(child.stderr).text(),
    ]);
    assertEquals(code, 1);
    assertEquals(stderr.split("\n").filter((line) => line.startsWith("error")).length, 1);
    const kept = await recorded(`${folder}/r`);
    assert(kept.length > 10 && kept.length < COUNT, `${kept.length} messages`);
    assertEquals(kept, MESSAGES.slice(0, kept.length));
    assertEquals(arrived, MESSAGES.slice(0, arrived.length));
    assert(arrived.length <= kept.length, "nothing was sent on that is not in the file");
    await Deno.remove(folder, { recursive: true });
  },
});

Deno.test({
  name: "listen --tee keeps what came before the disk was full, and ends with 1",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const folder = await Deno.makeTempDir();
    const child = limited("listen", ":0", "--once", "--tee", `${folder}/t`, "--framing", "line");
    const reader = child.stdout.pipeThrough(new TextDecoderStream() as never).getReader();
    const { value } = await reader.read() as { value: string };
    const reading = (async () => {
      while (!(await reader.read()).done);
    })();
    const all = concat(MESSAGES.concat(MESSAGES).map((text) => utf8(text + "\n")));
    await using client = await connect(/listening on (.*)/.exec(value)![1]);
    for (const text of MESSAGES.concat(MESSAGES)) await client.send(text).catch(() => {});
    const [{ code }, stderr] = await Promise.all([
      child.status,
      new Response(child.stderr).text(),
      reading,
    ]);
    const errors = stderr.split("\n").filter((line) => line.startsWith("error"));
    assertEquals([code, errors.length], [1, 1], stderr);
    assertMatch(errors[0], /^error: Cannot write to .*\/t: /);
    assertEquals(await Deno.readFile(`${folder}/t`), all.subarray(0, MOST_BYTES));
    await Deno.remove(folder, { recursive: true });
  },
});
