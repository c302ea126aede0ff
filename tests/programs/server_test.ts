import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { TextLineStream } from "@std/streams/text-line-stream";
import { connect, FRAMING_NAMES } from "../../mod.ts";
import { eventsIn } from "../support/events.ts";
import { runHere, ServerHere } from "../support/in_process.ts";
import { run, RunningServer } from "../support/program.ts";
import { ptyTest } from "../support/pty.ts";

const utf8 = new TextEncoder();

/** The one test with a port of its own: it is the documented one, and may be taken on a user's machine. */
const taken = !Deno.env.has("CI") && isTaken(1234);

function isTaken(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return false;
  } catch {
    return true;
  }
}

Deno.test({
  name: `server.ts without arguments listens on the documented endpoint, and says how to join${
    taken ? " (skipped: port 1234 is in use)" : ""
  }`,
  ignore: taken,
  fn: startsOnTheDocumentedEndpoint,
});

async function startsOnTheDocumentedEndpoint(): Promise<void> {
  await using server = await RunningServer.start([]);
  assertEquals(server.endpoints, ["tcp://127.0.0.1:1234?framing=u32be"]);
  assertMatch(
    await server.logLine(/join/),
    /join with: (deno|npx -y deno@[\d.]+) run --allow-net client\.ts$/,
  );
  assertEquals(await server.stop(), 0);
}

Deno.test("server.ts --service echo echoes in every framing, all endpoints at once", async () => {
  const args = FRAMING_NAMES.map((name) => `tcp://127.0.0.1:0?framing=${name}`);
  await using server = await ServerHere.start([...args, "--service", "echo"], {
    count: args.length,
  });
  for (const endpoint of server.endpoints) {
    await using connection = await connect(endpoint);
    connection.send("a\u00e4\u{1f600}");
    assertEquals(await connection.receive(), utf8.encode("a\u00e4\u{1f600}"), endpoint);
  }
});

Deno.test("server.ts echoes for a program that sends a little-endian int32 and that many bytes", async () => {
  await using server = await ServerHere.start([
    "tcp://127.0.0.1:0?framing=u32le",
    "--service",
    "echo",
  ]);
  using conn = await Deno.connect({ port: server.port() });
  const sent = new Uint8Array([3, 0, 0, 0, 1, 2, 3, 0, 0, 0, 0]);
  await conn.write(sent);
  const got = new Uint8Array(sent.length);
  for (let at = 0; at < got.length;) at += (await conn.read(got.subarray(at)))!;
  assertEquals(got, sent);
});

Deno.test("server.ts --framing is for the endpoints that name none", async () => {
  await using server = await ServerHere.start(
    ["127.0.0.1:0", "tcp://127.0.0.1:0?framing=u8", "--framing", "varint"],
    { count: 2 },
  );
  assertEquals(server.endpoints.map((name) => name.split("?")[1]), [
    "framing=varint",
    "framing=u8",
  ]);
});

Deno.test("server.ts --json prints one JSON object per line", async () => {
  await using server = await ServerHere.start([":0", "--service", "print", "--json"]);
  const connection = await connect(server.endpoints[0]);
  await connection.send("x\x1b[2J");
  await connection.close();
  while (!(await server.nextLine()).includes('"closed"'));
  const events = eventsIn(server.stdout);
  assertEquals(events.map(({ event }) => event), ["listening", "connected", "message", "closed"]);
  assertEquals(events[2].text, "x\x1b[2J");
  assertEquals(events[3].clean, true);
});

