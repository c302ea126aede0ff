import { assert, assertEquals, assertMatch } from "@std/assert";
import { connect } from "../../mod.ts";
import { LIMIT_NAMES } from "../../programs/shared/limits.ts";
import { parseEndpoint, type TcpEndpoint } from "../../transport.ts";
import { runHere, ServerHere } from "../support/in_process.ts";
import { RunningServer } from "../support/program.ts";

/** An address of this machine whose peers are counted, as those of other machines are. */
const own = Deno.networkInterfaces().find(({ address, family }) =>
  family === "IPv4" && !address.startsWith("127.")
)?.address;

Deno.test("--limit knows every limit of docs/limits.md that a program's connections have", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/limits.md", import.meta.url));
  const [general, ...sections] = text.split(/^## /m);
  const section = (title: string) => sections.find((one) => one.startsWith(`${title}\n`))!;
  const namesIn = (part: string) =>
    Array.from(part.matchAll(/^\| `([\w.]+)` /gm), ([, name]) => name);
  const documented = [
    ...namesIn(general),
    ...namesIn(section("Sessions")).map((name) => `session.${name}`),
    ...namesIn(section("The chat")).map((name) => `chat.${name}`),
  ];
  assert(documented.length > 15);
  assert(documented.includes("session.window") && documented.includes("chat.pongTimeout"));
  const known = new Set([...LIMIT_NAMES.server, ...LIMIT_NAMES.client]);
  assertEquals(documented.filter((name) => !known.has(name)), []);
  const ofChats = (names: readonly string[]) => names.filter((name) => name.startsWith("chat."));
  assertEquals(ofChats(LIMIT_NAMES.server).sort(), ofChats(documented).sort());
});

Deno.test("--limit refuses what it does not know, and names the nearest", async () => {
  const cases: [script: string, args: string[], message: RegExp][] = [
    [
      "server.ts",
      ["--limit", "maxConnectionPerAddress=1"],
      /the nearest is maxConnectionsPerAddress/,
    ],
    ["server.ts", ["--limit", "frametimeout=1"], /the nearest is frameTimeout/],
    ["server.ts", ["--limit", "xyz=1"], /no limit of that name, use one of maxConnections, /],
    ["server.ts", ["--limit", "backlog"], /--limit backlog: it must look like NAME=VALUE/],
    ["server.ts", ["--limit", "backlog="], /it must look like NAME=VALUE/],
    ["server.ts", ["--limit", "backlog=1e3"], /--limit backlog=1e3: it must be a whole number/],
    ["server.ts", ["--limit", "backlog=0"], /backlog 0: .* 1 to 65535/],
    ["server.ts", ["--limit", "slowConsumer=wait"], /slowConsumer "wait": it must be "disconnect"/],
    ["server.ts", ["--limit", "backlog=1,backlog=2"], /--limit backlog is given twice/],
    ["server.ts", ["--limit", "maxConnections=1", "--max-connections", "2"], /give one of them/],
    ["server.ts", ["--limit", "udp.idleTimeout=1"], /udp\.idleTimeout is for udp:\/\//],
    [
      "server.ts",
      ["--limit", "session.window=1"],
      /session\.window is for sessions: say --session/,
    ],
    [
      "server.ts",
      ["--limit", "chat.pongTimeout=1", "--service", "echo"],
      /chat\.pongTimeout is for the service chat, not for echo/,
    ],
    ["server.ts", ["--limit", "chat.pongTimeout=0"], /pongTimeout 0: .* 1 to /],
    ["server.ts", ["--limit", "chat.perSecond=0"], /perSecond 0: it must be above 0/],
    ["server.ts", ["--limit", "chat.maxrooms=1"], /the nearest is chat\.maxRooms/],
    ["client.ts", ["--limit", "backlog=1"], /no limit of that name/],
    ["client.ts", [":1", "--limit", "session.window=1"], /is for sessions: say --session/],
    ["client.ts", [":1", "--limit", "connectTimeout=1", "--timeout", "2"], /give one of them/],
  ];
  for (const [script, args, message] of cases) {
    const { code, stderr } = await runHere(script, script === "server.ts" ? [":0", ...args] : args);
    assertMatch(stderr, message);
    assertEquals(code, 2, stderr);
  }
});

Deno.test("--limit sets limits of the server, may be said several times, and refusals name it", async () => {
  if (own === undefined) return console.log("  skipped: this machine has loopback only");
  const limits = [
    "--limit",
    "maxConnectionsPerAddress=2,frameTimeout=5000",
    "--limit",
    "backlog=9",
  ];
  await using server = await ServerHere.start(
    ["0.0.0.0:0", "--service", "echo", ...limits],
  );
  const { port } = parseEndpoint(server.endpoints[0]) as TcpEndpoint;
  const conns = await Promise.all(
    [1, 2, 3].map(() => Deno.connect({ hostname: own, port })),
  );
  assertMatch(
    await server.logLine(/refused/),
    /refused: maxConnectionsPerAddress is 2; --limit maxConnectionsPerAddress=N changes it$/,
  );
  for (const conn of conns) conn.close();
});

Deno.test("--limit raises the 64 connections per address", async () => {
  if (own === undefined) return console.log("  skipped: this machine has loopback only");
  const limits = ["--limit", "maxConnectionsPerAddress=200", "--limit", "maxConnectionRate=500"];
  // With all permissions, as here, a timer would watch what is sent over a network.
  await using server = await RunningServer.start(["0.0.0.0:0", "--service", "echo", ...limits]);
  const { port } = parseEndpoint(server.endpoints[0]) as TcpEndpoint;
  const frame = new Uint8Array([0, 0, 0, 1, 65]);
  const conns = await Promise.all(
    Array.from({ length: 100 }, () => Deno.connect({ hostname: own, port })),
  );
  for (const conn of conns) {
    await conn.write(frame);
    assertEquals(await conn.read(new Uint8Array(9)), 5);
    conn.close();
  }
});

Deno.test("--limit session.NAME is for the chat's page too, whose WebSockets may be sessions", async () => {
  await using server = await ServerHere.start(["ws://:0", "--limit", "session.retentionTime=5000"]);
  const [endpoint] = server.endpoints;
  const session = { retentionTime: 60_000 };
  const web = { subprotocols: ["lengthwise-session"] };
  await using page = await connect(endpoint, { session, web });
  await using plain = await connect(endpoint);
  const decoder = new TextDecoder();
  for (const member of [page, plain]) {
    assertMatch(decoder.decode(await member.receive()), /^\* Welcome, /);
  }
});

Deno.test("--limit of the client is its connections' own, and session limits are the session's", async () => {
  await using sessions = await ServerHere.start(
    [":0", "--service", "echo", "--session", "--limit", "session.retentionTime=5000"],
  );
  const send = ["send", "hello", "--expect", "1", "--limit"];
  const session = [sessions.endpoints[0], ...send, "session.window=200000", "--session"];
  assertEquals((await runHere("client.ts", session)).stdout, "hello\n");
  await using server = await ServerHere.start([":0", "--service", "echo"]);
  const small = await runHere("client.ts", [server.endpoints[0], ...send, "maxMessageBytes=4"]);
  assertEquals(small.code, 3);
  assertMatch(small.stderr, /limit is 4 bytes/);
});
