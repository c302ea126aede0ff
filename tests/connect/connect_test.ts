/** `connect()` and `reconnect()`. */

import { assert, assertEquals, assertInstanceOf, assertLess, assertRejects } from "@std/assert";
import { backoff, connect, type Failure, reconnect } from "../../client.ts";
import { Connection } from "../../connection.ts";
import { resolveSettings } from "../../connection/settings.ts";
import { ConnectError, ConnectionLostError, MessageTooLargeError } from "../../errors.ts";
import { listen } from "../../server.ts";
import { FakeTransport } from "../support/fake_transport.ts";
import { Fixture } from "../support/fixture.ts";
import { deadEndpoint } from "../support/free_port.ts";
import { RawListener } from "../support/raw.ts";
import { allTexts, receiveText } from "../support/texts.ts";

/** An endpoint of this machine that does not answer: its queue is full and nobody accepts. */
async function silentEndpoint(): Promise<{ endpoint: string } & AsyncDisposable> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
  const endpoint = `tcp://127.0.0.1:${listener.addr.port}`;
  const queued: Connection[] = [];
  for (let full = false; !full;) {
    await connect(endpoint, { connectTimeout: 500 }).then(
      (connection) => queued.push(connection),
      () => full = true,
    );
  }
  return {
    endpoint,
    [Symbol.asyncDispose]() {
      for (const connection of queued) connection.abort();
      listener.close();
      return Promise.resolve();
    },
  };
}

/** A policy that tries again at once, and notes what it was asked. */
function atOnce(maxAttempts = Infinity) {
  const failures: Failure[] = [];
  const retry = (failure: Failure) => {
    failures.push(failure);
    return failure.attempt < maxAttempts ? 0 : undefined;
  };
  return { failures, retry };
}

// connect()

Deno.test("connect() gives a connection that knows where it goes", async () => {
  await using server = await listen("127.0.0.1:0?framing=u8", async (connection) => {
    await connection.send(connection.remote);
  });
  await using connection = await connect(server.endpoints[0]);
  assertEquals(connection.endpoint, server.endpoints[0]);
  assertEquals(`tcp://${connection.remote}?framing=u8`, server.endpoints[0]);
  assertEquals([connection.framing.name, connection.state], ["u8", "open"]);
  assert(/^127\.0\.0\.1:\d+$/.test((await receiveText(connection))!));
});

Deno.test("connect() takes the framing from the endpoint, else from the options, else u32be", async () => {
  using listener = new RawListener();
  const names = [];
  for (const [query, framing] of [["?framing=u8"], ["?framing=u8", "u8"], ["", "u16be"], [""]]) {
    const connection = await connect(`${listener.endpoint}${query}`, { framing: framing as "u8" });
    names.push(connection.framing.name);
    connection.abort();
  }
  assertEquals(names, ["u8", "u8", "u16be", "u32be"]);
  for (const framing of ["length(offset:1)", "length(bytes:4,offset:1)"] as const) {
    const endpoint = `${listener.endpoint}?framing=length(offset:1)`;
    const connection = await connect(endpoint, { framing });
    assertEquals(connection.framing.name, "length(offset:1)");
    connection.abort();
  }
});

Deno.test("connect() refuses an endpoint and an option that name different framings", async () => {
  await assertRejects(
    () => connect("127.0.0.1:1?framing=u8", { framing: "u16be" }),
    TypeError,
    'Cannot use framing u16be together with "127.0.0.1:1?framing=u8": the endpoint names another one',
  );
});

Deno.test("connect() to a port that nothing listens on rejects with ConnectError", async () => {
  const endpoint = deadEndpoint();
  const error = await assertRejects(() => connect(endpoint), ConnectError);
  assertEquals(
    error.message,
    `Cannot connect to ${endpoint}: connection refused, nothing listens there`,
  );
  assertInstanceOf(error.cause, Deno.errors.ConnectionRefused);
});

Deno.test("connect() to an unknown host rejects with ConnectError, in time", async () => {
  const error = await assertRejects(
    () => connect("nobody.invalid:1", { connectTimeout: 5_000 }),
    ConnectError,
  );
  assert(
    /^Cannot connect to tcp:\/\/nobody\.invalid:1: (unknown host; check its name, or use its address|no answer within 5000 ms)$/
      .test(error.message),
    error.message,
  );
});

Deno.test("connect() gives up after connectTimeout", async () => {
  await using silent = await silentEndpoint();
  const startedAt = performance.now();
  const error = await assertRejects(
    () => connect(silent.endpoint, { connectTimeout: 100 }),
    ConnectError,
  );
  assertLess(performance.now() - startedAt, 9_000);
  assertEquals(error.message, `Cannot connect to ${silent.endpoint}: no answer within 100 ms`);
});

