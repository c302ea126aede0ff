import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { listen } from "../mod.ts";
import { run } from "./helpers/program.ts";

const ECHO = "tcp://127.0.0.1:0";

/** An echo server for one test. */
function echo(endpoint = ECHO) {
  return listen(endpoint, async (connection) => {
    for await (const message of connection) await connection.send(message);
  });
}

Deno.test("client.ts in a pipe sends lines as messages and prints messages as lines, byte for byte", async () => {
  await using server = await echo();
  const lines = ["one", "", "\u00fc\u{1f600}", "\x1b[2J\x07", "last without newline"];
  const { code, stdout, stderr } = await run("client.ts", [server.endpoints[0]], {
    stdin: lines.join("\n"),
  });
  assertEquals([code, stdout, stderr], [0, lines.join("\n") + "\n", ""]);
});

Deno.test("client.ts in a pipe ends when the peer closes, without waiting for --linger", async () => {
  await using server = await echo();
  const startedAt = performance.now();
  const { code } = await run("client.ts", [server.endpoints[0], "--linger", "600000"], {
    stdin: "x\n",
  });
  assertEquals(code, 0);
  assertEquals(performance.now() - startedAt < 60_000, true);
});

Deno.test("client.ts in a pipe ends when --linger is over and the peer does not close", async () => {
  // This peer sends once and then keeps the connection open until the client has closed.
  await using server = await listen(ECHO, async (connection) => {
    await connection.send("late news");
    await connection.signal.aborted || await connection.closed;
  });
  const { stdout } = await run("client.ts", [server.endpoints[0], "--linger", "300"]);
  assertEquals(stdout, "late news\n");
});

Deno.test("client.ts in a pipe passes 10 000 lines on in order", async () => {
  await using server = await echo();
  const text = Array.from({ length: 10_000 }, (_, i) => `${i} ${"x".repeat(i % 100)}\n`).join("");
  const { code, stdout } = await run("client.ts", [server.endpoints[0]], { stdin: text });
  assertEquals(code, 0);
  assertEquals(stdout === text, true);
});

Deno.test("client.ts send sends one message each, half-closes, and prints --expect answers", async () => {
  const got: string[] = [];
  await using server = await listen(ECHO, async (connection) => {
    const all = await connection.receiveAll();
    got.push(...all.map((message) => new TextDecoder().decode(message)));
    for (const message of all) await connection.send(message);
  });
  const args = [server.endpoints[0], "send", "hello", "", "w\u00f6rld", "--expect", "2"];
  const { code, stdout } = await run("client.ts", args);
  assertEquals([code, stdout, got], [0, "hello\n\n", ["hello", "", "w\u00f6rld"]]);
});

Deno.test("client.ts send ends with 1 when the peer closes before --expect answers", async () => {
  await using server = await listen(ECHO, (connection) => void connection.receiveAll());
  const { code, stderr } = await run("client.ts", [
    server.endpoints[0],
    "send",
    "x",
    "--expect",
    "1",
  ]);
  assertEquals([code, stderr], [1, "error: the peer closed after 0 of 1 answers\n"]);
});

Deno.test("client.ts ping measures the round-trip time to an echo server", async () => {
  await using server = await echo();
  const args = [server.endpoints[0], "ping", "--count", "3", "--interval", "1"];
  const { code, stdout } = await run("client.ts", args);
  assertEquals(code, 0);
  assertEquals(
    stdout.match(/^pong from 127\.0\.0\.1:\d+: sequence \d, \d+\.\d{3} ms$/gm)?.length,
    3,
  );
  assertMatch(stdout, /^3 of 3 answered, min\/mean\/max /m);
});

Deno.test("client.ts bench measures an echo server", async () => {
  await using server = await echo();
  const args = [server.endpoints[0], "bench", "--count", "2000", "--size", "100", "--json"];
  const { code, stdout } = await run("client.ts", args);
  const { event, count, size, rate, p50 } = JSON.parse(stdout);
  assertEquals([code, event, count, size, rate > 0, p50 > 0], [0, "bench", 2000, 100, true, true]);
});

Deno.test("client.ts ends with 3 and one line when the peer breaks the protocol", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    using conn = await listener.accept();
    await conn.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await conn.closeWrite();
    // Until the client has gone.
    while (await conn.read(new Uint8Array(1024)).catch(() => null) !== null);
  })();
  const { code, stderr } = await run("client.ts", [`:${listener.addr.port}`]);
  await serving;
  assertEquals(code, 3);
  assertStringIncludes(stderr, 'it looks like text, "HTTP"');
  assertEquals(stderr.trimEnd().split("\n").length, 1);
});

Deno.test("client.ts tells what is wrong in one line, with the exit code for it", async () => {
  const cases: [args: string[], code: number, message: RegExp][] = [
    [[":1"], 1, /connection refused, nothing listens there$/],
    [["nobody.invalid:1"], 1, /unknown host; check its name, or use its address$/],
    [[":0"], 2, /port 0 is only for listening/],
    [[":1", "pign"], 2, /unknown command "pign", the nearest is "ping"/],
    [[":1", "ping", "x"], 2, /"ping" takes no operands/],
    [[":1", "send"], 2, /"send" needs at least one TEXT/],
    [[":1", "--lingr", "5"], 2, /unknown option --lingr, the nearest is --linger/],
    [[":1", "--linger", "soon"], 2, /--linger soon: it must be a whole number/],
    [[":1?framing=utf8"], 2, /framing "utf8" is unknown/],
    [[":1?session=2"], 2, /session "2" must be 0 or 1/],
  ];
  const results = await Promise.all(cases.map(([args]) => run("client.ts", args)));
  results.forEach(({ code, stdout, stderr }, i) => {
    const [args, expectedCode, message] = cases[i];
    assertMatch(stderr.replace(/; --help tells more\n$/, "").trimEnd(), message, args.join(" "));
    assertEquals([code, stdout], [expectedCode, ""], args.join(" "));
    assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
  });
});

Deno.test("client.ts without --allow-net says which flag it needs", async () => {
  const { code, stderr } = await run("client.ts", [":1"], { flags: [] });
  assertEquals(code, 1);
  assertMatch(stderr, /no permission; run with --allow-net/);
});
