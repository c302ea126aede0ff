import { assert, assertEquals, assertMatch } from "@std/assert";
import { Chat } from "../../chat.ts";
import { type Connection, listen, type ListenOptions, text } from "../../mod.ts";
import { Schedule } from "../../programs/client/benching/schedule.ts";
import { fingerprintOf } from "../../transport/tls.ts";
import { certificates } from "../support/certificates.ts";
import { runHere, ServerHere } from "../support/in_process.ts";

const HERE = "tcp://127.0.0.1:0";

function serving(
  handler: (connection: Connection) => Promise<void>,
  endpoint = HERE,
  options: ListenOptions = {},
) {
  return listen(endpoint, options, handler);
}

async function echo(connection: Connection): Promise<void> {
  for await (const message of connection) connection.send(message);
}

async function deaf(connection: Connection): Promise<void> {
  for await (const _ of connection);
}

/** Runs `bench --json`; resolves to the code, the errors that were told, and the result. */
async function bench(endpoint: string, ...args: string[]) {
  const { code, stdout } = await runHere("client.ts", [endpoint, "bench", ...args, "--json"]);
  const events = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  const result = events.find(({ event }) => event === "bench") ?? {};
  const errors = events.filter(({ event }) => event === "error").map(({ message }) => message);
  return { code, errors, result };
}

Deno.test("Schedule has a constant rate, after a ramp in which the rate grows evenly", () => {
  const plain = new Schedule(1_000, 0);
  assertEquals([0, 1, 2, 500].map((index) => plain.dueAt(index)), [0, 1, 2, 500]);
  assertEquals([0, 0.5, 1, 9.5].map((time) => plain.dueBy(time)), [1, 1, 2, 10]);
  assertEquals(plain.countBefore(250), 250);
  // Over 100 ms from 0 to 1000 a second: half of what the full rate has, and a quarter in half the time.
  const ramp = new Schedule(1_000, 100);
  assertEquals(ramp.rampCount, 50);
  assertEquals([0, 12.5, 50, 51, 150].map((index) => ramp.dueAt(index)), [0, 50, 100, 101, 200]);
  assertEquals(ramp.dueBy(50), 13);
  assertEquals(ramp.countBefore(200), 150);
  for (let index = 1; index < 200; index++) {
    assertEquals(ramp.dueBy(ramp.dueAt(index) + 1e-6), index + 1);
    assertEquals(ramp.dueBy(ramp.dueAt(index) - 1e-6), index);
  }
});

Deno.test("bench --rate sends as many messages a second over all connections, and tells all percentiles", async () => {
  await using server = await serving(echo);
  const args = ["--rate", "1000", "--duration", "300ms", "--connections", "7", "--size", "100"];
  const { code, result, errors } = await bench(server.endpoints[0], ...args);
  const { count, sent, lost, unsent, connections, wanted, size, failed } = result;
  assertEquals([code, errors, failed], [0, [], 0]);
  assertEquals([count, sent, lost, unsent, connections, wanted, size], [
    300,
    300,
    0,
    0,
    7,
    1000,
    100,
  ]);
  const { p50, p75, p90, p99, p999, p9999, max } = result;
  const percentiles = [p50, p75, p90, p99, p999, p9999, max];
  assertEquals(percentiles.toSorted((a, b) => a - b), percentiles);
  assert(p50 > 0 && result.rate <= 1000);
  assertMatch(result.histogram, /^HISTF/);
});

Deno.test("bench --connections without --rate sends on each connection when its last message was answered", async () => {
  let [underWay, most] = [0, 0];
  const answers: (() => Promise<void>)[] = [];
  // Answers only when all four connections wait for it.
  await using server = await serving(async (connection) => {
    for await (const message of connection) {
      most = Math.max(most, ++underWay);
      answers.push(() => connection.send(message));
      if (answers.length < 4) continue;
      underWay = 0;
      for (const answer of answers.splice(0)) answer();
    }
  });
  const args = ["--connections", "4", "--count", "40"];
  const { code, result } = await bench(server.endpoints[0], ...args);
  assertEquals([code, result.count, result.lost, most], [0, 40, 0, 4]);
  assertEquals("wanted" in result, false);
});

