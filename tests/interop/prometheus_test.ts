/** Debian's Prometheus scrapes the server, and shows what happened. */

import { assertEquals, assertMatch } from "@std/assert";
import { delay } from "@std/async/delay";
import { connect } from "../../mod.ts";
import { ServerHere } from "../support/in_process.ts";
import { engine, freePort, RunningEngine, temporaryFolder, testWith } from "./engines/engine.ts";

const CONNECTIONS = 10_000;
const AT_A_TIME = 100;
/** How long Prometheus may take until it shows what it has scraped, in milliseconds. */
const PATIENCE = 120_000;

const PROMETHEUS = engine("prometheus", { commands: ["prometheus", "promtool"] });

/** Connections that come, say a word each, hear it, and go. */
async function comeAndGo(endpoint: string): Promise<void> {
  let left = CONNECTIONS;
  const one = async () => {
    while (left-- > 0) {
      const connection = await connect(endpoint);
      connection.send("hello");
      await connection.receive();
      await connection.close();
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, one));
}

/** What Prometheus has, by its HTTP API. */
async function query(port: number, expression: string): Promise<Record<string, number>> {
  const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`;
  const { data, error } = await (await fetch(url)).json();
  assertEquals(error, undefined, expression);
  return Object.fromEntries(
    data.result.map((
      { metric: { __name__: _, instance: _i, job: _j, ...labels }, value }: {
        metric: Record<string, string>;
        value: [number, string];
      },
    ) => [Object.values(labels).join(), Number(value[1])]),
  );
}

/** The questions of the dashboard, as Grafana asks them. */
async function dashboard(): Promise<string[]> {
  const { panels } = JSON.parse(
    await Deno.readTextFile(new URL("../../docs/grafana.json", import.meta.url)),
  );
  const targets: { expr: string }[] = panels.flatMap((panel: { targets: [] }) => panel.targets);
  return targets.map(({ expr }) =>
    expr.replaceAll("$__rate_interval", "1m").replaceAll(/\$(job|instance)/g, ".*")
  );
}

async function start(target: string, folder: string): Promise<{ port: number } & AsyncDisposable> {
  const port = freePort();
  await Deno.writeTextFile(
    `${folder}/prometheus.yml`,
    JSON.stringify({
      global: { scrape_interval: "250ms", scrape_timeout: "250ms" },
      scrape_configs: [{ job_name: "lengthwise", static_configs: [{ targets: [target] }] }],
    }),
  );
  const prometheus = await RunningEngine.start([
    "sh",
    "-c",
    `exec prometheus --config.file=${folder}/prometheus.yml --storage.tsdb.path=${folder}/data ` +
    `--web.listen-address=127.0.0.1:${port} 2>&1`,
  ], {
    ready: "Server is ready to receive web requests",
    at: [`tcp://127.0.0.1:${port}`],
  });
  return { port, [Symbol.asyncDispose]: () => prometheus[Symbol.asyncDispose]() };
}

await testWith(
  PROMETHEUS,
  "Prometheus shows right counts after 10 000 connections that came and went",
  async () => {
    await using folder = await temporaryFolder();
    const args = [":0", "--service", "echo", "--quiet", "--json", "--metrics", "127.0.0.1:0"];
    await using server = await ServerHere.start(args);
    const { url } = JSON.parse(await server.nextLine());
    await using prometheus = await start(new URL(url).host, folder.path);
    await comeAndGo(server.endpoints[0]);

    const until = performance.now() + PATIENCE;
    const ended = () => query(prometheus.port, "sum(lengthwise_connections_ended_total)");
    while ((await ended())[""] !== CONNECTIONS && performance.now() < until) await delay(50);
    const expected: Record<string, Record<string, number>> = {
      "lengthwise_connections_accepted_total": { "": CONNECTIONS },
      "lengthwise_connections": { "": 0 },
      "lengthwise_connections_ended_total > 0": { clean: CONNECTIONS },
      "lengthwise_messages_total": { in: CONNECTIONS, out: CONNECTIONS },
      "lengthwise_transferred_bytes_total": { in: 9 * CONNECTIONS, out: 9 * CONNECTIONS },
      "sum(lengthwise_messages_dropped_total)": { "": 0 },
      "sum(lengthwise_connections_refused_total)": { "": 0 },
      "lengthwise_connection_duration_seconds_count": { "": CONNECTIONS },
      "up": { "": 1 },
    };
    const shown = Object.keys(expected).map(async (expression) => [
      expression,
      await query(prometheus.port, expression),
    ]);
    assertEquals(Object.fromEntries(await Promise.all(shown)), expected);
    for (const expression of await dashboard()) await query(prometheus.port, expression);
  },
);

await testWith(PROMETHEUS, "promtool finds nothing wrong with the metrics", async () => {
  await using server = await ServerHere.start([":0", "--json", "--metrics", "127.0.0.1:0"]);
  const { url } = JSON.parse(await server.nextLine());
  const text = await (await fetch(url)).text();
  assertMatch(text, /^lengthwise_round_trip_seconds_bucket/m);
  const promtool = new Deno.Command("promtool", {
    args: ["check", "metrics"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = promtool.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { code, stdout, stderr } = await promtool.output();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assertEquals([code, said], [0, ""]);
});
