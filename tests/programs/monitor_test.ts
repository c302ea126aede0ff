import { assertEquals, assertMatch } from "@std/assert";
import { connect } from "../../mod.ts";
import { runHere, ServerHere } from "../support/in_process.ts";

const TEXT = "text/plain; version=0.0.4; charset=utf-8";
const OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/** Where the server tells its metrics. */
async function monitorOf(server: ServerHere): Promise<string> {
  return (await server.logLine(/metrics at/)).replace(/^.* (http\S+)\/metrics$/s, "$1");
}

function start(...args: string[]): Promise<ServerHere> {
  return ServerHere.start([":0", "--service", "echo", "--metrics", "127.0.0.1:0", ...args]);
}

async function get(url: string, init?: RequestInit): Promise<[number, string]> {
  const response = await fetch(url, init);
  return [response.status, await response.text()];
}

Deno.test("server.ts --metrics shows the counts as Prometheus' text and as OpenMetrics", async () => {
  await using server = await start();
  const url = `${await monitorOf(server)}/metrics`;
  await using connection = await connect(server.endpoints[0]);
  await connection.send("hello");
  await connection.receive();
  const plain = await fetch(url);
  assertEquals(plain.headers.get("content-type"), TEXT);
  assertMatch(await plain.text(), /^lengthwise_connections_accepted_total 1$/m);
  const open = await fetch(url, { headers: { accept: "application/openmetrics-text" } });
  assertEquals(open.headers.get("content-type"), OPEN_METRICS);
  assertMatch(await open.text(), /^lengthwise_connections 1$[^]*\n# EOF\n$/m);
});

Deno.test("server.ts --metrics answers /health, /ready, HEAD, OPTIONS, 404 and 405", async () => {
  await using server = await start();
  const url = await monitorOf(server);
  assertEquals(await get(`${url}/health`), [200, "ok\n"]);
  assertEquals(await get(`${url}/ready`), [200, "ready\n"]);
  const head = await fetch(`${url}/metrics`, { method: "HEAD" });
  assertEquals([head.status, await head.text()], [200, ""]);
  assertEquals(await get(`${url}/metrics`, { method: "OPTIONS" }), [204, ""]);
  assertEquals(await get(`${url}/ready`, { method: "DELETE" }), [
    405,
    "/ready is only to be read\n",
  ]);
  assertEquals(await get(`${url}/`), [404, "Here are /metrics, /health and /ready\n"]);
});

Deno.test("server.ts --metrics is alive and not ready while the server drains, and still counts", async () => {
  await using server = await start("--grace", "10000");
  const url = await monitorOf(server);
  const connection = await connect(server.endpoints[0]);
  await connection.send("hello");
  await connection.receive();
  const over = connection.closed; // This end does not end yet, so the server waits for it.
  server.kill("SIGTERM");
  await server.logLine(/closing 1 connections/);
  assertEquals(await get(`${url}/ready`), [503, "draining\n"]);
  assertEquals(await get(`${url}/health`), [200, "ok\n"]);
  assertMatch((await get(`${url}/metrics`))[1], /^lengthwise_connections 1$/m);
  connection.close();
  await over;
  assertEquals(await server.ended(), 0);
});

Deno.test("server.ts --drain is not ready any more, and serves on for so long, newcomers too", async () => {
  await using server = await start("--drain", "1000");
  const url = await monitorOf(server);
  server.kill("SIGTERM");
  await server.logLine(/ info SIGTERM: not ready any more, and closing in 1000 ms; again to end/);
  assertEquals(await get(`${url}/ready`), [503, "draining\n"]);
  await using connection = await connect(server.endpoints[0]);
  await connection.send("hello");
  assertEquals(await connection.receive(), new TextEncoder().encode("hello"));
  assertEquals(await connection.receive(), undefined);
  await connection.close();
  assertEquals(await server.ended(), 0);
});

Deno.test("a scrape that has begun when the server ends gets its whole answer", async () => {
  await using server = await start();
  const { hostname, port } = new URL(await monitorOf(server));
  using scraper = await Deno.connect({ hostname, port: Number(port) });
  using silent = await Deno.connect({ hostname, port: Number(port) });
  const request = new TextEncoder().encode("GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n");
  await scraper.write(request);
  const first = new Uint8Array(1);
  await scraper.read(first); // The answer has begun to come, and is not read.
  server.kill("SIGTERM");
  const rest = new TextDecoder().decode(await new Response(scraper.readable).bytes());
  assertMatch(rest, /^TTP\/1.1 200 OK\r\n[^]*\nprocess_start_time_seconds \S+\n$/);
  // Whoever has not asked for anything yet holds nothing up.
  assertEquals(await silent.read(first).catch(() => null), null);
  assertEquals(await server.ended(), 0);
});

Deno.test("server.ts --metrics takes no WebSockets", async () => {
  await using server = await start();
  await using connection = await connect((await monitorOf(server)).replace("http", "ws"));
  assertEquals(await connection.receive(), undefined);
  const { code, reason } = await connection.close();
  assertEquals([code, reason], [1008, "here are only /metrics, /health and /ready"]);
});

Deno.test("server.ts --metrics with a port in use ends with code 1, and listens nowhere", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const { code, stdout, stderr } = await runHere("server.ts", [":0", "--metrics", `:${port}`]);
  assertEquals([code, stdout, stderr], [
    1,
    "",
    `error: Cannot listen on http://127.0.0.1:${port} for --metrics: the port is in use; ` +
    "choose another one, or 0 for any\n",
  ]);
});

for (const wrong of ["here/there", "unix:/tmp/socket", "udp://:9464", ":99999", ""]) {
  Deno.test(`server.ts --metrics "${wrong}" says what an address is`, async () => {
    const { code, stderr } = await runHere("server.ts", [":0", "--metrics", wrong]);
    assertEquals(code, 2);
    assertMatch(stderr, /^error: .*--metrics.*\n$/);
  });
}
