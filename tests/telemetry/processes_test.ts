/** Two processes export to one collector, and what they did hangs together. */

import { assertEquals, assertNotEquals } from "@std/assert";
import { delay } from "@std/async/delay";
import { TextLineStream } from "@std/streams/text-line-stream";
import { Collector } from "../support/collector.ts";

const ROOT = new URL("../../", import.meta.url);

/** What a span is for in OTLP. */
const SERVER = 2;
const CLIENT = 3;
const FAILED = 2;

function deno(args: string[], env: Record<string, string>): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--allow-net=127.0.0.1", ...args],
    cwd: ROOT,
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
}

async function startServer(env: Record<string, string>) {
  const server = deno(["tests/support/traced_server.ts"], env);
  const lines = server.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(
    new TextLineStream(),
  );
  const reader = lines.getReader();
  return {
    endpoint: (await reader.read()).value!,
    async end() {
      await server.stdin.close();
      await server.status;
      await reader.cancel();
    },
  };
}

async function client(args: string[], env: Record<string, string>): Promise<[number, string]> {
  const process = deno(["client.ts", ...args], env);
  await process.stdin.close();
  const { code, stdout } = await process.output();
  return [code, new TextDecoder().decode(stdout)];
}

Deno.test("A request of client.ts and its handler in another process are in one trace", async () => {
  await using collector = new Collector();
  const server = await startServer({
    ...collector.env("server"),
    OTEL_METRIC_EXPORT_INTERVAL: "50", // This one does not end by Deno.exit().
  });
  const env = collector.env("client");
  const ask = (...args: string[]) => client([server.endpoint, "request", ...args], env);
  const results = await Promise.all([
    ask("add", '{"a":1,"b":2}'),
    ask("count", '{"to":2}', "--stream"),
    ask("refuse"),
  ]);
  const until = performance.now() + 60_000;
  while (performance.now() < until && !collector.metrics.has("lengthwise.connections_ended")) {
    await delay(5);
  }
  await server.end();
  assertEquals(results, [[0, "3\n"], [0, "1\n2\n"], [1, ""]]);

  for (const method of ["add", "count", "refuse"]) {
    const [call, ...calls] = collector.find("client", method);
    const [handled, ...more] = collector.find("server", method);
    assertEquals([calls, more], [[], []]);
    assertEquals([call.kind, handled.kind], [CLIENT, SERVER]);
    assertEquals([handled.traceId, handled.parentSpanId], [call.traceId, call.spanId]);
    assertEquals([call.attributes["rpc.method"], handled.attributes["rpc.method"]], [
      method,
      method,
    ]);
    const failed = method === "refuse" ? FAILED : 0;
    assertEquals([call.status.code, handled.status.code], [failed, failed]);
  }
  const [refused] = collector.find("client", "refuse");
  assertEquals(refused.attributes["error.type"], "not-today");
  const traces = ["add", "count", "refuse"].map((name) =>
    collector.find("client", name)[0].traceId
  );
  assertEquals(new Set(traces).size, 3);

  const connections = collector.find("server", "connection tcp");
  assertEquals(connections.map(({ kind, attributes }) => [kind, attributes["lengthwise.end"]]), [
    [SERVER, "clean"],
    [SERVER, "clean"],
    [SERVER, "clean"],
  ]);
  assertNotEquals(connections[0].attributes["lengthwise.bytes.received"], 0);
  assertEquals(collector.find("client", "connection tcp").length, 3);
  for (
    const name of ["rpc.server.duration", "rpc.client.duration", "lengthwise.connections_ended"]
  ) {
    assertEquals([name, collector.metrics.has(name)], [name, true]);
  }
});

Deno.test("telemetry() is undefined where nothing traces", async () => {
  const code = `
    import { telemetry } from "./telemetry.ts";
    console.log(telemetry());
  `;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", code],
    cwd: ROOT,
    env: { OTEL_DENO: "false", NO_COLOR: "1" },
  }).output();
  assertEquals(new TextDecoder().decode(stdout), "undefined\n");
});
