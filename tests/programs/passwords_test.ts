import { assert, assertEquals } from "@std/assert";
import { runHere } from "../support/in_process.ts";

const CASES: [script: string, args: string[]][] = [
  ["client.ts", ["tcp://u:hunter2@h:1", "send", "x"]],
  ["client.ts", [":1", "tcp://u:hunter2@h:1"]],
  ["client.ts", [":1", "ls", "tcp://u:hunter2@h:1"]],
  ["client.ts", [":1", "--proxy", "socks5://u:hunter2@"]],
  ["client.ts", ["udp://:1", "--proxy", "socks5://u:hunter2@h"]],
  ["server.ts", ["wss://u:hunter2@h:1/", "--tls-self-signed"]],
  ["server.ts", ["ws://:0", "--origin", "https://u:hunter2@h"]],
];

for (const [script, args] of CASES) {
  Deno.test(`${script} ${args.join(" ")} does not repeat the password`, async () => {
    const { code, stdout, stderr } = await runHere(script, args);
    assertEquals(code, 2, stderr);
    assert(!`${stdout}${stderr}`.includes("hunter2"), stderr);
  });
}
