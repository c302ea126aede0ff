import { assertEquals, assertMatch } from "@std/assert";
import { listen } from "../../mod.ts";
import { deadEndpoint } from "../support/free_port.ts";
import { runHere } from "../support/in_process.ts";

const silent = () =>
  listen("tcp://127.0.0.1:0", (connection) => connection.receive() as Promise<never>);

Deno.test("ping --port tells which ports of a range are open, and says nothing there", async () => {
  await using server = await silent();
  const port = Number(/:(\d+)/.exec(server.endpoints[0].slice(6))![1]);
  const [from, to] = [Math.max(port - 3, 1), Math.min(port + 3, 65_535)];
  const args = [":1", "ping", "--port", `${from}-${to}`];
  const { code, stdout, stderr } = await runHere("client.ts", args);
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, new RegExp(`^${port} open, \\d+\\.\\d{3} ms$`, "m"));
  assertMatch(stdout, new RegExp(`^\\d of ${to - from + 1} ports of 127\\.0\\.0\\.1 open\n$`, "m"));
  const json = await runHere("client.ts", [...args, "--json"]);
  const events = json.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(events.filter((event) => event.port === port).map(({ open }) => open), [true]);
  assertEquals(server.stats.accepted, 2);
});

Deno.test("ping --port ends with 1 where no port is open, and refuses what is no range", async () => {
  const none = await runHere("client.ts", [":1", "ping", "--port", "1"]);
  assertEquals([none.code, none.stdout], [1, "0 of 1 ports of 127.0.0.1 open\n"]);
  for (const range of ["", "0-3", "9-3", "1-65536", "x"]) {
    const { code, stderr } = await runHere("client.ts", [":1", "ping", `--port=${range}`]);
    assertMatch(stderr, /--port/);
    assertEquals(code, 2, range);
  }
  const udp = await runHere("client.ts", ["udp://:1", "ping", "--port", "1"]);
  assertMatch(udp.stderr, /"udp:\/\/:1" has no ports that are open or not/);
});

Deno.test("--retry tries again until the server is there, or so often", async () => {
  const endpoint = deadEndpoint();
  const gone = await runHere("client.ts", [endpoint, "send", "x", "--retry", "1"]);
  assertEquals(gone.code, 1);
  assertEquals(gone.stderr.match(/; trying again in \d\.\d s$/gm)?.length, 1);
  assertMatch(gone.stderr, /\nerror: Cannot connect to .* nothing listens there\n$/);

  const sending = runHere("client.ts", [endpoint, "send", "x", "--retry", "20", "--json"]);
  const got = Promise.withResolvers<void>();
  // Opened while the client is on its way; whichever is first, it arrives.
  await using _server = await listen(endpoint, async (connection) => {
    for await (const _ of connection) got.resolve();
  });
  assertEquals((await sending).code, 0);
  await got.promise;
});
