import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { connect, ConnectError, listen, ListenError } from "../../mod.ts";
import { parseEndpoint } from "../../transport.ts";
import { nobodyListens } from "../support/listening.ts";
import { run, RunningServer } from "../support/program.ts";
import { receiveText } from "../support/texts.ts";

/** A folder for sockets, gone at the end. */
async function folder() {
  const path = await Deno.makeTempDir();
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

Deno.test("parseEndpoint() reads unix:PATH with framing and mode", () => {
  assertEquals(parseEndpoint("unix:/run/lw.sock?framing=line&mode=660"), {
    transport: "unix",
    path: "/run/lw.sock",
    framing: "line",
    mode: 0o660,
  });
  assertEquals(parseEndpoint("unix:///run/lw.sock"), { transport: "unix", path: "/run/lw.sock" });
  assertEquals(parseEndpoint("unix:lw.sock"), { transport: "unix", path: "lw.sock" });
});

Deno.test("parseEndpoint() refuses a Unix path that is missing or too long, and a mode that is none", () => {
  assertThrows(() => parseEndpoint("unix:"), TypeError, "it must look like unix:PATH");
  const long = `/tmp/${"x".repeat(200)}`;
  assertThrows(() => parseEndpoint(`unix:${long}`), TypeError, "its path has 205 bytes, limit is");
  assertThrows(() => parseEndpoint("unix:/a?mode=999"), TypeError, 'mode "999" must be');
  assertThrows(() => parseEndpoint(":1?mode=660"), TypeError, 'option "mode" is unknown');
});

Deno.test("listen() on unix:PATH gives the file its mode, and removes it when it closes", async () => {
  await using sockets = await folder();
  const path = `${sockets.path}/a.sock`;
  const server = await listen(`unix:${path}?mode=600&framing=line`);
  assertEquals(server.endpoints, [`unix:${path}?framing=line`]);
  assertEquals((await Deno.lstat(path)).mode! & 0o777, 0o600);
  await server.close();
  assertEquals(await exists(path), false);
});

Deno.test("listen() takes over the socket file of a server that is gone", async () => {
  await using sockets = await folder();
  const path = `${sockets.path}/stale.sock`;
  // A killed server leaves its file behind.
  const code =
    `Deno.listen({ transport: "unix", path: "${path}" }); Deno.kill(Deno.pid, "SIGKILL")`;
  await new Deno.Command(Deno.execPath(), { args: ["eval", code] }).output();
  assertEquals(await exists(path), true);
  await using server = await listen(`unix:${path}`, async (connection) => {
    await connection.send(connection.remote);
  });
  await using client = await connect(server.endpoints[0]);
  assertEquals(await receiveText(client), `unix:${path}`);
});

Deno.test("listen() refuses a path where a server listens, where another file is, and without folder", async () => {
  await using sockets = await folder();
  await using _server = await listen(`unix:${sockets.path}/live.sock`);
  await Deno.writeTextFile(`${sockets.path}/file`, "precious");
  const cases = [
    ["live.sock", "another server listens there"],
    ["file", "there is a file that is no socket"],
    ["no/such/folder", "there is no such file or folder"],
  ];
  for (const [name, reason] of cases) {
    const endpoint = `unix:${sockets.path}/${name}`;
    const error = await assertRejects(() => listen(endpoint), ListenError);
    assertEquals(error.message, `Cannot listen on ${endpoint}: ${reason}`);
  }
  assertEquals(await Deno.readTextFile(`${sockets.path}/file`), "precious");
});

Deno.test("connect() to a Unix socket that is not there, or that nobody listens on, says so", async () => {
  await using sockets = await folder();
  const missing = `unix:${sockets.path}/missing`;
  const error = await assertRejects(() => connect(missing), ConnectError);
  assertEquals(error.message, `Cannot connect to ${missing}: there is no such file or folder`);
  await Deno.writeTextFile(`${sockets.path}/file`, "");
  await assertRejects(
    () => connect(`unix:${sockets.path}/file`),
    ConnectError,
    "connection refused, nothing listens there",
  );
});

Deno.test("the programs talk over a Unix socket, and name all permissions that it needs", async () => {
  await using sockets = await folder();
  const path = `${sockets.path}/echo.sock`;
  await using server = await listen(`unix:${path}`, async (connection) => {
    for await (const message of connection) await connection.send(message);
  });
  const args = [server.endpoints[0], "send", "over a file", "--expect", "1"];
  const flags = ["--allow-net", `--allow-read=${sockets.path}`, `--allow-write=${sockets.path}`];
  assertEquals((await run("client.ts", args, { flags })).stdout, "over a file\n");
  const { code, stderr } = await run("client.ts", args);
  assertEquals(code, 1);
  assertMatch(
    stderr,
    /no permission; run with --allow-net --allow-read=\S+ --allow-write=\S+echo\.sock\n$/,
  );
});

/** The file of a server that was killed. */
async function leaveStale(path: string): Promise<void> {
  const code =
    `Deno.listen({ transport: "unix", path: "${path}" }); Deno.kill(Deno.pid, "SIGKILL")`;
  await new Deno.Command(Deno.execPath(), { args: ["eval", code] }).output();
}

Deno.test("a listener that closes leaves the socket of its successor alone", async () => {
  await using sockets = await folder();
  const path = `${sockets.path}/a.sock`;
  const old = await listen(`unix:${path}`);
  await Deno.remove(path); // As people do who think that it is stale.
  await using successor = await listen(`unix:${path}`, async (connection) => {
    await connection.send("here");
  });
  await old.close();
  await using client = await connect(successor.endpoints[0]);
  assertEquals(await receiveText(client), "here");
});

Deno.test("a listener that closes leaves any other file of its name alone", async () => {
  await using sockets = await folder();
  const path = `${sockets.path}/a.sock`;
  const server = await listen(`unix:${path}`);
  await Deno.rename(path, `${path}.moved`);
  await Deno.writeTextFile(path, "precious");
  await server.close();
  assertEquals(await Deno.readTextFile(path), "precious");
});

Deno.test("of servers that start over one stale file at once, one listens and is reached", async () => {
  await using sockets = await folder();
  const path = `${sockets.path}/a.sock`;
  await leaveStale(path);
  const results = await Promise.allSettled(
    Array.from({ length: 8 }, (_, i) =>
      listen(`unix:${path}`, async (connection) => {
        await connection.send(`${i}`);
      })),
  );
  const open = results.flatMap((one, i) => one.status === "fulfilled" ? [{ i, ...one }] : []);
  assertEquals(open.length, 1);
  for (const one of results) {
    if (one.status === "rejected") {
      assertMatch(one.reason.message, /: another server listens there$/);
    }
  }
  await using client = await connect(`unix:${path}`);
  assertEquals(await receiveText(client), `${open[0].i}`);
  await client.close();
  await open[0].value.close();
  assertEquals(Array.from(Deno.readDirSync(sockets.path), ({ name }) => name), []);
});

Deno.test("of two processes that start over one stale file, one listens and one is refused", async () => {
  await using sockets = await folder();
  const path = `${sockets.path}/a.sock`;
  const flags = ["--allow-net", `--allow-read=${sockets.path}`, `--allow-write=${sockets.path}`];
  await leaveStale(path);
  const args = [`unix:${path}`, "--service", "echo"];
  const started = await Promise.allSettled(
    [1, 2].map(() => RunningServer.start(args, { flags })),
  );
  const [server, ...more] = started.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
  assertEquals(more.length, 0);
  const refused = started.find((one) => one.status === "rejected");
  assertMatch(`${refused?.reason}`, /another server (listens|is being started) there/);
  const { stdout } = await run("client.ts", [`unix:${path}`, "send", "hi", "--expect", "1"], {
    flags,
  });
  assertEquals(stdout, "hi\n");
  await server.stop("SIGKILL");
});

Deno.test("a server that may write to the socket's file alone takes over nothing, and says why", async () => {
  await using sockets = await folder();
  const path = `${sockets.path}/a.sock`;
  const flags = ["--allow-net", `--allow-read=${path}`, `--allow-write=${path}`];
  const args = [`unix:${path}`, "--service", "echo"];
  {
    await using server = await RunningServer.start(args, { flags });
    await Deno.remove(path);
    await Deno.writeTextFile(path, "precious");
    assertEquals(await server.stop("SIGTERM"), 0);
    assertEquals(await Deno.readTextFile(path), "precious");
    await Deno.remove(path);
  }
  await leaveStale(path);
  const { code, stderr } = await run("server.ts", args, { flags });
  assertEquals(code, 1);
  assertMatch(stderr, /a server that is gone left its file there; remove it, or permit/);
});

Deno.test("a socket has its mode from the first moment that its name is there", async () => {
  await using sockets = await folder();
  const path = `${sockets.path}/a.sock`;
  const watcher = Deno.watchFs(sockets.path);
  const server = await listen(`unix:${path}?mode=600`);
  for await (const { paths } of watcher) {
    if (!paths.includes(path)) continue;
    assertEquals(Deno.lstatSync(path).mode! & 0o777, 0o600);
    break;
  }
  await server.close();
});

const linuxTest = Deno.build.os === "linux" ? Deno.test : Deno.test.ignore;

linuxTest(
  "unix:@NAME is an abstract socket: no file, one server, --allow-net is enough",
  async () => {
    const name = `lengthwise-${crypto.randomUUID()}`;
    await using server = await listen(`unix:@${name}`, async (connection) => {
      await connection.send(connection.remote);
    });
    assertEquals(await exists(`@${name}`), false);
    assertMatch(await Deno.readTextFile("/proc/net/unix"), new RegExp(` @${name}\n`));
    const error = await assertRejects(() => listen(`unix:@${name}`), ListenError);
    assertEquals(error.message, `Cannot listen on unix:@${name}: another server listens there`);
    const { stdout } = await run("client.ts", [server.endpoints[0], "send", "--expect", "1", "hi"]);
    assertEquals(stdout, `unix:@${name}\n`);
    await server.close();
    await nobodyListens(`unix:@${name}`);
    await assertRejects(() => connect(`unix:@${name}`), ConnectError, "nothing listens there");
  },
);

linuxTest("parseEndpoint() refuses an abstract socket without a name, and one with a mode", () => {
  assertThrows(() => parseEndpoint("unix:@"), TypeError, "it must look like unix:@NAME");
  assertThrows(
    () => parseEndpoint("unix:@a?mode=600"),
    TypeError,
    "it has no file, and so no mode",
  );
  assertEquals(parseEndpoint("unix:./@a"), { transport: "unix", path: "./@a" });
});
