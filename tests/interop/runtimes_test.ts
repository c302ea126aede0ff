/** Tests of transports, connections, sessions, requests and hubs, in Node and in Bun. */

import { existsSync } from "node:fs";
import { assert, assertEquals } from "@std/assert";
import { bundled } from "../support/runtimes/bundled.ts";
import { programOf, type RuntimeName } from "../support/runtimes/packages.ts";
import type { Outcome } from "../support/runtimes/runner.ts";
import { CASE_NAMES } from "../support/transport_conformance.ts";
import { testWith } from "./peers.ts";

const TESTS = new URL("../", import.meta.url);

/** The files that run in each test run. */
const FILES = [
  "transport/transport_test.ts",
  "transport/tls_conformance_test.ts",
  "transport/endpoint_test.ts",
  "connection/close_test.ts",
  "connection/closed_test.ts",
  "connection/connection_test.ts",
  "session/server_test.ts",
  "request/streams_test.ts",
  "hub/hub_test.ts",
];

/** More files, for a run of minutes: `LENGTHWISE_RUNTIMES=all`. */
const MORE_FILES = [
  "connection/audience_test.ts",
  "connection/backpressure_test.ts",
  "connection/outbox_test.ts",
  "connection/raw_batches_test.ts",
  "connection/start_tls_test.ts",
  "connection/switch_test.ts",
  "hub/presence_replica_test.ts",
  "hub/presence_test.ts",
  "peers/peers_test.ts",
  "peers/plane_test.ts",
  "peers/roads_test.ts",
  "request/request_test.ts",
  "session/blocks_test.ts",
  "session/hostile_test.ts",
  "session/machine_test.ts",
  "session/session_test.ts",
  "transport/proxy_header_test.ts",
  "transport/websocket_app_test.ts",
  "transport/websocket_deflate_test.ts",
  "transport/websocket_test.ts",
];

const NAMES = ["Node", "Bun"] as const;
const KINDS = ["tcp", "unix", "tls", "ws", "memory"];

const CLIENTS = "its TLS does not tell a server whether a client can be trusted";
const COUNT = "it does not tell how much of a write was taken";
const EVERYWHERE = {
  "connect() talks to a server of Deno's, which says who closed how": "Deno.serve is Deno's",
};

/** Tests that cannot run there, and why; docs/runtimes.md has all of them. */
const SKIPPED: Record<RuntimeName, Record<string, string>> = {
  Node: EVERYWHERE,
  Bun: {
    ...EVERYWHERE,
    "tls: half-closes: the answer comes after the end": "its TLS ends both directions at once",
    "Connection.startTls() accepts a fingerprint, and tells a server who its client is": CLIENTS,
    "Connection.startTls() refuses a client whose certificate it does not trust": CLIENTS,
    "Connection: a peer that never reads is aborted after writeTimeout; what it can still read and undeliveredBytes make the whole":
      COUNT,
    "Connection aborted while the peer does not read: what the peer can still read and undeliveredBytes make the whole":
      COUNT,
    'Connection with slowConsumer "drop-oldest" counts what messages of their own cost, too':
      "it is over UDP",
  },
};

/** How long a run may take, in milliseconds. */
const LIMIT = 240_000;

const isLong = Deno.env.get("LENGTHWISE_RUNTIMES") === "all";

/** The module with all tests. */
function allTests(): Promise<string> {
  const files = isLong ? [...FILES, ...MORE_FILES] : FILES;
  const lines = [
    `import { runTests } from "${TESTS}support/runtimes/runner.ts";`,
    ...files.map((file) => `import "${TESTS}${file}";`),
    "await runTests(process.argv.slice(2));",
  ];
  return bundled(lines.join("\n"));
}

/** Runs the tests, and gives what became of each. */
async function outcomesIn(name: RuntimeName, bundle: string): Promise<Outcome[]> {
  const signal = AbortSignal.timeout(LIMIT);
  const { stdout, stderr, code } = await new Deno.Command(programOf(name), {
    args: [bundle, ...Object.keys(SKIPPED[name])],
    env: { NO_COLOR: "1" },
    signal,
  }).output();
  const [lines, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  const outcomes = lines.split("\n").flatMap((line) =>
    line.startsWith("{") ? JSON.parse(line) : []
  );
  const last = outcomes.at(-1)?.name ?? "nothing";
  assert(!signal.aborted, `It still ran after ${LIMIT} ms; the last test that ended was: ${last}`);
  assertEquals({ code, errors }, { code: 0, errors: "" }, `The last test that ended was: ${last}`);
  return outcomes;
}

/** Runs them in all that are installed, side by side. */
async function run(): Promise<Map<RuntimeName, Promise<Outcome[]>>> {
  const installed = NAMES.filter((name) => existsSync(programOf(name)));
  if (installed.length === 0) return new Map();
  const bundle = await allTests();
  const runs = installed.map((name) => [name, outcomesIn(name, bundle)] as const);
  await Promise.allSettled(runs.map(([, outcomes]) => outcomes));
  return new Map(runs);
}

const RUNS = await run();

Deno.test("docs/runtimes.md tells which tests cannot run in Node and in Bun", async () => {
  const page = await Deno.readTextFile(new URL("../docs/runtimes.md", TESTS));
  const names = NAMES.flatMap((name) => Object.keys(SKIPPED[name]));
  assertEquals(names.filter((name) => !page.includes(name)), []);
});

for (const name of NAMES) {
  const probe = [programOf(name), "--version"];
  const engine = { name: `${name} (docs/runtimes.md tells how to install it)`, probe };
  await testWith(engine, `${name} passes the tests of what it is said to have`, async () => {
    const outcomes = await RUNS.get(name)!;
    assertEquals(outcomes.filter(({ state }) => state === "failed"), []);
    const skipped = Object.keys(SKIPPED[name]);
    const seen = new Map(outcomes.map((outcome) => [outcome.name, outcome.state]));
    const wanted = KINDS.flatMap((kind) => CASE_NAMES.map((test) => `${kind}: ${test}`));
    assertEquals(
      wanted.filter((test) => seen.get(test) !== "passed" && !skipped.includes(test)),
      [],
    );
    if (isLong) {
      assertEquals(skipped.filter((test) => seen.get(test) !== "skipped"), [], "not needed");
    }
    assert(seen.size > 200, `only ${seen.size} tests ran`);
  });
}
