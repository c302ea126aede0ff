import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { connect } from "../../mod.ts";
import { issue } from "../support/certificates.ts";
import { eventsIn } from "../support/events.ts";
import { runHere, ServerHere } from "../support/in_process.ts";
import { run } from "../support/program.ts";

/** Makes a file, and does something with it. */
async function withFile<T>(text: string, use: (file: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "lengthwise-config-" });
  try {
    const file = join(folder, "server.json");
    await Deno.writeTextFile(file, text);
    return await use(file);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const GOOD = `{
  // where it listens, with and without a framing
  "endpoints": ["tcp://127.0.0.1:0?framing=line", "tcp://127.0.0.1:0"],
  "service": "echo", /* not a chat */
  "framing": "u16le",
  "allow": ["127.0.0.0/8", "::1"],
  "limit": { "maxMessageBytes": 100, "slowConsumer": "drop-newest" },
  "session": false,
  "quiet": true,
}`;

Deno.test("server.ts --config takes the options from a file, and what the command line says before it", async () => {
  await withFile(GOOD, async (file) => {
    await using server = await ServerHere.start(["--config", file], { count: 2 });
    assertMatch(server.endpoints[0], /framing=line$/);
    assertMatch(server.endpoints[1], /framing=u16le$/);
    await using connection = await connect(server.endpoints[1]);
    await connection.send("x");
    assertEquals(await connection.receive(), new TextEncoder().encode("x"));
    await connection.close();
    await server.stop();
    assertEquals(server.stderr, "");

    const args = [":0", "--config", file, "--framing", "u8", "--service", "print"];
    await using other = await ServerHere.start([...args, "--log-level", "info"]);
    assertEquals(other.endpoints.length, 1);
    assertMatch(other.endpoints[0], /framing=u8$/);
    const second = await connect(other.endpoints[0]);
    await second.send("y");
    await second.close();
    assertMatch(await other.nextLine(), /: y$/);
    await other.logLine(/ info \S+ closed/);
  });
});

Deno.test("server.ts --log-level debug tells each option, and where it was given, but no secret", async () => {
  await withFile(`{"service": "echo", "grace": 100, "limit": {"backlog": 9}}`, async (file) => {
    const args = [":0", "--config", file, "--grace", "200", "--token", "secret"];
    await using server = await ServerHere.start([...args, "--json", "--log-level", "debug"]);
    await server.stop();
    const options = eventsIn(server.stdout).filter(({ event }) => event === "option");
    assertEquals(options.map(({ name, value, from }) => [name, value, from]), [
      ["service", "echo", file],
      ["token", "…", "command line"],
      ["limit", "backlog=9", file],
      ["grace", "200", "command line"],
      ["config", file, "command line"],
      ["log-level", "debug", "command line"],
      ["json", true, "command line"],
    ]);
  });
});

Deno.test("server.ts --config: a limit of the command line takes the place of the file's, under either name", async () => {
  const limited = async (text: string, ...args: string[]) =>
    await withFile(text, async (file) => {
      await using server = await ServerHere.start([":0", "--config", file, ...args]);
      using conn = await Deno.connect({ port: server.port() });
      await conn.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
      return /limit is (\d+) bytes/.exec(await server.logLine(/Cannot receive/))![1];
    });
  const byLimit = `{"service": "echo", "limit": {"maxMessageBytes": 100}}`;
  assertEquals(await limited(byLimit), "100");
  assertEquals(await limited(byLimit, "--limit", "maxMessageBytes=200"), "200");
  assertEquals(await limited(byLimit, "--max-message", "300"), "300");
  assertEquals(await limited(byLimit, "--limit", "backlog=10"), "100");
  const byName = `{"service": "echo", "max-message": 100}`;
  assertEquals(await limited(byName), "100");
  assertEquals(await limited(byName, "--limit", "maxMessageBytes=200"), "200");
});

const WRONG: [text: string, error: string][] = [
  ["", "1:1: it is not JSON: value expected"],
  ["service = echo", "1:1: it is not JSON: invalid symbol"],
  [`{\n  "service": "echo"\n  "grace": 5\n}`, "3:3: it is not JSON: comma expected"],
  [`{"service": 'echo'}`, "1:13: it is not JSON: invalid symbol"],
  [`["echo"]`, `1:1: it must be an object, as in {"service": "echo"}`],
  [`{\r\n\t"servce": "echo"}`, `2:2: there is no option "servce", the nearest is "service"`],
  [`{"endpoint": [":0"]}`, `1:2: there is no option "endpoint", the nearest is "endpoints"`],
  [`{"zzzzzz": 1}`, `1:2: there is no option "zzzzzz"`],
  [`{"__proto__": 1}`, `1:2: there is no option "__proto__"`],
  [`{"grace": 1,\n "grace": 2}`, `2:2: "grace" is given twice`],
  [`{"service": "ehco"}`, "1:13: service ehco: it must be one of chat, echo, print, "],
  [`{"service": 5}`, `1:13: "service" must be a string, but is 5`],
  [`{"grace": "5000"}`, `1:11: "grace" must be a number, but is "5000"`],
  [`{"grace": -1}`, "1:11: grace -1: it must be a whole number from 0 to "],
  [`{"grace": 1.5}`, "1:11: grace 1.5: it must be a whole number from 0 to "],
  [`{"session": "yes"}`, `1:13: "session" must be true or false, but is "yes"`],
  [`{"dir": null}`, `1:9: "dir" must be a string, but is null`],
  [`{"cert": ""}`, "1:10: cert needs a value, FILE"],
  [`{"framing": "length(bites:4)"}`, "1:13: framing length(bites:4): "],
  [`{"allow": ["10.0.0.0/8", 5]}`, `1:26: "allow" must be a list of strings, but has 5`],
  [`{"endpoints": [\n  ":1",\n  "tcp//x"]}`, "3:3: "],
  [`{"endpoints": []}`, `1:15: "endpoints": it names none`],
  [`{"limit": "maxConnections=5"}`, `1:11: "limit" must be an object, `],
  [
    `{"limit": {"maxConections": 5}}`,
    "1:12: limit maxConections: there is no limit of that name, ",
  ],
  [`{"limit": {"maxConnections": "x"}}`, "1:12: limit maxConnections=x: it must be a whole num"],
  [`{"limit": {"maxConnections": [5]}}`, `1:30: "limit": "maxConnections" must be a number or a`],
  [
    `{"token": "secret"}`,
    `1:2: "token": a secret belongs in a file of its own, which "token-file"`,
  ],
  [`{"config": "x"}`, `1:2: "config": a file names no other file`],
];

Deno.test("server.ts --config names line and column of what is wrong in the file", async () => {
  for (const [text, error] of WRONG) {
    await withFile(text, async (file) => {
      const { code, stdout, stderr } = await runHere("server.ts", ["--config", file]);
      assertEquals([code, stdout], [2, ""], text);
      assertStringIncludes(stderr, `error: ${file}:${error}`);
      assertEquals(stderr.split("\n").length, 2, stderr);
    });
  }
});

Deno.test("server.ts --config tells of files that are not there, not to be read, and no text", async () => {
  const gone = await runHere("server.ts", ["--config", "/nowhere/server.json"]);
  assertEquals(
    [gone.code, gone.stderr],
    [1, "error: --config /nowhere/server.json: there is no such file or folder\n"],
  );
  const folder = await runHere("server.ts", ["--config", "/"]);
  assertMatch(folder.stderr, /^error: --config \/: it is a folder/);
  const denied = await run("server.ts", ["--config", "server.json"]);
  assertEquals(
    [denied.code, denied.stderr],
    [1, "error: --config server.json: no permission; run with --allow-read=server.json\n"],
  );
  await withFile("", async (file) => {
    await Deno.writeFile(file, new Uint8Array([0x7b, 0xff, 0x7d]));
    const { code, stderr } = await runHere("server.ts", ["--config", file]);
    assertEquals([code, stderr.includes("it is not UTF-8")], [2, true]);
  });
});

Deno.test("server.ts --config: what the file says is refused as on the command line", async () => {
  await withFile(`{"service": "echo", "history": "x.db"}`, async (file) => {
    const { code, stderr } = await runHere("server.ts", ["--config", file]);
    assertEquals(
      [code, stderr],
      [2, "error: --history is for the service chat, not for echo; --help tells more\n"],
    );
  });
});

Deno.test("server.ts --check opens what the server would, says what is good, and serves nobody", async () => {
  await using server = await ServerHere.start([":0", "--service", "echo"]);
  const text =
    `{"endpoints": [":${server.port()}", ":0"], "tls-self-signed": true, "metrics": ":0"}`;
  await withFile(text.replace('":0"]', '":0", "tls://:0"]'), async (file) => {
    const args = ["--config", file, "--check"];
    const { code, stdout, stderr } = await runHere("server.ts", args);
    assertEquals([code, stderr], [0, ""]);
    const lines = stdout.trimEnd().split("\n");
    assertEquals(lines[0], `${file}: good`);
    assertMatch(lines[1], /^certificate: valid until \d{4}-\S+Z, which is soon$/);
    assertMatch(lines[2], /^:\d+: in use now: /);
    assertEquals(lines.slice(3), [":0: free", "tls://:0: free", "--metrics :0: free"]);
    const events = eventsIn((await runHere("server.ts", [...args, "--json"])).stdout);
    assertEquals(events.map(({ event, state }) => [event, state]), [
      ["checked", undefined],
      ["checked", undefined],
      ["checked", "in use"],
      ["checked", "free"],
      ["checked", "free"],
      ["checked", "free"],
    ]);
  });
});

/** From when to when certificates are valid, in days from now, and what is said of them. */
const DAYS: [days: [from: number, to: number], wanted: RegExp][] = [
  [[-3, -1], /^1 error: the certificate has ended on \d{4}-\S+Z: get another one\n$/],
  [[1, 3], /^1 error: the certificate begins on \d{4}-\S+Z: is the clock right\?\n$/],
  [[-1, 30], /^0 $/],
];

Deno.test("server.ts --check tells the first thing that is wrong, and leaves no file behind", async () => {
  await withFile("no certificate", async (file) => {
    const log = `${file}.log`;
    const check = async (...args: string[]) => {
      const { code, stderr } = await runHere("server.ts", [...args, "--check"]);
      return `${code} ${stderr}`;
    };
    assertMatch(await check("tls://:0", "--cert", file), /^2 error: Cannot use tls\.cert: /);
    assertMatch(await check("tls://:0", "--cert", "/nowhere"), /^1 error: --cert \/nowhere: there/);
    for (const [days, wanted] of DAYS) {
      const { cert, key } = await issue("server", { days });
      await Deno.writeTextFile(file, cert + key);
      assertMatch(await check("tls://:0", "--cert", file), wanted);
    }
    assertMatch(await check("tcp://192.0.2.1:0"), /^1 error: .*does not have that address/);
    assertMatch(
      await check(":0", "--log-file", `${file}/x`),
      /^1 error: --log-file .*not a folder/,
    );
    assertMatch(await check(":0", "--history", `${file}/x`), /^1 error: --history .*not a folder/);
    assertMatch(await check(":0", "--service", "exec"), /^2 error: --service exec needs/);
    assertMatch(await check(":0", "--service", "ehco"), /^2 error: --service ehco: it must be/);
    assertEquals(await check(":0", "--log-file", log, "--history", `${file}.db`), "0 ");
    const left = [...Deno.readDirSync(join(file, ".."))].map(({ name }) => name);
    assertEquals(left, ["server.json"]);
  });
});
