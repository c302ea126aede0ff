/** The programs: `server.ts --service files`, and `client.ts` with `put`, `get` and `ls`. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { serveFiles } from "../../files.ts";
import { progressLine, timeText } from "../../programs/client/progress.ts";
import { listen } from "../../server.ts";
import { eventsIn } from "../support/events.ts";
import { content, World } from "../support/files_world.ts";
import { runHere } from "../support/in_process.ts";
import { type Result, run, RunningServer } from "../support/program.ts";

const CLIENT = new URL("../../client.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** Arguments for the client in another directory, where `get` puts its files. */
function command(cwd: string, args: string[], flags: string[] = ["-R=.", "-W=."]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-net", ...flags, "--config", CONFIG, CLIENT, ...args],
    cwd,
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  });
}

async function runIn(cwd: string, args: string[], flags?: string[]) {
  const { code, stdout, stderr } = await command(cwd, args, flags).output();
  const decoder = new TextDecoder();
  return { code, bytes: stdout, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** An endpoint that serves the world's directory from this process. */
function serve(world: World) {
  return listen("tcp://127.0.0.1:0", async (connection) => {
    await serveFiles(connection, world.directory, { onError() {} }).closed;
  });
}

Deno.test("server.ts --service files takes, lists and gives files with only the permissions for DIR", async () => {
  await using world = await World.create();
  const { served, here } = world;
  const flags = ["--allow-net", `--allow-read=${served}`, `--allow-write=${served}`];
  await using server = await RunningServer.start([":0", "--service", "files", "--dir", served], {
    flags,
  });
  const [endpoint] = server.endpoints;
  const bytes = content(700_000);
  const path = await world.write("big file.bin", bytes);
  const put = await runIn(here, [endpoint, "put", path], [`--allow-read=${path}`]);
  assertEquals([put.code, put.stdout, put.stderr], [0, "", ""]);
  const elsewhere = join(here, "elsewhere");
  await Deno.mkdir(elsewhere);
  const [get, out, ls, json] = await Promise.all([
    runIn(elsewhere, [endpoint, "get", "big file.bin"]),
    runIn(here, [endpoint, "get", "big file.bin", "--output", "-"], []),
    runIn(here, [endpoint, "ls"], []),
    runIn(here, [endpoint, "ls", "--json"], []),
  ]);
  assertEquals([get.code, get.stdout, get.stderr], [0, "", ""]);
  assertEquals(await Deno.readFile(join(elsewhere, "big file.bin")), bytes);
  assertEquals([out.code, out.stderr], [0, ""]);
  assertEquals(out.bytes, bytes);
  assertMatch(ls.stdout, /^ +700000 {2}\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ {2}big file\.bin\n$/);
  const [{ modified: _, ...entry }] = eventsIn(json.stdout);
  assertEquals(entry, { event: "file", name: "big file.bin", size: 700_000 });
});

Deno.test("client.ts put and get end with a code and a line that says what to do", async () => {
  await using world = await World.create();
  await using server = await serve(world);
  const [endpoint] = server.endpoints;
  await world.write("x", "new");
  await Deno.writeTextFile(join(world.served, "x"), "old");
  const inItsFolder = (flags?: string[]) => (args: string[]) => runIn(world.here, args, flags);
  const here = (args: string[]) => runHere("client.ts", args);
  type Run = (args: string[]) => Promise<Result>;
  const cases: [run: Run, args: string[], code: number, stderr: RegExp][] = [
    [inItsFolder([]), ["put", "x"], 1, /no permission for x; run with --allow-read=x$/],
    [inItsFolder([]), ["get", "y"], 1, /no permission for \.; run with --allow-read=\.$/],
    [inItsFolder(), ["get", "x"], 1, /Cannot write x: there is one of that name$/],
    [inItsFolder(), ["get", "nothing"], 1, /Cannot read nothing: there is no such file$/],
    [here, ["put", join(world.here, "x")], 1, /Cannot write x: there is one of that name$/],
    [here, ["put", join(world.here, "nothing")], 1, /Cannot read nothing: there is no such file$/],
    [here, ["put"], 2, /"put" needs at least one FILE/],
    [here, ["get"], 2, /"get" needs one NAME/],
    [here, ["get", "../x"], 2, /Cannot take name "\.\.\/x": none of/],
    [here, ["ls", "x"], 2, /"ls" takes no operands/],
    [here, ["put", "x", "--output", "y"], 2, /--output is for "get", not for "put"/],
  ];
  const results = await Promise.all(cases.map(([run, args]) => run([endpoint, ...args])));
  for (const [i, [_, args, code, stderr]] of cases.entries()) {
    assertEquals(results[i].code, code, `${args}: ${results[i].stderr}`);
    assertMatch(results[i].stderr.trimEnd(), stderr);
  }
});

Deno.test("client.ts get --output FILE writes over FILE", async () => {
  await using world = await World.create();
  await using server = await serve(world);
  await Deno.writeTextFile(join(world.served, "x"), "new");
  await world.write("y", "old");
  const args = [server.endpoints[0], "get", "x", "--output", join(world.here, "y"), "--json"];
  const { code, stdout } = await runHere("client.ts", args);
  assertEquals(code, 0);
  assertEquals(JSON.parse(stdout).size, 3);
  assertEquals(await Deno.readTextFile(join(world.here, "y")), "new");
});

Deno.test("client.ts put goes on where it was when it was killed", async () => {
  await using world = await World.create();
  await using server = await serve(world);
  const size = 48 * 1024 * 1024;
  const path = await world.write("big", content(4096));
  await Deno.truncate(path, size);
  const args = [server.endpoints[0], "put", "big", "--json"];
  const child = command(world.here, args).spawn();
  const part = join(world.served, ".big.lengthwise-part");
  let isOver = false;
  child.status.then(() => isOver = true);
  while (!isOver) {
    try {
      if ((await Deno.stat(part)).size > 1_000_000) break;
    } catch {
      // Not yet.
    }
    await new Promise((resolve) => setTimeout(resolve));
  }
  assertEquals(isOver, false);
  child.kill("SIGKILL");
  assertEquals((await child.output()).signal, "SIGKILL");
  const again = await runHere("client.ts", [server.endpoints[0], "put", path, "--json"]);
  assertEquals(again.code, 0, again.stderr);
  const { event, resumedAt } = JSON.parse(again.stdout.trim().split("\n").at(-1)!);
  assertEquals(event, "put");
  assert(resumedAt >= 1_000_000 && resumedAt < size, `${resumedAt}`);
  assertEquals(world.names(), ["big"]);
  assertEquals((await Deno.stat(join(world.served, "big"))).size, size);
});

Deno.test("client.ts goes on by itself when its connection is cut", async () => {
  await using world = await World.create();
  let count = 0;
  await using server = await listen("tcp://127.0.0.1:0", async (connection) => {
    const isFirst = ++count <= 2;
    const peer = serveFiles(connection, world.directory, { onError() {} });
    if (isFirst) {
      const timer = setInterval(() => {
        if (connection.stats.bytesReceived + connection.stats.bytesSent > 3_000_000) {
          connection.abort();
        }
      }, 1);
      await peer.closed;
      clearInterval(timer);
    } else await peer.closed;
  });
  const bytes = content(12 * 1024 * 1024);
  const path = await world.write("big", bytes);
  const args = [server.endpoints[0], "put", path, "--json"];
  const { code, stdout, stderr } = await runHere("client.ts", args);
  assertEquals(code, 0, stderr);
  const events = stdout.trim().split("\n").map((line) => JSON.parse(line).event);
  assertEquals(events.at(-1), "put");
  assert(events.includes("retry"), stdout);
  assertEquals(await Deno.readFile(join(world.served, "big")), bytes);
});

Deno.test("server.ts --service files says what it needs, and takes its options for itself", async () => {
  await using world = await World.create();
  const dir = ["--dir", world.served];
  const withFlags = (...flags: string[]) => (args: string[]) => run("server.ts", args, { flags });
  const here = (args: string[]) => runHere("server.ts", args);
  type Run = (args: string[]) => Promise<Result>;
  const cases: [run: Run, args: string[], code: number, stderr: RegExp][] = [
    [withFlags("-N"), ["files", ...dir], 1, /--dir .*: no permission; run with --allow-read=/],
    [withFlags("-N", "-R"), ["files", ...dir], 1, /no permission; run with --allow-write=/],
    [here, ["files"], 2, /--service files needs --dir DIR/],
    [here, ["files", "--dir", "/nowhere"], 1, /there is no such file/],
    [here, ["echo", ...dir], 2, /--dir is for the service files, not for echo/],
    [here, ["chat", "--read-only"], 2, /--read-only is for the service files/],
  ];
  const results = await Promise.all(
    cases.map(([run, args]) => run([":0", "--service", ...args])),
  );
  for (const [i, [_, args, code, stderr]] of cases.entries()) {
    assertEquals(results[i].code, code, `${args}: ${results[i].stderr}`);
    assertMatch(results[i].stderr, stderr);
  }
});

Deno.test("A progress line shows name, bar, share, rate and time, and never wraps", () => {
  const line = progressLine("film.mkv", 250, 1000, 10, 80);
  assertMatch(line, /^film\.mkv \[#+\.+\] {2}25 % of 1 kB 10 B\/s 01:15 left$/);
  for (const columns of [1, 5, 20, 40, 41, 60, 80, 200]) {
    for (const name of ["x", "a very long name of a file indeed ".repeat(5)]) {
      const { length } = progressLine(name, 1, 3, 1e6, columns);
      assert(length < Math.max(columns, 1) || length === 0, `${length} of ${columns}`);
    }
  }
  assertMatch(progressLine("x", 0, 0, 0, 80), /100 % of 0 B/);
  assertEquals([0, 59.2, 3599, 3600, 1e9].map(timeText), [
    "00:00",
    "01:00",
    "59:59",
    "1:00:00",
    "days",
  ]);
});
