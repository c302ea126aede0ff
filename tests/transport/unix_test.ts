import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { connect, ConnectError, listen, ListenError } from "../../mod.ts";
import { parseEndpoint } from "../../transport.ts";
import { run } from "../support/program.ts";
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