Deno.test("connect() gives up with the signal's reason, before, during and after connecting", async () => {
  await using silent = await silentEndpoint();
  const reason = new Error("enough");
  const before = connect(silent.endpoint, { signal: AbortSignal.abort(reason) });
  assertEquals(await assertRejects(() => before), reason);

  const controller = new AbortController();
  const during = connect(silent.endpoint, { signal: controller.signal });
  setTimeout(() => controller.abort(reason), 20);
  assertEquals(await assertRejects(() => during), reason);

  using listener = new RawListener();
  const later = new AbortController();
  const connection = await connect(listener.endpoint, { signal: later.signal });
  later.abort(reason);
  assertEquals((await connection.closed).error, reason);
});

Deno.test("connect() that is aborted in the turn in which it succeeds leaves nothing open", async () => {
  using listener = new RawListener();
  const controller = new AbortController();
  const connecting = connect(listener.endpoint, { signal: controller.signal });
  using _peer = await listener.accept();
  controller.abort("enough");
  const outcome = await connecting.then(({ closed }) => closed).catch((error) => ({ error }));
  assertEquals(outcome.error, "enough");
});

Deno.test("connect() refuses wrong endpoints and options at once", async () => {
  await assertRejects(() => connect("localhost"), TypeError, 'Cannot use endpoint "localhost"');
  await assertRejects(() => connect(":0"), TypeError, 'Cannot connect to ":0": port 0 is only');
  for (const connectTimeout of [0, 0.5, Infinity, 2 ** 31]) {
    await assertRejects(
      () => connect(":1", { connectTimeout }),
      RangeError,
      `Cannot use connectTimeout ${connectTimeout}: it must be an integer from 1 to 2147483647`,
    );
  }
});

Deno.test("Connection made by connect() accepts messages up to 16 MiB", async () => {
  using listener = new RawListener();
  const connection = await connect(listener.endpoint);
  using peer = await listener.accept();
  assertEquals(connection.framing.maxMessageBytes, 16_777_216);
  await peer.send([1, 0, 0, 1]);
  const error = await assertRejects(() => connection.receive(), MessageTooLargeError);
  assertEquals([error.size, error.limit], [16_777_217, 16_777_216]);
});

// backoff()

Deno.test("backoff() waits a random time below a bound that doubles up to maxDelay", () => {
  const waits = (random: number) => {
    const policy = backoff({ minDelay: 100, maxDelay: 1000, random: () => random });
    return [1, 2, 3, 4, 5, 6, 100, 5000].map((attempt) => policy({ attempt, error: undefined }));
  };
  assertEquals(waits(0), [0, 0, 0, 0, 0, 0, 0, 0]);
  assertEquals(waits(0.5), [50, 100, 200, 400, 500, 500, 500, 500]);
  assertEquals(waits(1 - 2 ** -53), [99, 199, 399, 799, 999, 999, 999, 999]);
});

Deno.test("backoff() is 0.5 s doubling to 30 s by default, with full jitter and no end", () => {
  const policy = backoff();
  for (let attempt = 1; attempt < 1000; attempt++) {
    const wait = policy({ attempt, error: undefined });
    assert(wait !== undefined && Number.isInteger(wait) && wait >= 0);
    assertLess(wait, Math.min(30_000, 500 * 2 ** (attempt - 1)));
  }
});

Deno.test("backoff() gives up at maxAttempts", () => {
  const policy = backoff({ maxAttempts: 3, random: () => 0 });
  const answers = [1, 2, 3, 4].map((attempt) => policy({ attempt, error: undefined }));
  assertEquals(answers, [0, 0, undefined, undefined]);
});

Deno.test("backoff() refuses delays and counts out of range", async () => {
  const wrong = [{ minDelay: -1 }, { minDelay: 40_000 }, { maxDelay: 2 ** 31 }, { maxAttempts: 0 }];
  for (const options of wrong) await assertRejects(async () => await backoff(options), RangeError);
});

// reconnect()

Deno.test("reconnect() gives one connection after another, whether the peer closes or is lost", async () => {
  let served = 0;
  const onError = () => {};
  await using server = await listen("127.0.0.1:0", { onError }, async (connection) => {
    await connection.send(`hello ${++served}`);
    await connection.receive();
    if (served === 2) throw new Error("broken handler");
  });
  const { failures, retry } = atOnce();
  const seen: string[] = [];
  const ids = new Set<number>();
  for await (const connection of reconnect(server.endpoints[0], { retry })) {
    seen.push((await receiveText(connection))!);
    connection.send("next");
    seen.push(...await allTexts(connection));
    ids.add(connection.id);
    if (seen.length === 3) break;
  }
  assertEquals(seen, ["hello 1", "hello 2", "hello 3"]);
  assertEquals(ids.size, 3);
  assertEquals(failures.map(({ attempt }) => attempt), [1, 2]);
});

