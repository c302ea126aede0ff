import { assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { connect } from "../../mod.ts";
import { LogFile } from "../../programs/shared/log_file.ts";
import { Output } from "../../programs/shared/output.ts";
import { issue } from "../support/certificates.ts";
import { eventsIn } from "../support/events.ts";
import { runHere, ServerHere } from "../support/in_process.ts";
import { RunningServer } from "../support/program.ts";

/** A folder for one test, and the log file in it. */
class Folder implements AsyncDisposable {
  readonly #path: string;
  readonly log: string;

  private constructor(path: string) {
    this.#path = path;
    this.log = join(path, "server.log");
  }

  static async make(): Promise<Folder> {
    return new Folder(await Deno.makeTempDir({ prefix: "lengthwise-log-" }));
  }

  /** What is in a file; nothing if there is none. */
  text(file = this.log): string {
    try {
      return Deno.readTextFileSync(file);
    } catch {
      return "";
    }
  }

  /** Does something, and waits until the log has what it must have then. */
  async after(action: () => unknown, wanted: RegExp): Promise<string> {
    using watcher = Deno.watchFs(this.#path);
    await action();
    if (!wanted.test(this.text())) {
      for await (const _ of watcher) if (wanted.test(this.text())) break;
    }
    return this.text();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#path, { recursive: true });
  }
}

async function visit(endpoint: string, message = "x"): Promise<void> {
  const connection = await connect(endpoint);
  await connection.send(message);
  await connection.close();
}

/** Asks for a web page, which the server closes the connection for. */
async function disturb(server: ServerHere): Promise<void> {
  using conn = await Deno.connect({ port: server.port() });
  await conn.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  while (await conn.read(new Uint8Array(64)) !== null);
}

const LINE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (debug|info|warn|error) \S/;

Deno.test("server.ts logs one line per event, with date, time and level", async () => {
  await using server = await ServerHere.start([":0", "--service", "echo"]);
  await visit(server.endpoints[0]);
  await server.logLine(/closed/);
  await disturb(server);
  await server.logLine(/ warn 127\.0\.0\.1:\d+ closed: .*looks like an HTTP request/);
  await server.stop();
  const lines = server.stderr.trimEnd().split("\n");
  for (const line of lines) assertMatch(line, LINE);
  assertEquals(lines.length, 5, server.stderr);
});

Deno.test("server.ts --log-level tells what is at least so important, also with --json", async () => {
  const args = [":0", "--service", "echo", "--log-level"];
  const levels: Record<string, RegExp[]> = {
    debug: [/ info \S+ connected/, / debug \S+ \(u32be\) was there for .* 1 and 5 went/],
    info: [/ info \S+ connected/, / warn \S+ closed: Cannot receive/],
    warn: [/ warn \S+ closed: Cannot receive/],
  };
  for (const [level, wanted] of Object.entries(levels)) {
    await using server = await ServerHere.start([...args, level]);
    await visit(server.endpoints[0]);
    await disturb(server);
    await server.stop();
    for (const pattern of wanted) assertMatch(server.stderr, pattern);
    assertEquals(/ debug /.test(server.stderr), level === "debug");
    assertEquals(/ info /.test(server.stderr), level !== "warn");
  }
  await using server = await ServerHere.start([...args, "warn", "--json"]);
  await visit(server.endpoints[0]);
  await disturb(server);
  while (!(await server.nextLine()).includes('"closed"'));
  await server.stop();
  const told = eventsIn(server.stdout);
  assertEquals(told.map(({ event, level }) => [event, level]), [
    ["listening", undefined],
    ["closed", "warn"],
  ]);
});

Deno.test("server.ts --log-file has the log, and is another file after SIGHUP when it was moved", async () => {
  await using folder = await Folder.make();
  await using server = await ServerHere.start([
    ":0",
    "--service",
    "echo",
    "--log-file",
    folder.log,
  ]);
  const before = await folder.after(() => visit(server.endpoints[0]), /closed/);
  assertEquals(before.trimEnd().split("\n").length, 2);
  const moved = `${folder.log}.1`;
  await Deno.rename(folder.log, moved);
  const after = await folder.after(() => server.kill("SIGHUP"), /opened again/);
  assertMatch(after, /^\S+ info SIGHUP: \S+server\.log is opened again\n$/);
  await folder.after(() => visit(server.endpoints[0]), /closed/);
  assertEquals(await server.stop(), 0);
  assertEquals([folder.text(moved), server.stderr], [before, ""]);
  const lines = folder.text().trimEnd().split("\n");
  for (const line of lines) assertMatch(line, LINE);
  assertMatch(lines.at(-1)!, / info SIGINT: closing 0 connections/);
});

Deno.test("server.ts opens its log file and reads its certificates at one SIGHUP", async () => {
  await using folder = await Folder.make();
  const { cert, key } = await issue("server", { names: ["127.0.0.1"] });
  const pair = `${folder.log}.pem`;
  await Deno.writeTextFile(pair, cert + key);
  const args = ["tls://:0", "--service", "echo", "--cert", pair, "--log-file", folder.log];
  await using server = await ServerHere.start(args);
  const text = await folder.after(() => server.kill("SIGHUP"), /certificates/);
  assertMatch(
    text,
    /^\S+ info .* is opened again\n\S+ info SIGHUP: new certificates are in use\n$/,
  );
});

Deno.test("server.ts --log-file has the events with --json, and stdout has what is no log", async () => {
  await using folder = await Folder.make();
  const args = [":0", "--service", "print", "--json", "--log-file", folder.log];
  await using server = await ServerHere.start(args);
  await folder.after(() => visit(server.endpoints[0], "hello"), /"closed"/);
  await server.stop();
  assertEquals(eventsIn(server.stdout).map(({ event }) => event), ["listening", "message"]);
  assertEquals(eventsIn(folder.text()).map(({ event, level }) => [event, level]), [
    ["connected", "info"],
    ["closed", "info"],
    ["closing", "info"],
  ]);
});

Deno.test({
  name: "server.ts goes on when its log file is on a full disk, says so once, and ends with 0",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const args = [":0", "--service", "echo", "--log-file", "/dev/full"];
    await using server = await ServerHere.start(args);
    for (let i = 0; i < 3; i++) await visit(server.endpoints[0]);
    assertMatch(
      await server.logLine(/./),
      / error Cannot write to \/dev\/full: no space left on de/,
    );
    assertEquals(await server.stop(), 0);
    assertEquals(server.stderr.trimEnd().split("\n").length, 1, server.stderr);
  },
});

Deno.test("server.ts goes on when its log file cannot be opened: the log is on stderr until SIGHUP", async () => {
  await using folder = await Folder.make();
  await Deno.mkdir(folder.log);
  await using server = await ServerHere.start([
    ":0",
    "--service",
    "echo",
    "--log-file",
    folder.log,
  ]);
  await server.logLine(
    / error --log-file \S+: it is a folder; the log goes here, and SIGHUP tries/,
  );
  await visit(server.endpoints[0]);
  await server.logLine(/ info \S+ closed/);
  server.kill("SIGHUP");
  await server.logLine(/ error --log-file \S+: it is a folder; the log goes here/);
  await Deno.remove(folder.log);
  await folder.after(() => server.kill("SIGHUP"), /opened again/);
  await using child = await RunningServer.start([":0", "--log-file", folder.log]);
  await child.logLine(
    / error --log-file \S+: no permission; run with --allow-write=\S+server\.log; /,
  );
});

Deno.test("server.ts tells in its log file, too, why it did not start", async () => {
  await using folder = await Folder.make();
  await using server = await ServerHere.start([":0", "--service", "echo"]);
  const args = [`:${server.port()}`, "--log-file", folder.log];
  const { code, stderr } = await runHere("server.ts", args);
  assertEquals(code, 1);
  assertMatch(stderr, /^error: Cannot listen on .*: the port is in use/);
  assertMatch(folder.text(), /^\S+ error Cannot listen on .*: the port is in use.*\n$/);
});

Deno.test("server.ts refuses options of the log that contradict each other, and levels that are none", async () => {
  const both = await runHere("server.ts", [":0", "--quiet", "--log-level", "warn"]);
  assertEquals(
    [both.code, both.stderr],
    [2, "error: --quiet and --log-level: give one of them; --help tells more\n"],
  );
  const none = await runHere("server.ts", [":0", "--log-level", "warning"]);
  assertMatch(
    none.stderr,
    /^error: --log-level warning: it must be one of debug, info, warn, error; /,
  );
});

Deno.test("LogFile takes lines together, and those who write them wait while too much is queued", async () => {
  await using folder = await Folder.make();
  const write = () => Promise.reject(new Error("nobody writes here"));
  const nowhere = new Output("nowhere", { write, keeps: false, isTerminal: false });
  const failures: string[] = [];
  const options = {
    otherwise: nowhere,
    onFailure: (message: string) => failures.push(message),
    note: (count: number) => `${count} are missing\n`,
  };
  const lines = `${"x".repeat(999)}\n`.repeat(1_000);
  {
    await using log = new LogFile(folder.log, options);
    await log.reopen();
    const writing = log.write(new TextEncoder().encode(lines));
    for (let n = 0; n < 3; n++) log.offer("offered while there is no room\n");
    await writing;
    log.offer("offered\n");
  }
  assertEquals(failures, []);
  assertEquals(folder.text(), `${lines}3 are missing\noffered\n`);
});
