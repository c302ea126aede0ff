import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "node:path";
import { connect, listen } from "../../mod.ts";
import { Output, OutputError, ReaderGoneError } from "../../programs/shared/output.ts";
import { requests } from "../../request.ts";
import { freePort } from "../support/free_port.ts";
import { RunningServer } from "../support/program.ts";
import { ptyTest } from "../support/pty.ts";

/** A pipe that takes what it is told to take. */
class Pipe {
  readonly keeps = false;
  isTerminal = false;
  text = "";
  writes = 0;
  /** What a write does. */
  take: (bytes: Uint8Array) => number | Promise<number> = (bytes) => bytes.length;

  async write(bytes: Uint8Array): Promise<number> {
    this.writes++;
    const taken = await this.take(bytes);
    this.text += new TextDecoder().decode(bytes.subarray(0, taken));
    return taken;
  }
}

const LINE = "x".repeat(999) + "\n";

Deno.test("Output writes in order, and what is told in one turn at once", async () => {
  const pipe = new Pipe();
  const output = new Output("stdout", pipe);
  for (const text of ["a", "b", "c"]) output.write(text);
  await output.flush();
  output.write("d");
  await output.flush();
  assertEquals([pipe.text, pipe.writes], ["abcd", 2]);
});

Deno.test("Output waits while a pipe that does not block says that it is full", async () => {
  const pipe = new Pipe();
  pipe.take = (bytes) => {
    if (pipe.writes % 2 === 1) throw new Deno.errors.WouldBlock("full");
    return Math.min(bytes.length, 3);
  };
  const output = new Output("stdout", pipe);
  output.write("whole and in order");
  await output.flush();
  assertEquals([pipe.text, output.failure], ["whole and in order", undefined]);
});

Deno.test("Output drops lines that nobody reads, counts them, and tells it when it flows again", async () => {
  const pipe = new Pipe();
  const open = Promise.withResolvers<void>();
  pipe.take = async (bytes) => {
    await open.promise;
    return bytes.length;
  };
  const output = new Output("stderr", pipe);
  output.note = (dropped) => `${dropped} dropped\n`;
  for (let i = 0; i < 1000; i++) output.offer(LINE);
  assert(output.queuedBytes < 300_000, "what is queued has a bound");
  open.resolve();
  await output.flush();
  const written = pipe.text.split(LINE).length - 1;
  assertEquals(pipe.text.slice(written * LINE.length), `${1000 - written} dropped\n`);
  output.offer("again\n");
  await output.flush();
  assertMatch(pipe.text, /dropped\nagain\n$/);
});

Deno.test("Output.room() waits while much is queued, and for no more than that", async () => {
  const pipe = new Pipe();
  const open = Promise.withResolvers<void>();
  pipe.take = async (bytes) => {
    await open.promise;
    return bytes.length;
  };
  const output = new Output("stdout", pipe);
  output.write("x");
  await output.room();
  output.write(new Uint8Array(100_000));
  const order: string[] = [];
  const room = output.room().then(() => order.push("room"));
  order.push("open");
  open.resolve();
  await room;
  assertEquals(order, ["open", "room"]);
});

Deno.test("Output tells once why the system takes nothing, tries again, and stays failed", async () => {
  const pipe = new Pipe();
  const told: string[] = [];
  pipe.take = () => {
    throw new Error("No space left on device (os error 28)");
  };
  const output = new Output("stdout", pipe);
  output.onFailure = ({ message }) => told.push(message);
  for (const text of ["a\n", "b\n"]) {
    output.offer(text);
    await assertRejects(() => output.flush(), OutputError);
  }
  pipe.take = (bytes) => bytes.length;
  output.offer("c\n");
  await assertRejects(() => output.flush(), OutputError, "no space left on device");
  assertEquals(told, ["Cannot write to stdout: no space left on device"]);
  assertEquals(pipe.text, "c\n2 lines were dropped\n");
});

Deno.test("Output takes nothing any more when its reader has gone, which is no failure to tell", async () => {
  const pipe = new Pipe();
  pipe.take = () => {
    throw new Deno.errors.BrokenPipe("Broken pipe (os error 32)");
  };
  const output = new Output("stdout", pipe);
  output.onFailure = () => assert(false, "it is told");
  output.write("a");
  await assertRejects(() => output.flush(), ReaderGoneError);
  output.write("b");
  assertEquals([output.queuedBytes, pipe.writes], [0, 1]);
});