Deno.test("reconnect() ends iteration quietly when a connection is lost; closed tells why", async () => {
  const transport = new FakeTransport();
  const connection = new Connection(transport, resolveSettings<Uint8Array>({}).withLossAsEnd());
  transport.arrive([0, 0, 0, 2, 104, 105, 0]);
  transport.failRead(new Deno.errors.ConnectionReset("reset"));
  assertEquals(await allTexts(connection), ["hi"]);
  assertInstanceOf((await connection.closed).error, ConnectionLostError);
});

Deno.test("reconnect() goes on after a reset", async () => {
  using listener = new RawListener();
  const { retry } = atOnce();
  let round = 0;
  for await (const connection of reconnect(listener.endpoint, { retry })) {
    using peer = await listener.accept();
    round++;
    if (round === 3) break;
    // Closing a socket with something unread makes the system reset the connection.
    await connection.send("unread");
    await peer.receive(1);
    peer.close();
    assertEquals(await allTexts(connection), []);
  }
  assertEquals(round, 3);
});

Deno.test("reconnect() throws the last failure when the policy gives up", async () => {
  const endpoint = deadEndpoint();
  const { failures, retry } = atOnce(4);
  const error = await assertRejects(
    () => Array.fromAsync(reconnect(endpoint, { retry })),
    ConnectError,
  );
  assertEquals(failures.map(({ attempt }) => attempt), [1, 2, 3, 4]);
  assertEquals(failures.at(-1)!.error, error);
});

Deno.test("reconnect() just ends when the policy gives up after the peer closed in order", async () => {
  await using server = await listen("127.0.0.1:0", () => {});
  const { failures, retry } = atOnce(2);
  let count = 0;
  for await (const _ of reconnect(server.endpoints[0], { retry })) count++;
  assertEquals(count, 2);
  assertEquals(failures, [{ attempt: 1, error: undefined }, { attempt: 2, error: undefined }]);
});

Deno.test("reconnect() counts failures anew after a connection that held", async () => {
  await using server = await listen("127.0.0.1:0", () => {});
  const { failures, retry } = atOnce(4);
  const { now } = performance;
  let later = 0;
  performance.now = () => now.call(performance) + later;
  try {
    let count = 0;
    for await (const _ of reconnect(server.endpoints[0], { retry })) {
      if (++count === 2) later = 5_000;
    }
  } finally {
    performance.now = now;
  }
  assertEquals(failures.map(({ attempt }) => attempt), [1, 1, 2, 3, 4]);
});

Deno.test("reconnect() stops waiting when its signal is aborted", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  const retry = () => {
    setTimeout(() => controller.abort(reason), 0);
    return 1_000_000;
  };
  const { signal } = controller;
  const loop = Array.fromAsync(reconnect(deadEndpoint(), { retry, signal }));
  assertEquals(await assertRejects(() => loop), reason);
});

Deno.test("reconnect() throws the signal's reason out of a connection too", async () => {
  using listener = new RawListener();
  const controller = new AbortController();
  const reason = new Error("enough");
  const { signal } = controller;
  const { failures, retry } = atOnce();
  const loop = async () => {
    for await (const connection of reconnect(listener.endpoint, { retry, signal })) {
      controller.abort(reason);
      await connection.receive().catch(() => {});
    }
  };
  assertEquals(await assertRejects(loop), reason);
  assertEquals(failures, []);
});

Deno.test("reconnect() does not try again what cannot get better", async () => {
  const { failures, retry } = atOnce();
  for (const endpoint of ["localhost", ":0", ":1?framing=u12"]) {
    await assertRejects(() => Array.fromAsync(reconnect(endpoint, { retry })), TypeError);
  }
  const wrong = { retry, maxUnreadBytes: -1 };
  await assertRejects(() => Array.fromAsync(reconnect(":1", wrong)), RangeError);
  assertEquals(failures, []);
});

Deno.test("reconnect() without permission to connect fails at once, and says which flag it needs", async () => {
  await using fixture = new Fixture("reconnect.ts", { permissions: [] });
  assertEquals(
    await fixture.line(),
    "ConnectError: Cannot connect to tcp://127.0.0.1:9: no permission; run with --allow-net (0 retries)",
  );
});

Deno.test("reconnect() throws what a peer that breaks the protocol causes", async () => {
  using listener = new RawListener();
  const loop = async () => {
    for await (const connection of reconnect(listener.endpoint)) {
      using peer = await listener.accept();
      await peer.send([255, 255, 255, 255]);
      await connection.receive();
    }
  };
  await assertRejects(loop, MessageTooLargeError);
});

Deno.test("reconnect(): leaving the loop closes the last connection in order", async () => {
  const closed = Promise.withResolvers<unknown>();
  await using server = await listen("127.0.0.1:0", async (connection) => {
    await connection.receive();
    closed.resolve(await connection.close());
  });
  let last: Connection | undefined;
  for await (const connection of reconnect(server.endpoints[0])) {
    last = connection;
    break;
  }
  assertEquals([last?.state, (await last!.closed).clean], ["closed", true]);
  assertEquals(await closed.promise, { clean: true, undeliveredBytes: 0, unreadBytes: 0 });
});
