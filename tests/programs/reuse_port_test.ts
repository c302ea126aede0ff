/** Several servers at one port: `--reuse-port`, and `reusePort` of `listen()`. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { connect, listen, ListenError } from "../../mod.ts";
import { runHere } from "../support/in_process.ts";
import { run, RunningServer } from "../support/program.ts";

const SHARES = { flags: ["--allow-net", "--unstable-net"] };
const isLinux = Deno.build.os === "linux";

Deno.test({
  name: "server.ts --reuse-port: two servers share a port, and who is left has it alone",
  ignore: !isLinux,
  async fn() {
    const options = ["--service", "echo", "--reuse-port", "--json"];
    await using one = await RunningServer.start([":0", ...options], SHARES);
    const port = Number(/:(\d+)\?/.exec(one.endpoints[0])![1]);
    await using two = await RunningServer.start([`:${port}`, ...options], SHARES);
    assertEquals(two.endpoints, one.endpoints);

    const seen = [one, two].map(async (server) => {
      while (!(await server.nextLine()).includes('"closed"'));
    });
    let both = false;
    Promise.all(seen).then(() => both = true);
    // The system gives each connection to one of them, by a hash of its addresses.
    for (; !both;) assertEquals(await ask(port), "hello");

    one.kill("SIGKILL");
    await one.ended();
    for (let i = 0; i < 20; i++) assertEquals(await ask(port), "hello");
    assertEquals(await two.stop("SIGTERM"), 0);
    await assertRejects(() => ask(port));
  },
});

/** What an echo server at a port answers. */
async function ask(port: number): Promise<string> {
  await using connection = await connect(`tcp://127.0.0.1:${port}`);
  await connection.send("hello");
  return new TextDecoder().decode(await connection.receive());
}

Deno.test("Without --unstable-net, a port cannot be shared, and an error says so", async () => {
  if (typeof Deno.listenDatagram === "function") return; // These tests have the flag.
  const error = await assertRejects(
    () => listen(["tcp://127.0.0.1:0", "ws://127.0.0.1:0"], { reusePort: true }),
    ListenError,
  );
  assertEquals(
    error.message,
    "Cannot listen on tcp://127.0.0.1:0: to share a port, Deno needs the flag --unstable-net",
  );
  const result = await run("server.ts", [":0", "--service", "echo", "--reuse-port"]);
  assertEquals(result.code, 1);
  assertMatch(result.stderr, /--unstable-net/);
});

Deno.test("reusePort is for ports of TCP", async () => {
  for (const endpoint of ["memory:shared", "udp://127.0.0.1:0", "unix:/nowhere"]) {
    const error = await assertRejects(() => listen(endpoint, { reusePort: true }), TypeError);
    assert(error.message.includes("only ports of TCP"), error.message);
  }
});

Deno.test("server.ts --reuse-port is refused where peers would not find each other, or their sessions", async () => {
  for (
    const [args, pattern] of [
      [[":0"], /peers of chat over servers that do not meet: say --cluster/],
      [[":0", "--service", "broker"], /peers of broker over servers that do not meet/],
      [[":0", "--service", "echo", "--session"], /leave out sessions/],
      [[":0?session=1", "--service", "echo"], /leave out sessions/],
      [["udp://:0", "--service", "echo"], /for ports of TCP, and "udp:\/\/:0" is none/],
    ] as const
  ) {
    const { code, stderr } = await runHere("server.ts", [...args, "--reuse-port"]);
    assertEquals(code, 2, stderr);
    assertMatch(stderr, pattern);
  }
});
