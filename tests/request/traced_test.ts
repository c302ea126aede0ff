/** Requests that are traced and counted, with peers that know of it and peers that do not. */

import { assertEquals, assertRejects } from "@std/assert";
import { Connection } from "../../connection.ts";
import { metrics } from "../../metrics.ts";
import { listen } from "../../server.ts";
import { connect } from "../../client.ts";
import { type AnyMethods, RequestError, requests, RequestTotals } from "../../request.ts";
import { memoryPair } from "../../testing.ts";
import { CONTEXT, recorder } from "../support/recorder.ts";
import { type Ends, ends, HELLO, rawEnds, settle } from "../support/requests.ts";

/** The HELLO of an end that was made before there were trace contexts. */
const OLD_HELLO = HELLO.subarray(0, -1);
const TRACEPARENT = new TextEncoder().encode(CONTEXT.traceparent).toHex();

Deno.test("a request carries its trace context to the handler, which runs in the trace", async () => {
  const caller = recorder();
  const answerer = recorder();
  await using pair = ends(
    { where: () => answerer.running },
    { telemetry: answerer.telemetry, caller: { telemetry: caller.telemetry } },
  );
  assertEquals(await pair.caller.request("where"), "where");
  assertEquals(answerer.handled, [{ method: "where", context: CONTEXT, ends: [undefined] }]);
  assertEquals(caller.called, [{ method: "where", context: CONTEXT, ends: [undefined] }]);
});

Deno.test("a stream and its items carry a trace context, and its handler ends with the stream", async () => {
  const { telemetry, handled, called } = recorder();
  await using pair = ends({
    async *double(_: unknown, { items }: { items: AsyncIterable<unknown> }) {
      for await (const item of items) yield 2 * (item as number);
    },
  } as never, { telemetry, caller: { telemetry } });
  const doubled = await Array.fromAsync(pair.caller.stream("double", null, { items: [1, 2] }));
  assertEquals(doubled, [2, 4]);
  await settle();
  assertEquals([called[0].ends, handled[0].ends, handled[0].context], [
    [undefined],
    [undefined],
    CONTEXT,
  ]);
});

Deno.test("a trace context waits for the HELLO of the peer, and so do the requests behind it, in order", async () => {
  const { telemetry } = recorder();
  await using pair = await rawEnds({}, { telemetry, greets: false });
  const answers = [pair.peer.request("a"), pair.peer.request("b")];
  await settle();
  assertEquals(pair.peer.stats.waiting, 2);
  pair.raw.send(HELLO);
  for (const [id, method] of [[1, "61"], [2, "62"]]) {
    const message = (await pair.raw.receive())!.toHex();
    assertEquals(message, `140${id}01${method}37${TRACEPARENT}000a76656e646f723d743631`);
    pair.raw.send(Uint8Array.of(0x86, Number(id)));
  }
  await Promise.all(answers);
});

for (const when of ["before", "after"]) {
  Deno.test(`a peer that knows no trace context gets none, when it was asked ${when} its HELLO`, async () => {
    const { telemetry, called } = recorder();
    await using pair = await rawEnds({}, { telemetry, greets: false });
    if (when === "after") pair.raw.send(OLD_HELLO);
    await settle();
    const answer = pair.peer.request("a", 1);
    await settle();
    if (when === "before") pair.raw.send(OLD_HELLO);
    assertEquals((await pair.raw.receive())!.toHex(), "3001016131");
    pair.raw.send(Uint8Array.fromHex("860100".slice(0, 4)));
    await answer;
    assertEquals(called[0].ends, [undefined]);
  });
}

Deno.test("an end that traces nothing answers requests with a trace context, and with one that is none", async () => {
  await using pair = await rawEnds({ a: () => 7 });
  for (const [id, context] of [[1, `37${TRACEPARENT}0000`], [2, "00000178"], [3, "01ff0000"]]) {
    pair.raw.send(Uint8Array.fromHex(`140${id}0161${context}`));
    if (id === 3) break;
    assertEquals((await pair.raw.receive())!.toHex(), `a60${id}37`);
  }
  assertEquals(await pair.raw.receive(), undefined); // What is not UTF-8 breaks the protocol.
});

const ENDS: [string, (pair: Ends<AnyMethods>) => Promise<unknown>, string][] = [
  ["the answer is an error", ({ caller }) => caller.request("refuse"), "not-today"],
  ["it takes too long", ({ caller }) => caller.request("wait", null, { timeout: 1 }), "timeout"],
  ["it cannot be encoded", ({ caller }) => caller.request("wait", 1n), "TypeError"],
  ["the peer has gone", async ({ caller, connections }) => {
    const answer = caller.request("wait");
    await settle();
    connections[1].abort();
    await answer;
  }, "ConnectionLostError"],
];

for (const [name, ask, expected] of ENDS) {
  Deno.test(`a trace ends once, with the error, when ${name}`, async () => {
    const { telemetry, called } = recorder();
    const handlers = {
      wait: () => new Promise<void>(() => {}),
      refuse() {
        throw new RequestError("not-today", "Cannot do it");
      },
    };
    const pair: Ends<AnyMethods> = ends(handlers, { caller: { telemetry } });
    await assertRejects(() => ask(pair));
    await settle();
    for (const connection of pair.connections) connection.abort();
    await settle();
    const [{ ends: [error, ...more] }] = called;
    const told = error instanceof RequestError ? error.code : (error as Error).constructor.name;
    assertEquals([told, more], [expected, []]);
  });
}

Deno.test("RequestTotals counts by method and outcome over all connections, and only what has a handler", async () => {
  const totals = new RequestTotals();
  const handlers = {
    double: (n: number) => 2 * n,
    refuse() {
      throw new RequestError("not-today", "Cannot do it");
    },
    fail() {
      throw new Error("a mistake");
    },
  };
  for (let n = 0; n < 2; n++) {
    const [near, far] = memoryPair().map((transport) => new Connection(transport));
    requests(far, handlers, { totals, onError() {} });
    await using peer = requests(near);
    await peer.request("double", 1);
    for (const method of ["refuse", "fail", "nothing"]) {
      await assertRejects(() => peer.request(method), RequestError);
    }
  }
  const { methods } = totals;
  assertEquals([...methods.keys()], ["double", "refuse", "fail"]);
  const { outcomes, times } = methods.get("double")!;
  assertEquals([outcomes.ok, times.counts.reduce((sum, n) => sum + n), times.sum > 0], [
    2,
    2,
    true,
  ]);
  assertEquals([methods.get("refuse")!.outcomes.other, methods.get("fail")!.outcomes.internal], [
    2,
    2,
  ]);
  await using server = await listen("tcp://127.0.0.1:0");
  const text = metrics(server, { requests: totals }).text();
  for (
    const line of [
      'lengthwise_requests_total{method="double",outcome="ok"} 2',
      'lengthwise_requests_total{method="refuse",outcome="other"} 2',
      'lengthwise_request_duration_seconds_count{method="double"} 2',
    ]
  ) {
    assertEquals([line, text.split("\n").includes(line)], [line, true]);
  }
});

Deno.test("listen() and connect() trace their connections, sessions too", async () => {
  const { telemetry, connected } = recorder();
  for (const session of [false, true]) {
    await using server = await listen("tcp://127.0.0.1:0", { telemetry, session }, (connection) => {
      assertEquals(connection.state, "open");
    });
    const client = await connect(server.endpoints[0], { telemetry });
    await client.receive();
    await client.close();
  }
  assertEquals(connected.toSorted(), ["client", "client", "server", "server"]);
});
