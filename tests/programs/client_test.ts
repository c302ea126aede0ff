import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { refusalLine } from "../../chat.ts";
import { isText } from "../../connection.ts";
import { serveFiles } from "../../files.ts";
import { connect, listen, type ListenOptions } from "../../mod.ts";
import { World } from "../support/files_world.ts";
import { runHere, ServerHere } from "../support/in_process.ts";
import { run } from "../support/program.ts";

const ECHO = "tcp://127.0.0.1:0";

/** An echo server for one test. */
function echo(endpoint = ECHO, options: ListenOptions = {}) {
  return listen(endpoint, options, async (connection) => {
    for await (const message of connection) await connection.send(message);
  });
}

/** A server that accepts and closes at once, without a word. */
function closing() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const conn of listener) conn.close();
  })();
  return {
    endpoint: `tcp://127.0.0.1:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

/** Starts the client, whose input stays open until it is closed. */
function startClient(args: string[]) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-net", "client.ts", ...args],
    cwd: new URL("../../", import.meta.url),
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const input = child.stdin.getWriter();
  return {
    write: (text: string) => input.write(new TextEncoder().encode(text)),
    stdout: child.stdout,
    /** Waits for the end, with the input still open. */
    async ended() {
      const [{ code }, stderr] = await Promise.all([
        child.status,
        new Response(child.stderr).text(),
      ]);
      await input.close().catch(() => {}); // The other end is gone.
      return { code, stderr };
    },
  };
}

Deno.test("client.ts in a pipe sends lines as messages and prints messages as lines, byte for byte", async () => {
  await using server = await echo();
  const lines = ["one", "", "\u00fc\u{1f600}", "\x1b[2J\x07", "last without newline"];
  const { code, stdout, stderr } = await run("client.ts", [server.endpoints[0]], {
    stdin: lines.join("\n"),
  });
  assertEquals([code, stdout, stderr], [0, lines.join("\n") + "\n", ""]);
});

Deno.test("client.ts in a pipe and send both send text to a WebSocket, where it is UTF-8", async () => {
  await using server = await listen("ws://127.0.0.1:0", async (connection) => {
    for await (const message of connection) {
      await connection.send(isText(message) ? "text" : "bytes");
    }
  });
  const [endpoint] = server.endpoints;
  const piped = await runHere("client.ts", [endpoint, "--linger", "300"], {
    stdin: new Uint8Array([0xc3, 0xbc, 10, 10, 0xff, 10]),
  });
  assertEquals(piped.stdout, "text\ntext\nbytes\n");
  const sent = await runHere("client.ts", [endpoint, "send", "ü", "--expect", "1"]);
  assertEquals(sent.stdout, "text\n");
});

Deno.test("client.ts --half-close in a pipe ends when the peer closes, without waiting for --linger", async () => {
  await using server = await echo();
  const startedAt = performance.now();
  const { code } = await runHere("client.ts", [
    server.endpoints[0],
    "--half-close",
    "--linger",
    "600000",
  ], {
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
  const { stdout } = await runHere("client.ts", [server.endpoints[0], "--linger", "300"]);
  assertEquals(stdout, "late news\n");
});

Deno.test("client.ts in a pipe passes 10 000 lines on in order", async () => {
  await using server = await echo();
  const text = Array.from({ length: 10_000 }, (_, i) => `${i} ${"x".repeat(i % 100)}\n`).join("");
  const { code, stdout } = await run("client.ts", [server.endpoints[0], "--half-close"], {
    stdin: text,
  });
  assertEquals(code, 0);
  assertEquals(stdout === text, true);
});

Deno.test("client.ts send --half-close sends one message each, half-closes, and prints --expect answers", async () => {
  const got: string[] = [];
  await using server = await listen(ECHO, async (connection) => {
    const all = await connection.receiveAll();
    got.push(...all.map((message) => new TextDecoder().decode(message)));
    for (const message of all) await connection.send(message);
  });
  const texts = ["hello", "", "w\u00f6rld"];
  const args = [server.endpoints[0], "send", ...texts, "--expect", "2", "--half-close"];
  const { code, stdout } = await run("client.ts", args);
  assertEquals([code, stdout, got], [0, "hello\n\n", ["hello", "", "w\u00f6rld"]]);
});

Deno.test("client.ts send ends with 1 when the peer closes before --expect answers", async () => {
  await using server = await listen(ECHO, async (connection) => {
    for await (const message of connection) if (message.length > 0) await connection.send(message);
  });
  const [endpoint] = server.endpoints;
  const [one, none] = await Promise.all([
    runHere("client.ts", [endpoint, "send", "x", "", "--expect", "2", "--half-close"]),
    runHere("client.ts", [endpoint, "send", "", "--expect", "1", "--half-close"]),
  ]);
  assertEquals([one.code, one.stdout, one.stderr], [
    1,
    "x\n",
    "error: the peer closed after 1 of 2 answers\n",
  ]);
  assertEquals([none.code, none.stdout], [1, ""]);
  assertMatch(none.stderr, /after 0 of 1 answers/);
});

Deno.test("client.ts send ends with 1 when answers do not come within --timeout", async () => {
  await using server = await listen(ECHO, async (connection) => void await connection.closed);
  const args = [server.endpoints[0], "send", "x", "--expect", "1", "--timeout", "300"];
  const { code, stderr } = await runHere("client.ts", args);
  assertEquals(code, 1);
  assertMatch(stderr, /^error: 0 of 1 answers within 300 ms; it may answer nothing, .*\n$/);
});

Deno.test("client.ts ends with 0 when the peer takes everything, answers nothing and closes", async () => {
  await using server = await listen(ECHO, async (connection) => void await connection.receiveAll());
  const [endpoint] = server.endpoints;
  const sent = await runHere("client.ts", [endpoint, "send", "a", "b"]);
  assertEquals([sent.code, sent.stdout, sent.stderr], [0, "", ""]);
  const piped = await runHere("client.ts", [endpoint, "--linger", "300"], { stdin: "a\nb\n" });
  assertEquals([piped.code, piped.stdout, piped.stderr], [0, "", ""]);
});

/** Ways in which the client works with a server. */
const DEEDS: [args: string[], stdin?: string][] = [
  [["send", "x"]],
  [["send", "x", "--expect", "1"]],
  [[], "x\n"],
  [["ping"]],
  [["bench"]],
];

Deno.test("client.ts ends with 1 and says why at a server that does not let it in", async () => {
  await using gated = await echo(ECHO, { token: "right", refusalMessage: refusalLine });
  await using webGated = await echo("ws://127.0.0.1:0", {
    token: "right",
    refusalMessage: refusalLine,
  });
  await using denying = await echo(ECHO, { deny: ["127.0.0.1"] });
  await using full = await echo(ECHO, { maxConnections: 1 });
  await using _member = await connect(full.endpoints[0]);
  await using brief = closing();
  const token = /^error: Cannot join: .*this one is wrong; give it with --token TOKEN\n$/;
  const wrong =
    /^error: Cannot join: the first message must be the token, and this one is wrong\n$/;
  const silent = /^error: .*; it may be full, deny this address, or want a token\n$/;
  const servers: [args: string[], stderr: RegExp][] = [
    [[gated.endpoints[0]], token],
    [[gated.endpoints[0], "--token", "wrong"], wrong],
    [[webGated.endpoints[0], "--token", "wrong"], wrong],
    [[denying.endpoints[0]], silent],
    [[full.endpoints[0]], silent],
    [[brief.endpoint], silent],
  ];
  for (const [at, message] of servers) {
    const results = await Promise.all(
      DEEDS.map(([args, stdin]) => runHere("client.ts", [...at, ...args], { stdin })),
    );
    results.forEach(({ code, stdout, stderr }, i) => {
      const what = [...at, ...DEEDS[i][0]].join(" ");
      assertMatch(stderr, message, what);
      assertEquals([code, stdout], [1, ""], what);
    });
  }
});

Deno.test("client.ts ends with 1 when its message is too large for the server", async () => {
  await using server = await echo(ECHO, { maxMessageBytes: 0 });
  await using web = await echo("ws://127.0.0.1:0", { maxMessageBytes: 0 });
  const results = await Promise.all(
    [server, web].flatMap(({ endpoints: [endpoint] }) =>
      DEEDS.map(([args, stdin]) => runHere("client.ts", [endpoint, ...args], { stdin }))
    ),
  );
  results.forEach(({ code, stdout, stderr }, i) => {
    assertMatch(stderr, i < DEEDS.length ? /^error: .*it may be full/ : /^error: .*code 1009/);
    assertEquals([code, stdout], [1, ""]);
  });
});

Deno.test("client.ts takes an echo of its own words for no refusal", async () => {
  await using server = await echo();
  const words = "* Cannot join: me";
  const { code, stdout } = await runHere("client.ts", [server.endpoints[0], "--half-close"], {
    stdin: words,
  });
  assertEquals([code, stdout], [0, `${words}\n`]);
});

Deno.test("client.ts in a pipe ends with 1 when the peer ends before the input", async () => {
  await using server = await listen(ECHO, async (connection) => {
    await connection.send((await connection.receive())!);
  });
  const [endpoint] = server.endpoints;
  const idle = startClient([endpoint]);
  const quitting = startClient([endpoint]);
  await idle.write("a\n");
  await quitting.write("/quit\n");
  const printed = new Response(idle.stdout).text();
  await quitting.stdout.cancel();
  assertEquals(await idle.ended(), {
    code: 1,
    stderr: "error: the peer closed before the input ended\n",
  });
  assertEquals(await printed, "a\n");
  assertEquals(await quitting.ended(), { code: 0, stderr: "" });
});

Deno.test("client.ts in a pipe ends with 1 when the peer ends in the middle of the input", async () => {
  await using server = await listen(ECHO, async (connection) => {
    for (let i = 0; i < 10; i++) await connection.send((await connection.receive())!);
  });
  const stdin = "0123456789\n".repeat(3_000_000);
  const { code, stderr } = await runHere("client.ts", [server.endpoints[0]], { stdin });
  assertMatch(
    stderr,
    /^error: the peer closed before the input ended(: \d+ lines were not sent)?\n$/,
  );
  assertEquals(code, 1);
});

Deno.test("client.ts in a pipe ends with 0 when the peer answers and ends first", async () => {
  await using server = await listen(ECHO, async (connection) => {
    await connection.send((await connection.receive())!);
  });
  const { code, stdout, stderr } = await runHere("client.ts", [server.endpoints[0]], {
    stdin: "a\n",
  });
  assertEquals([code, stdout, stderr], [0, "a\n", ""]);
});

Deno.test("client.ts ends with 3 wherever the peer's bytes break the framing", async () => {
  await using server = await listen(ECHO, async (connection) => {
    await connection.send("* Welcome");
    for await (const message of connection) await connection.send(message);
  });
  const endpoint = server.endpoints[0].replace("u32be", "u32le");
  const results = await Promise.all(
    DEEDS.map(([args, stdin]) => runHere("client.ts", [endpoint, ...args], { stdin })),
  );
  for (const { code, stderr } of results) {
    assertMatch(stderr, /^error: Cannot receive message of \d+ bytes: limit is/);
    assertEquals(code, 3);
  }
});

Deno.test("client.ts ends with 0 and without a word when nobody reads its output any more", async () => {
  await using server = await echo();
  for (const options of [[], ["--json"]]) {
    const client = startClient([server.endpoints[0], ...options]);
    await client.stdout.cancel();
    await client.write("a\n".repeat(1_000));
    assertEquals(await client.ended(), { code: 0, stderr: "" });
  }
});

Deno.test("client.ts get --output - ends with 0 and without a word when nobody reads any more", async () => {
  await using world = await World.create();
  await Deno.writeFile(join(world.served, "film"), new Uint8Array(2 ** 22));
  await using server = await listen(ECHO, async (connection) => {
    await serveFiles(connection, world.directory, { onError() {} }).closed;
  });
  const client = startClient([server.endpoints[0], "get", "film", "--output", "-"]);
  await client.stdout.cancel();
  assertEquals(await client.ended(), { code: 0, stderr: "" });
});

Deno.test("client.ts ping ends with 1 and says so when the peer closes in the middle", async () => {
  await using server = await listen(ECHO, async (connection) => {
    for (let i = 0; i < 2; i++) await connection.send((await connection.receive())!);
  });
  const args = [server.endpoints[0], "ping", "--interval", "1"];
  const { code, stdout, stderr } = await runHere("client.ts", args);
  assertEquals([code, stderr], [1, "error: the peer closed after 2 of 4 answers\n"]);
  assertMatch(stdout, /^2 of 4 answered/m);
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
    [[":1", "--timeout", "0"], 2, /--timeout 0: it must be a whole number from 1 /],
    [[":1", "ping", "--count", "0"], 2, /--count 0: it must be a whole number from 1 /],
    [[":1", "bench", "--count", "0"], 2, /--count 0: it must be a whole number from 1 /],
    [[":1", "ping", "--expect", "2"], 2, /--expect is for "send", not for "ping"$/],
    [[":1", "ls", "--bell"], 2, /--bell is for talk, not for "ls"$/],
    [[":1", "send", "x", "--stream"], 2, /--stream is for "request", not for "send"$/],
    [[":1", "--count", "3"], 2, /--count is for "ping" and "bench", not for talk$/],
    [["pingg"], 2, /"pingg" is no endpoint: did you mean the command ping\?$/],
    [["req"], 2, /did you mean the command request\?$/],
    [["talk"], 2, /"talk" is what the client does without a command: leave it out$/],
    [["localhost"], 2, /Cannot use endpoint "localhost": it must look like/],
    [[":1?framing=utf8"], 2, /framing "utf8" is unknown/],
    [[":1?session=2"], 2, /session "2" must be 0 or 1/],
  ];
  // The first of each code in a process of its own.
  const results = await Promise.all(cases.map(([args, code], i) => {
    const isFirst = i === cases.findIndex(([_, other]) => other === code);
    return isFirst ? run("client.ts", args) : runHere("client.ts", args);
  }));
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

Deno.test("client.ts tells that a server has sessions only, or none", async () => {
  await using sessions = await ServerHere.start(["127.0.0.1:0", "--session"]);
  await using plain = await ServerHere.start(["127.0.0.1:0"]);
  // Without the query that says it.
  const endpoint = sessions.endpoints[0].replace(/\?.*/, "");
  const send = (...args: string[]) => runHere("client.ts", [...args, "send", "x", "--expect", "1"]);
  const [unasked, unheard] = await Promise.all([
    send(endpoint),
    send(plain.endpoints[0], "--session"),
  ]);
  assertMatch(unasked.stderr, /^error: the server has sessions only, which --session asks for, /);
  assertMatch(
    unheard.stderr,
    /the server does not speak of sessions, its first message is "\* Welcome, /,
  );
  assertEquals([unasked.code, unheard.code], [1, 1]);
});