Deno.test("Output takes a terminal that hung up for a reader that has gone, and no disk's error", async () => {
  for (const isTerminal of [true, false]) {
    const pipe = new Pipe();
    pipe.isTerminal = isTerminal;
    pipe.take = () => {
      throw Object.assign(new Error("Input/output error (os error 5)"), { code: "EIO" });
    };
    const output = new Output("stdout", pipe);
    output.write("a");
    const error = await assertRejects(() => output.flush(), OutputError);
    assertEquals(error instanceof ReaderGoneError, isTerminal);
  }
});

Deno.test("Output.end() gives whoever reads the time it has, and no more", async () => {
  const pipe = new Pipe();
  const output = new Output("stderr", pipe);
  output.write("a");
  await output.end(600_000);
  assertEquals(pipe.text, "a");
  const stuck = Promise.withResolvers<number>();
  const stuckOutput = new Output("stderr", {
    keeps: false,
    isTerminal: false,
    write: () => stuck.promise,
  });
  stuckOutput.write("a");
  await stuckOutput.end(10);
  assertEquals(stuckOutput.queuedBytes, 0);
  stuck.resolve(1);
});

ptyTest("the programs wait for a reader that is slow, where a pipe does not block", async () => {
  await using server = await listen("tcp://127.0.0.1:0", async (connection) => {
    requests(connection, {
      async *count() {
        for (let i = 0; i < 5000; i++) yield `${i} ${"x".repeat(100)}`;
      },
    });
    await connection.closed;
  });
  await using echo = await listen("tcp://127.0.0.1:0", async (connection) => {
    for await (const message of connection) await connection.send(message);
  });
  const lines = Array.from({ length: 5000 }, (_, i) => `${i} ${"x".repeat(100)}\n`).join("");
  const client = [Deno.execPath(), "run", "--no-prompt", "--allow-net", "client.ts"];
  const cases: [args: string[], stdin: string][] = [
    [[echo.endpoints[0], "--linger", "600000", "--half-close"], lines],
    [[echo.endpoints[0], "--linger", "600000", "--half-close", "--json"], lines],
    [[server.endpoints[0], "request", "count", "--stream"], ""],
  ];
  for (const [args, stdin] of cases) {
    const child = new Deno.Command("python3", {
      args: [join(import.meta.dirname!, "../support/fixtures/reader.py"), ...client, ...args],
      cwd: new URL("../../", import.meta.url),
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const input = child.stdin.getWriter();
    await input.write(new TextEncoder().encode(stdin));
    await input.close();
    const { stdout } = await child.output();
    assertEquals(new TextDecoder().decode(stdout), "5000 0\n", args.join(" "));
  }
});

const FULL = "/dev/full";

Deno.test({
  name: "the programs tell once that their output cannot be written, and never end with 0",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using echo = await listen("tcp://127.0.0.1:0", async (connection) => {
      for await (const message of connection) await connection.send(message);
    });
    const [endpoint] = echo.endpoints;
    const cases = [
      `client.ts ${endpoint} send x y --expect 2`,
      `client.ts ${endpoint} send x --expect 1 --json`,
      `client.ts ${endpoint} ping --count 2 --interval 1`,
      `client.ts ${endpoint} bench --count 10`,
      `client.ts --help`,
      `server.ts --version`,
    ];
    await Promise.all(cases.map(async (command) => {
      const { code, stderr } = await shell(`deno run --no-prompt --allow-net ${command} > ${FULL}`);
      assertEquals(
        [code, stderr],
        [1, "error: Cannot write to stdout: no space left on device\n"],
        command,
      );
    }));
    const piped = await shell(
      `printf 'a\\nb\\n' | deno run --no-prompt --allow-net client.ts ${endpoint} > ${FULL}`,
    );
    assertEquals(piped.code, 1);
    const untold = await shell(`deno run --no-prompt --allow-net client.ts :1 send x 2> ${FULL}`);
    assertEquals(untold.code, 1);
  },
});

Deno.test({
  name: "server.ts goes on when its output cannot be written, tells it once, and ends with 1",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const port = freePort();
    const child = new Deno.Command("sh", {
      args: [
        "-c",
        `exec deno run --no-prompt --allow-net server.ts :${port} --service print --json > ${FULL}`,
      ],
      cwd: new URL("../../", import.meta.url),
      env: { PATH: `${join(Deno.execPath(), "..")}:${Deno.env.get("PATH")}`, NO_COLOR: "1" },
      stderr: "piped",
    }).spawn();
    for (let i = 0; i < 3; i++) {
      await using connection = await connectSoon(`tcp://127.0.0.1:${port}`);
      await connection.send("x");
    }
    child.kill("SIGTERM");
    const { code, stderr } = await child.output();
    assertEquals(
      [code, new TextDecoder().decode(stderr)],
      [1, "error: Cannot write to stdout: no space left on device\n"],
    );
  },
});

