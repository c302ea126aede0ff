/** Beside what people use today: each of ours at one end, ncat or socat at the other. */

import { assertEquals } from "@std/assert";
import { listen } from "../../mod.ts";
import { testWith } from "../interop/peers.ts";
import { ServerHere } from "../support/in_process.ts";

/** Runs a program with an input; its output. */
async function output(
  command: string,
  args: readonly string[],
  stdin: Uint8Array,
): Promise<Uint8Array> {
  const child = new Deno.Command(command, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  const writing = writer.write(stdin).then(() => writer.close()).catch(() => {});
  const { stdout } = await child.output();
  await writing;
  return stdout;
}

const BYTES = new Uint8Array(Array.from({ length: 50_000 }, (_, i) => (i * 7919 >> 3) & 255));

await testWith(
  { name: "socat", probe: ["socat", "-V"] },
  "bridge passes socat's bytes both ways, and its half-close",
  async () => {
    await using target = await listen("tcp://127.0.0.1:0?framing=none", async (connection) => {
      for await (const chunk of connection) await connection.send(chunk);
    });
    await using joined = await ServerHere.start(
      ["bridge", "tcp://127.0.0.1:0?framing=none", target.endpoints[0]],
      { script: "client.ts" },
    );
    const back = await output("socat", ["-t", "5", "-", `TCP:127.0.0.1:${joined.port()}`], BYTES);
    assertEquals(back, BYTES);
  },
);

await testWith(
  { name: "ncat", probe: ["ncat", "--version"] },
  "listen --exec serves ncat as ncat's own --exec does",
  async () => {
    await using server = await ServerHere.start(
      ["listen", "tcp://127.0.0.1:0?framing=line", "--exec", "tr a-z A-Z"],
      { script: "client.ts" },
    );
    const input = new TextEncoder().encode("one\ntwo\n");
    const answer = await output("ncat", ["127.0.0.1", String(server.port())], input);
    assertEquals(new TextDecoder().decode(answer), "ONE\nTWO\n");
  },
);