Deno.test("server.ts --service print shows control characters instead of obeying them", async () => {
  await using server = await ServerHere.start([":0", "--service", "print"]);
  await using connection = await connect(server.endpoints[0]);
  await connection.send("\x1b[31mred\x07\0");
  await connection.send(new Uint8Array([0xff, 0x41]));
  assertMatch(await server.nextLine(), /^127\.0\.0\.1:\d+: \\x1b\[31mred\\x07\\x00$/);
  assertMatch(await server.nextLine(), /: \ufffdA$/);
});

Deno.test("server.ts --service sink counts what it drops", async () => {
  await using server = await ServerHere.start([":0", "--service", "sink"]);
  const connection = await connect(server.endpoints[0]);
  for (let i = 0; i < 100; i++) await connection.send("12345");
  await connection.close();
  assertMatch(await server.logLine(/sent/), /sent 100 messages, 900 bytes with their headers/);
});

Deno.test("server.ts logs a peer that is no peer in one line with address, size, limit and likeness", async () => {
  await using server = await ServerHere.start([":0", "--service", "echo"]);
  await using other = await connect(server.endpoints[0]);
  using conn = await Deno.connect({ port: server.port() });
  await conn.write(utf8.encode("GET / HTTP/1.1\r\n\r\n"));
  assertEquals(await conn.read(new Uint8Array(16)), null);
  const line = await server.logLine(/GET/);
  assertMatch(line, /127\.0\.0\.1:\d+ closed: /);
  assertStringIncludes(
    line,
    'Cannot receive message of 1195725856 bytes: limit is 1048576 bytes (it looks like an HTTP request, "GET ")',
  );
  await other.send("still here");
  assertEquals(await other.receive(), utf8.encode("still here"));
});

Deno.test("server.ts closes in order at SIGTERM: what was sent is flushed, and the exit code is 0", async () => {
  await using server = await RunningServer.start([":0", "--service", "echo"]);
  await using connection = await connect(server.endpoints[0]);
  await connection.send("x");
  assertEquals(await connection.receive(), utf8.encode("x"));
  server.kill("SIGTERM");
  assertEquals(await connection.receive(), undefined);
  await connection.close();
  assertEquals(await server.ended(), 0);
});

Deno.test("server.ts ends at once at the second signal", async () => {
  await using server = await RunningServer.start([":0", "--grace", "60000"]);
  // A raw peer that never closes its side holds the orderly end up.
  using conn = await Deno.connect({ port: server.port() });
  await conn.read(new Uint8Array(4));
  server.kill("SIGINT");
  await server.logLine(/closing 1 connections/);
  assertEquals(await server.stop("SIGINT"), 130);
});

Deno.test({
  name: "server.ts without certificates and without a terminal goes on at SIGHUP, as under nohup",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using server = await RunningServer.start([":0", "--service", "echo"]);
    await using connection = await connect(server.endpoints[0]);
    server.kill("SIGHUP");
    assertMatch(await server.logLine(/SIGHUP/), /SIGHUP: nothing to read again$/);
    await connection.send("x");
    assertEquals(await connection.receive(), utf8.encode("x"));
    await connection.close();
    assertEquals(await server.stop(), 0);
  },
});