for (const flags of [[], ["--json"]]) {
  Deno.test(`server.ts serves on while nobody reads what it tells ${flags}`, async () => {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--allow-net", "server.ts", ":0", "--service", "echo", ...flags],
      cwd: new URL("../../", import.meta.url),
      env: { NO_COLOR: "1" },
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    const first = new TextDecoder().decode((await reader.read()).value);
    const [, endpoint] = /(tcp:\/\/[\d.:]+)/.exec(first)!;
    const visitors = flags.length > 0 ? 800 : 2500;
    for (let i = 0; i < visitors; i += 50) {
      await Promise.all(Array.from({ length: 50 }, () => visit(endpoint)));
    }
    reader.releaseLock();
    // Now somebody reads, and hears how much was not told.
    const untold = flags.length > 0 ? child.stdout : child.stderr;
    const note = flags.length > 0
      ? /"event":"dropped",.*"count":\d+/
      : /\d+ lines were dropped here/;
    let text = "";
    for await (const chunk of untold.pipeThrough(new TextDecoderStream())) {
      if (note.test(text += chunk)) break;
    }
    assertMatch(text, note);
    child.kill("SIGTERM");
    const others = [child.stdout, child.stderr].filter((stream) => stream !== untold);
    await Promise.all(others.map((stream) => stream.pipeTo(new WritableStream())));
    assertEquals((await child.status).code, 0);
  });
}

Deno.test("server.ts --hold-back drops no event: who comes waits for the reader", async () => {
  const args = [":0", "--service", "echo", "--json", "--hold-back"];
  await using server = await RunningServer.start(args);
  const visits = Promise.all(Array.from({ length: 2000 }, async (_, i) => {
    await new Promise((resolve) => setTimeout(resolve, i));
    await visit(server.endpoints[0]);
  }));
  const events = new Map<string, number>();
  while ((events.get("closed") ?? 0) < 2000) {
    const { event } = JSON.parse(await server.nextLine());
    events.set(event, (events.get(event) ?? 0) + 1);
  }
  await visits;
  assertEquals(events, new Map([["connected", 2000], ["closed", 2000]]));
});

Deno.test("server.ts ends in time when nobody reads what it tells", async () => {
  await using server = await RunningServer.start([":0", "--service", "echo", "--json"]);
  for (let i = 0; i < 10; i++) {
    await Promise.all(Array.from({ length: 50 }, () => visit(server.endpoints[0])));
  }
  assertEquals(await server.stop("SIGTERM"), 0);
});

Deno.test("client.ts ends at a signal also when nobody reads its output", async () => {
  await using server = await listen("tcp://127.0.0.1:0", async (connection) => {
    const flood = new Uint8Array(10_000).fill(0x61);
    while (connection.state === "open") await connection.send(flood);
  });
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-net", "client.ts", server.endpoints[0]],
    cwd: new URL("../../", import.meta.url),
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const reader = child.stdout.getReader({ mode: "byob" });
  await reader.read(new Uint8Array(1));
  child.kill("SIGTERM");
  assertEquals(typeof (await child.status).code, "number");
  reader.releaseLock();
  await Promise.all([child.stdin.close(), child.stdout.cancel(), child.stderr.cancel()]);
});

/** Says a word to an echo server, and hears it. */
async function visit(endpoint: string): Promise<void> {
  await using connection = await connect(endpoint);
  connection.send("x");
  assert(await connection.receive() !== undefined);
}

/** Connects as soon as somebody listens. */
async function connectSoon(endpoint: string) {
  for (;;) {
    try {
      return await connect(endpoint);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20)); // It has only just been started.
    }
  }
}

async function shell(script: string): Promise<{ code: number; stderr: string }> {
  const { code, stderr } = await new Deno.Command("sh", {
    args: ["-c", script],
    cwd: new URL("../../", import.meta.url),
    env: { PATH: `${join(Deno.execPath(), "..")}:${Deno.env.get("PATH")}`, NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}