Deno.test("bench --ramp opens the connections one after the other, and measures only what follows", async () => {
  const times: number[] = [];
  await using server = await serving((connection) => {
    times.push(performance.now());
    return echo(connection);
  });
  const [endpoint] = server.endpoints;
  const shared = ["--connections", "5", "--ramp", "250", "--duration", "100ms"];
  const paced = await bench(endpoint, ...shared, "--rate", "500");
  assertEquals([paced.code, paced.result.count, paced.result.lost], [0, 50, 0]);
  const spread = times.at(-1)! - times[0];
  // A server that is late with the first one sees less than the 200 ms between them.
  assert(spread >= 100, `${spread} ms between the first connection and the last`);
  const counted = await bench(endpoint, ...shared.slice(0, 4), "--count", "30");
  assertEquals([counted.code, counted.result.count, counted.result.lost], [0, 30, 0]);
});

Deno.test("bench puts its load on every kind of endpoint", async () => {
  const { good: { cert, key } } = await certificates;
  const kinds: [endpoint: string, options?: ListenOptions, args?: string[]][] = [
    [`${HERE}?framing=line`],
    [`${HERE}?framing=slip`],
    ["ws://127.0.0.1:0"],
    ["udp://127.0.0.1:0"],
    [`${HERE}?session=1`],
    ["tls://127.0.0.1:0", { tls: { cert, key } }, ["--fingerprint", fingerprintOf(cert)]],
  ];
  for (const [endpoint, options, args = []] of kinds) {
    await using server = await serving(echo, endpoint, options);
    for (const load of [["--rate", "500"], ["--connections", "3"]]) {
      const { code, errors, result } = await bench(
        server.endpoints[0],
        ...load,
        ...args,
        "--count",
        "50",
      );
      assertEquals([code, errors, result.count], [0, [], 50], endpoint);
    }
  }
});

Deno.test("bench says what most likely is the case when nothing comes back", async () => {
  await using sink = await serving(deaf);
  await using lines = await serving(deaf, `${HERE}?framing=line`);
  await using other = await serving(async (connection) => {
    // What would be a length of 16 and three bytes of a message.
    await connection.receive();
    connection.send(new Uint8Array([0, 0, 0, 16, 1, 2, 3]));
    await deaf(connection);
  }, `${HERE}?framing=none`);
  await using chat = await ServerHere.start([HERE]);
  const silent = /nothing came back within 200 ms: the peer is probably no echo server .*framing$/;
  for (const load of [[], ["--rate", "100"], ["--connections", "2"]]) {
    const cases: [endpoint: string, timeout: number, code: number, message: RegExp][] = [
      [sink.endpoints[0], 200, 1, silent],
      [other.endpoints[0].replace("none", "u32be"), 600, 1, /7 bytes came .*another framing/],
      [chat.endpoints[0], 60_000, 3, /no echo server: it answered .*; for a chat, say --chat$/],
    ];
    for (const [endpoint, timeout, expected, message] of cases) {
      const { code, errors } = await bench(endpoint, ...load, "--timeout", `${timeout}`);
      assertEquals(code, expected, errors.join());
      assertMatch(errors[0], message);
    }
  }
  const noChat = await bench(lines.endpoints[0], "--chat", "--timeout", "200");
  assertMatch(noChat.errors[0], /within 200 ms: the peer is probably no chat$/);
});

Deno.test("bench counts connections that fail, measures with the others, and ends with 1", async () => {
  await using server = await serving(echo, HERE, { maxConnections: 2 });
  const args = ["--connections", "5", "--rate", "500", "--duration", "200ms", "--timeout", "500"];
  const { code, result, errors } = await bench(server.endpoints[0], ...args);
  assertEquals([code, result.failed], [1, 3]);
  const told = result.errors.reduce(
    (sum: number, { connections }: { connections: number }) => sum + connections,
    0,
  );
  assertEquals(told, 3);
  assertEquals(errors.length, result.errors.length);
  assert(result.count >= 40, `${result.count} answers`);
});

Deno.test("bench counts what is not answered, and ends with 1", async () => {
  await using server = await serving(async (connection) => {
    let count = 0;
    for await (const message of connection) if (++count !== 7) connection.send(message);
  });
  const args = ["--rate", "500", "--count", "20", "--timeout", "200"];
  const { code, result, errors } = await bench(server.endpoints[0], ...args);
  assertEquals([code, result.sent, result.count, result.lost], [1, 20, 19, 1]);
  assertEquals(errors, ["1 messages were not answered"]);
});

