import { assertEquals, assertMatch } from "@std/assert";
import { run } from "../support/program.ts";
import { Pty, ptyTest } from "../support/pty.ts";

/** Runs a program at a terminal, where Deno would ask, with these flags; it has to end by itself. */
async function runAtTerminal(
  flags: readonly string[],
  args: readonly string[],
): Promise<{ exit: number; output: string }> {
  await using pty = await Pty.open(200, 50, args, { flags, env: { NO_COLOR: "1" } });
  const { exit } = await pty.ended();
  // deno-lint-ignore no-control-regex
  return { exit, output: pty.output.replace(/\x1b\[\d*[A-Z]/g, "").trim() };
}

interface Case {
  readonly flags: readonly string[];
  readonly args: readonly string[];
  readonly error: string;
}

const CASES: readonly Case[] = [
  {
    flags: [],
    args: ["server.ts"],
    error: "Cannot listen on tcp://127.0.0.1:1234: no permission; " +
      "run with --allow-net=127.0.0.1:1234",
  },
  {
    flags: ["--allow-net=127.0.0.1:1"],
    args: ["server.ts", "[::1]:0?framing=line"],
    error: "Cannot listen on tcp://[::1]:0: no permission; run with --allow-net=[::1]:0",
  },
  {
    flags: ["--allow-net=127.0.0.1"],
    args: ["server.ts", ":0", "ws://0.0.0.0:0"],
    error: "Cannot listen on ws://0.0.0.0:0/: no permission; run with --allow-net=0.0.0.0:0",
  },
  {
    flags: ["--allow-net=127.0.0.1:5"],
    args: ["server.ts", ":5", "--metrics", ":9464"],
    error: "Cannot listen on http://127.0.0.1:9464 for --metrics: no permission; " +
      "run with --allow-net=127.0.0.1:9464",
  },
  {
    flags: ["--allow-net"],
    args: ["server.ts", "unix:/tmp/nobody.sock?mode=600"],
    error: "Cannot listen on unix:/tmp/nobody.sock: no permission; " +
      "run with --allow-net --allow-read=/tmp/nobody.sock --allow-write=/tmp/nobody.sock",
  },
  {
    flags: [],
    args: ["server.ts", "udp://:0"],
    error: "Cannot listen on udp://127.0.0.1:0: no permission; run with --allow-net",
  },
  {
    flags: ["--allow-net"],
    args: ["server.ts", ":0", "--history", "nobody.db"],
    error: "Cannot open history nobody.db: no permission; " +
      "run with --allow-read=nobody.db --allow-write=nobody.db",
  },
  {
    flags: ["--allow-net=127.0.0.1:5"],
    args: ["client.ts"],
    error: "Cannot connect to tcp://127.0.0.1:1234: no permission; " +
      "run with --allow-net=127.0.0.1:1234",
  },
  {
    flags: ["--allow-net=example.com"],
    args: ["client.ts", "wss://localhost/x", "ping"],
    error: "Cannot connect to wss://localhost:443/x: no permission; " +
      "run with --allow-net=localhost:443",
  },
  {
    flags: ["--allow-net=192.0.2.1:5"],
    args: ["client.ts", "192.0.2.1:5", "--proxy", "socks5://u:secret@127.0.0.1"],
    error: "Cannot connect to tcp://192.0.2.1:5: no permission for the proxy " +
      "socks5://127.0.0.1:1080; run with --allow-net=127.0.0.1:1080",
  },
  {
    flags: ["--allow-net"],
    args: ["client.ts", "unix:nobody.sock"],
    error: "Cannot connect to unix:nobody.sock: no permission; " +
      "run with --allow-net --allow-read=nobody.sock --allow-write=nobody.sock",
  },
  {
    flags: [],
    args: ["client.ts", "udp://localhost:9", "send", "x"],
    error: "Cannot connect to udp://localhost:9: no permission; run with --allow-net",
  },
];

for (const { flags, args, error } of CASES) {
  const name = `${args.join(" ")} never asks with ${flags.join(" ") || "no flag"}`;
  ptyTest(`${name}, and names the one that is missing`, async () => {
    assertEquals(await runAtTerminal(flags, args), { exit: 1, output: `error: ${error}` });
  });
}

Deno.test("the programs take what Deno takes for leave: the host, :PORT, the socket's file", async () => {
  const dir = await Deno.makeTempDir();
  const socket = `${dir}/nobody.sock`;
  const cases: [flags: string[], endpoint: string][] = [
    [["--allow-net=127.0.0.1"], ":1"],
    [["--allow-net=127.0.0.1:1"], ":1"],
    [["--allow-net=:1"], "localhost:1"],
    [["--allow-net=[::1]:1"], "[::1]:1"],
    [
      [`--allow-net=unix:${socket}`, `--allow-read=${dir}`, `--allow-write=${dir}`],
      `unix:${socket}`,
    ],
  ];
  try {
    for (const [flags, endpoint] of cases) {
      const { code, stderr } = await run("client.ts", [endpoint], { flags });
      assertEquals(code, 1);
      assertMatch(stderr, /connection refused|no such file/, `${flags} ${endpoint}`);
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("the programs name the flag that forbids, where one does", async () => {
  const flags = ["--allow-net", "--deny-net=127.0.0.1"];
  const { code, stderr } = await run("client.ts", [":1"], { flags });
  assertEquals(code, 1);
  assertMatch(stderr, /^error: Cannot connect to tcp:\/\/127\.0\.0\.1:1: --deny-net forbids it\n$/);
});