ptyTest("server.ts closes in order when its terminal goes", async () => {
  const dir = await Deno.makeTempDir();
  const socket = `${dir}/echo.sock`;
  // Runs the server on a terminal that goes when the input ends, and prints the exit code.
  const helper = `import os, subprocess, sys, fcntl, termios
master, slave = os.openpty()
child = subprocess.Popen(sys.argv[1:], stdin=slave, stdout=slave, stderr=slave,
    start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
os.close(slave)
output = b""
while b"framing=" not in output: output += os.read(master, 1000)
print("open", flush=True)
sys.stdin.readline()
os.close(master)
print(child.wait(20), flush=True)`;
  const program = [Deno.execPath(), "run", "-A", "server.ts", `unix:${socket}`];
  const child = new Deno.Command("python3", {
    args: ["-c", helper, ...program, "--service", "echo"],
    cwd: new URL("../../", import.meta.url),
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream()).getReader();
  try {
    assertEquals((await lines.read()).value, "open");
    await using connection = await connect(`unix:${socket}`);
    await connection.send("x");
    assertEquals(await connection.receive(), utf8.encode("x"));
    await child.stdin.close();
    assertEquals(await connection.receive(), undefined);
    await connection.close();
    assertEquals((await lines.read()).value, "0");
    await assertRejects(() => Deno.lstat(socket), Deno.errors.NotFound);
  } finally {
    await child.stdin.close().catch(() => {}); // it is closed, if all went well
    while (!(await lines.read()).done);
    await child.status;
    await Deno.remove(dir, { recursive: true });
  }
});

for (const [what, ...options] of [["lines"], ["JSON", "--json"]]) {
  Deno.test(`server.ts --service print goes on when nobody reads its ${what} any more`, async () => {
    const args = ["run", "--no-prompt", "--allow-net", "server.ts", ":0", "--service", "print"];
    const child = new Deno.Command(Deno.execPath(), {
      args: [...args, ...options],
      cwd: new URL("../../", import.meta.url),
      stdout: "piped",
      stderr: "null",
    }).spawn();
    try {
      const reader = child.stdout.getReader();
      const first = new TextDecoder().decode((await reader.read()).value);
      await reader.cancel();
      for (let i = 0; i < 3; i++) {
        await using connection = await connect(/tcp:[^"\s]+/.exec(first)![0]);
        await connection.send("x");
        assertEquals((await connection.close()).clean, true);
      }
    } finally {
      child.kill("SIGTERM");
      assertEquals((await child.status).code, 0);
    }
  });
}

Deno.test("server.ts marks what is wrong with a framing, and only there", async () => {
  const wrong = "length(bytes:4,ofset:1)";
  const lines = `  ${wrong}\n${" ".repeat(17)}^^^^^\n`;
  const reason = '"ofset" at column 16 is unknown; the nearest is "offset"; --help tells more';
  for (const args of [["--framing", wrong], [`:0?framing=${wrong}`]]) {
    const { code, stderr, stdout } = await runHere("server.ts", args);
    assertEquals([code, stdout], [2, ""]);
    assert(stderr.endsWith(`: ${reason}\n${lines}`), stderr);
    const json = await runHere("server.ts", [...args, "--json"]);
    assertEquals([json.code, json.stderr], [2, ""]);
    assert(JSON.parse(json.stdout).message.endsWith(reason), json.stdout);
  }
});

Deno.test("server.ts takes framings with parameters, and names them in canonical form", async () => {
  await using server = await ServerHere.start([
    "--service",
    "echo",
    ":0?framing=length(bytes:2,includesHeader)",
    ":0",
    "--framing",
    "line(telnet:false, newline:crlf)",
  ], { count: 2 });
  const names = ["length(bytes:2,adjustment:-2)", "line(newline:crlf,telnet:false)"];
  assertEquals(server.endpoints.map((endpoint) => endpoint.replace(/^.*=/, "")), names);
  for (const endpoint of server.endpoints) {
    await using connection = await connect(endpoint);
    await connection.send("hi");
    assertEquals(new TextDecoder().decode(await connection.receive()), "hi");
  }
});

Deno.test("server.ts tells what is wrong in one line, with the exit code for it", async () => {
  await using server = await ServerHere.start([":0"]);
  const cases: [args: string[], code: number, message: RegExp][] = [
    [[`:${server.port()}`], 1, /^error: Cannot listen on .*: the port is in use/],
    [["192.0.2.1:80"], 1, /this machine does not have that address/],
    [["tpc://x:1"], 2, /transport "tpc" is unknown/],
    [["nowhere"], 2, /must look like tcp:/],
    [[":0?framing=u32"], 2, /framing "u32" is unknown, the nearest is "u32be"/],
    [["--sevice", "echo"], 2, /unknown option --sevice, the nearest is --service/],
    [["--service", "ehco"], 2, /--service ehco: .* the nearest is echo/],
    [["--max-message", "1e6"], 2, /--max-message 1e6: it must be a whole number/],
    [["--max-message"], 2, /--max-message needs a value, BYTES/],
    [["--framing", "u8", "--framing", "u16be"], 2, /--framing is given more than once/],
    [["--max-message", "-1"], 2, /--max-message -1: it must be a whole number from 1 to \d+;/],
    [["--max-message", "0"], 2, /--max-message 0: it must be a whole number from 1 to/],
    [["-x"], 2, /^error: unknown option -x; --help tells more\n$/],
    [["-1"], 2, /^error: unknown option -1; --help tells more\n$/],
    [["--frobnicate=5"], 2, /^error: unknown option --frobnicate; --help tells more\n$/],
    [
      ["--framing", "foo"],
      2,
      /--framing foo: it must be one of u8, .*, none; --help tells more\n$/,
    ],
    [["--service", "foo"], 2, /--service foo: it must be one of .*, files; --help tells more\n$/],
    [[":0?framing=foo"], 2, /framing "foo" is unknown, use one of u8, .*, none;/],
    [["--session=3"], 2, /--session takes no value, but got "3"/],
    [["--quiet=no"], 2, /--quiet takes no value, but got "no"/],
    [["-q=1"], 2, /--quiet takes no value, but got "1"/],
    [["-q1"], 2, /--quiet takes no value, but got "1"/],
    [["--help=false"], 2, /--help takes no value, but got "false"/],
  ];
  // The first of each code in a process of its own.
  const results = await Promise.all(cases.map(([args, code], i) => {
    const isFirst = i === cases.findIndex(([_, other]) => other === code);
    return isFirst ? run("server.ts", args) : runHere("server.ts", args);
  }));
  results.forEach(({ code, stdout, stderr }, i) => {
    const [args, expectedCode, message] = cases[i];
    assertMatch(stderr, message, args.join(" "));
    assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
    assertEquals([code, stdout], [expectedCode, ""], args.join(" "));
  });
});

Deno.test("server.ts --json=false is wrong, like any value of a switch", async () => {
  const { code, stdout, stderr } = await runHere("server.ts", [":0", "--json=false"]);
  assertEquals([code, stdout], [2, ""]);
  assertMatch(stderr, /--json takes no value, but got "false"/);
});

Deno.test("server.ts without --allow-net says which flag it needs", async () => {
  const { code, stderr } = await run("server.ts", [":0"], { flags: [] });
  assertEquals(code, 1);
  assertMatch(
    stderr,
    /^error: Cannot listen on .*: no permission; run with --allow-net=127\.0\.0\.1:0\n$/,
  );
});

Deno.test("server.ts and client.ts --help fit on one screen and need no permission", async () => {
  for (const script of ["server.ts", "client.ts"]) {
    const { code, stdout } = await run(script, ["--help"], { flags: [] });
    const lines = stdout.trimEnd().split("\n");
    assertEquals(code, 0);
    assertEquals(lines.length <= 24, true, `${lines.length} lines`);
    assertEquals(lines.filter((line) => line.length > 80), []);
    assertMatch(stdout, /Examples\n( {2}.*\n){3}/);
  }
});

Deno.test("server.ts --version prints the version of the module", async () => {
  const { version } = JSON.parse(
    await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
  );
  assertEquals((await run("server.ts", ["--version"])).stdout, `${version}\n`);
});