Deno.test("bench tells what it has measured when it is stopped", async () => {
  for (const load of [["--rate", "1000"], ["--connections", "2"], ["--count", "1000000000"]]) {
    let heard = 0;
    const enough = Promise.withResolvers<void>();
    await using server = await serving(async (connection) => {
      for await (const message of connection) {
        await connection.send(message);
        if (++heard === 50) enough.resolve();
      }
    });
    const args = [server.endpoints[0], "bench", ...load, "--json"];
    await using client = await ServerHere.start(args, { script: "client.ts", count: 0 });
    await enough.promise;
    client.kill("SIGINT");
    const result = JSON.parse(await client.nextLine());
    assertEquals([result.event, result.stopped], ["bench", true]);
    assert(result.p50 > 0);
    assertEquals(await client.ended(), 0);
  }
});

Deno.test("bench --chat talks as members do, and measures each line to each member", async () => {
  const chat = new Chat({ flood: { burst: 1_000, perSecond: 1_000 } });
  await using server = await listen(HERE, { format: text() }, (member) => chat.serve(member));
  const args = ["--chat", "--connections", "3", "--rate", "200", "--duration", "300ms"];
  const { code, result, errors } = await bench(server.endpoints[0], ...args);
  assertEquals([code, errors, result.chat, result.count, result.lost], [0, [], true, 60, 0]);
  assertEquals(chat.stats.said, 60);
});

Deno.test("bench --compare tells the changes from an earlier result, or between two", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const [a, b, none] = ["a", "b", "none"].map((name) => `${folder}/${name}`);
    const first = { event: "bench", rate: 1000, p50: 0.5, p99: 2, lost: 0, connections: 1 };
    const second = { ...first, rate: 1100, p50: 0.25, lost: 1, connections: 2 };
    const retry = JSON.stringify({ event: "retry" });
    await Deno.writeTextFile(a, `${retry}\n${JSON.stringify(first)}\n`);
    await Deno.writeTextFile(b, `${JSON.stringify(first)}\n${JSON.stringify(second)}\n`);
    await Deno.writeTextFile(none, `{"event":"pong"}\n{`);
    const both = await runHere("client.ts", ["bench", "--compare", a, b]);
    assertEquals([both.code, both.stderr], [0, ""]);
    assertEquals(both.stdout.split("\n"), [
      "            before  after   change",
      "messages/s    1000   1100  +10.0 %",
      "50 %, ms     0.500  0.250  -50.0 %",
      "99 %, ms     2.000  2.000    0.0 %",
      "lost             0      1",
      "not the same load: connections is 1 and 2",
      "",
    ]);
    await using server = await serving(echo);
    const [endpoint] = server.endpoints;
    for (const load of [["--count", "10"], ["--count", "10", "--rate", "1000"]]) {
      const args = [endpoint, "bench", ...load, "--compare", a, "--json"];
      const { code, stdout } = await runHere("client.ts", args);
      const [result, compare] = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
      assertEquals([code, compare.event, compare.rate.before], [0, "compare", 1000]);
      assertEquals(compare.rate.after, result.rate);
      assertEquals(compare.rate.change, (result.rate - 1000) / 1000 * 100);
    }
    const wrong = await runHere("client.ts", ["bench", "--compare", a, none]);
    assertEquals(wrong.code, 2);
    assertMatch(wrong.stderr, /none has no result: save one with bench --json > FILE/);
    const missing = await runHere("client.ts", ["bench", "--compare", a, `${folder}/x`]);
    assertEquals(missing.code, 1);
    assertMatch(missing.stderr, /^error: --compare .*\/x: /);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("bench refuses wrong options", async () => {
  const cases: [args: string[], message: RegExp][] = [
    [["--rate", "0"], /--rate 0: it must be messages per second/],
    [["--rate", "fast"], /--rate fast: it must be messages per second/],
    [["--duration", "5x"], /--duration 5x: it must be a time, such as 30s, 5m or 500ms/],
    [["--ramp", "now"], /--ramp now: it must be a time/],
    [["--connections", "0"], /--connections 0: it must be a whole number from 1 /],
    [["file"], /"bench" takes a second FILE after --compare FILE/],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await runHere("client.ts", [":1", "bench", ...args]);
    assertEquals(code, 2);
    assertMatch(stderr, message);
  }
});
