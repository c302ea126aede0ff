/** Sessions end to end: `listen()` and `connect()`, and sockets that break between them. */

import {
  assert,
  assertEquals,
  assertGreater,
  assertMatch,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { toBase64, toHex } from "../../internal/encoding.ts";
import { connect } from "../../client.ts";
import { lengthPrefix } from "../../codec.ts";
import type { Connection } from "../../connection.ts";
import {
  ConnectError,
  ConnectionClosedError,
  SessionLostError,
  SessionRefusedError,
} from "../../errors.ts";
import { text } from "../../format.ts";
import { listen, type ListenOptions, type Server } from "../../server.ts";
import {
  type Session,
  SessionCode,
  type SessionOptions,
  type SessionStatus,
} from "../../session.ts";
import { hex } from "../support/bytes.ts";
import { type CuttingOptions, CuttingProxy, randomOf } from "../support/cutting_proxy.ts";
import { turn } from "../support/fake_transport.ts";
import { RawPeer } from "../support/raw.ts";

const FAST: SessionOptions = { retry: () => 1 };

/** A server of sessions, and a proxy that leads to it. */
class Rig implements AsyncDisposable {
  private constructor(readonly server: Server, readonly proxy: CuttingProxy) {}

  static async open(
    handler: (session: Session) => Promise<void>,
    options: ListenOptions = {},
    cutting: Partial<CuttingOptions> = {},
    endpoint = "tcp://127.0.0.1:0",
  ): Promise<Rig> {
    const server = await listen(
      endpoint,
      { session: FAST, ...options },
      (connection: Connection) => handler(connection as Session),
    );
    const port = Number(new URL(server.endpoints[0]).port);
    return new Rig(
      server,
      new CuttingProxy({ port, seed: 1, cuts: 0, meanBytes: 1e9, ...cutting }),
    );
  }

  /** A client's session through the proxy. */
  connect(session: SessionOptions = {}): Promise<Session<string>> {
    const endpoint = `tcp://127.0.0.1:${this.proxy.port}`;
    return connect(endpoint, { session: { ...FAST, ...session }, format: text() });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    await this.proxy[Symbol.asyncDispose]();
  }
}

async function echo(session: Session): Promise<void> {
  for await (const message of session) await session.send(message);
}

/** Waits until the session is in this state; returns the states on the way there. */
async function until(
  session: Pick<Session, "states">,
  state: SessionStatus["state"],
): Promise<string[]> {
  const seen: string[] = [];
  for await (const status of session.states()) {
    seen.push(status.state);
    if (status.state === state) break;
  }
  return seen;
}

/** Message `i`: its number, and as many bytes more as a seed says. */
function messageOf(i: number, lengths: Uint8Array): Uint8Array {
  const message = new Uint8Array(4 + lengths[i % lengths.length]).fill(i);
  new DataView(message.buffer).setUint32(0, i);
  return message;
}

/** Sends so many, and looks whether as many come, each once and in order. */
async function exchange(session: Connection, count: number, lengths: Uint8Array): Promise<number> {
  const sending = (async () => {
    for (let i = 0; i < count; i++) await session.send(messageOf(i, lengths));
    await session.closeWrite();
  })();
  let received = 0;
  for await (const message of session) {
    assertEquals(message, messageOf(received++, lengths));
  }
  await sending;
  return received;
}

for (const transport of ["tcp", "ws"]) {
  Deno.test(`session over ${transport}: each message comes once and in order, however often its sockets are cut`, async () => {
    const [count, cuts] = transport === "tcp" ? [20_000, 40] : [2_000, 5];
    const random = randomOf(7);
    const lengths = Uint8Array.from({ length: 997 }, () => random() * 80);
    const served = Promise.withResolvers<number>();
    await using rig = await Rig.open(
      async (session) => served.resolve(await exchange(session, count, lengths)),
      {},
      { cuts, meanBytes: count * 48 * 2 / (cuts + 1) / 2 },
      `${transport}://127.0.0.1:0?session=1`,
    );
    const session = await connect(`${transport}://127.0.0.1:${rig.proxy.port}?session=1`, {
      session: FAST,
    }) as Session;
    assertEquals(await exchange(session, count, lengths), count);
    assertEquals(await served.promise, count);
    const { clean, undeliveredBytes } = await session.closed;
    assertEquals({ clean, undeliveredBytes }, { clean: true, undeliveredBytes: 0 });
    assertEquals(rig.proxy.cuts, cuts);
    assertGreater(session.stats.resumes, cuts / 2); // Some cuts meet a carrier before its greeting.
    assertEquals([rig.server.stats.accepted, session.status.state], [1, "closed"]);
  });
}

Deno.test("Session.flush() waits until the peer has received everything, over another socket too", async () => {
  let received = 0;
  await using rig = await Rig.open(async (session) => {
    for await (const _message of session) received++;
  });
  await using session = await rig.connect();
  session.send("one");
  await session.flush();
  assertEquals(session.stats.unacknowledgedBytes, 0);
  rig.proxy.shut();
  await until(session, "reconnecting");
  session.send("two");
  session.send("three");
  let isFlushed = false;
  const flushing = session.flush().then(() => isFlushed = true);
  await session.send("four");
  await turn();
  const { bufferedBytes, unacknowledgedBytes } = session.stats;
  assertEquals([isFlushed, bufferedBytes + unacknowledgedBytes], [false, 3 * 4 + 12]);
  rig.proxy.open();
  await flushing;
  await session.flush();
  assertEquals(session.stats.unacknowledgedBytes, 0);
  await session.close();
  assertEquals(received, 4);
  await assertRejects(() => session.send("five"), ConnectionClosedError);
});

Deno.test("session: beyond the retention time it is lost, with the messages not acknowledged", async () => {
  const served = Promise.withResolvers<unknown>();
  await using rig = await Rig.open(
    async (session) => {
      try {
        for await (const _message of session);
      } catch (error) {
        served.resolve(error);
      }
    },
    { session: { ...FAST, retentionTime: 60 } },
  );
  const session = await rig.connect();
  session.send("arrived");
  await session.flush();
  rig.proxy.shut();
  await until(session, "reconnecting");
  session.send("lost");
  session.send("lost too");
  const error = await assertRejects(() => session.receive(), SessionLostError);
  assertMatch(error.message, /^Cannot go on with session to .*: the peer stayed away for 60 ms$/);
  assertEquals(error.code, SessionCode.EXPIRED);
  const texts = error.unacknowledged.map((message) => new TextDecoder().decode(message));
  assertEquals(texts, ["lost", "lost too"]);
  const info = await session.closed;
  assertEquals([info.clean, info.error, info.undeliveredBytes], [false, error, 2 * 4 + 12]);
  assertEquals(session.status, { state: "lost", error });
  await assertRejects(() => session.send("more"), ConnectionClosedError);
  // The server's end is lost as well, and tells its handler so.
  const theirs = await served.promise;
  assert(theirs instanceof SessionLostError && theirs.code === SessionCode.EXPIRED);
  assertEquals(theirs.unacknowledged, []);
});

Deno.test("session: a server that was started anew does not know it, and says so", async () => {
  const served = Promise.withResolvers<Session>();
  await using old = await Rig.open((session) => (served.resolve(session), echo(session)));
  await using fresh = await Rig.open(echo);
  const session = await old.connect();
  await session.send("hello");
  assertEquals(await session.receive(), "hello");
  old.proxy.lead(Number(new URL(fresh.server.endpoints[0]).port));
  old.proxy.cut();
  session.send("precious");
  const error = await assertRejects(() => session.receive(), SessionLostError, "refused it");
  assertEquals(error.code, SessionCode.UNKNOWN);
  assert(error.cause instanceof SessionRefusedError && !error.cause.isRetriable);
  assertEquals(error.unacknowledged.length, 1);
  assertEquals(fresh.server.stats.refusals.session, 1);
  (await served.promise).abort();
  await session.closed;
});

Deno.test("Session.states() tells what the session is doing, to the end", async () => {
  await using rig = await Rig.open(echo);
  const session = await rig.connect();
  const states = session.states();
  const next = async () => (await states.next()).value as SessionStatus;
  assertEquals(await next(), { state: "connected" });
  rig.proxy.shut();
  assertEquals((await next()).state, "reconnecting");
  let status: SessionStatus;
  do status = await next(); while ((status.attempt ?? 0) < 3);
  assert(status.error instanceof Error, "what went wrong is told");
  rig.proxy.open();
  do status = await next(); while (status.state === "reconnecting");
  assertEquals(status, { state: "connected" });
  rig.server.drain("moving house");
  assertEquals(await next(), { state: "draining", reason: "moving house" });
  session.send("still here");
  assertEquals(await session.receive(), "still here");
  await session.close();
  assertEquals((await next()).state, "closed");
  assertEquals((await states.next()).done, true);
});

Deno.test("Session.close() tells code and reason across a cut", async () => {
  const opened = Promise.withResolvers<Session>();
  await using rig = await Rig.open(async (session) => {
    opened.resolve(session);
    await session.closed;
  });
  const session = await rig.connect();
  const theirs = await opened.promise;
  rig.proxy.shut();
  await Promise.all([until(session, "reconnecting"), until(theirs, "reconnecting")]);
  theirs.send("good-bye");
  const closing = theirs.close({ code: 4001, reason: "enough for today" });
  rig.proxy.open();
  assertEquals(await session.receive(), "good-bye");
  assertEquals(await session.receive(), undefined);
  const { clean, code, reason } = await session.close();
  assertEquals({ clean, code, reason }, { clean: true, code: 4001, reason: "enough for today" });
  assertEquals((await closing).clean, true);
});

/** Messages as texts. */
function textsOf(error: unknown): string[] {
  assert(error instanceof SessionLostError, `${error}`);
  return error.unacknowledged.map((message) => new TextDecoder().decode(message));
}

Deno.test("Session.close() without a carrier tells which messages did not arrive", async () => {
  for (
    const [limits, why] of [
      [{ closeTimeout: 60 }, "cannot close connection to .* it did not .* within 60 ms"],
      [{ retentionTime: 60 }, "the peer stayed away for 60 ms"],
    ] as const
  ) {
    await using rig = await Rig.open(echo, { session: { ...FAST, retentionTime: 1_000 } });
    const session = await connect(`tcp://127.0.0.1:${rig.proxy.port}`, {
      session: { ...FAST, ...limits },
      ...limits,
    }) as Session;
    rig.proxy.shut();
    await until(session, "reconnecting");
    session.send("one");
    session.send("two");
    const { clean, error, undeliveredBytes } = await session.close();
    assertEquals(textsOf(error), ["one", "two"]);
    assertMatch((error as Error).message, new RegExp(`^Cannot go on with session to .*: ${why}$`));
    assertEquals([clean, undeliveredBytes], [false, 2 * 4 + 6]);
    rig.proxy.open();
  }
});

Deno.test("Session.abort() tells its own reason, whatever was on its way", async () => {
  await using rig = await Rig.open(echo);
  const session = await rig.connect();
  rig.proxy.shut();
  await until(session, "reconnecting");
  session.send("one");
  const reason = new Error("enough");
  session.abort(reason);
  const { error } = await session.closed;
  assertStrictEquals(error, reason);
  rig.proxy.open();
});

Deno.test("Session.flush() of an ended session may be forgotten", async () => {
  await using rig = await Rig.open(echo);
  const session = await rig.connect();
  session.send("hello");
  session.abort();
  await session.closed;
  session.flush();
  await turn(); // An unhandled rejection ends the process here.
  await assertRejects(() => session.flush(), SessionLostError);
});

Deno.test("session: a retry policy that throws loses the session, and nothing else", async () => {
  await using rig = await Rig.open(echo, { session: { ...FAST, retentionTime: 100 } });
  const bug = new Error("Division by cucumber");
  const session = await rig.connect({
    retry() {
      throw bug;
    },
  });
  rig.proxy.shut();
  await until(session, "lost");
  const { error } = await session.closed;
  assert(error instanceof SessionLostError);
  assertMatch(error.message, /: its retry policy failed: division by cucumber$/);
  assertStrictEquals(error.cause, bug);
});

Deno.test("session: a large message that arrived in part is told as a whole", async () => {
  const opened = Promise.withResolvers<Session>();
  const WINDOW = 300_000;
  await using rig = await Rig.open(async (session) => {
    opened.resolve(session);
    await session.closed;
  }, { maxUnreadBytes: 1_000, session: { ...FAST, window: WINDOW } });
  // Questions and answers go on, so that there is always something to wait for.
  const session = await connect(`tcp://127.0.0.1:${rig.proxy.port}`, {
    session: { ...FAST, heartbeatInterval: 10 },
  }) as Session;
  session.send(new Uint8Array(2_000));
  const large = new Uint8Array(WINDOW + 50_000).fill(1);
  session.send(large);
  session.send("small");
  // Most of it is acknowledged, and there is no credit for the rest.
  while (session.stats.bytesSent - session.stats.unacknowledgedBytes < WINDOW) {
    await rig.proxy.carried(1);
  }
  (await opened.promise).abort();
  const { error } = await session.closed;
  assert(error instanceof SessionLostError);
  assertEquals(error.unacknowledged.map(({ length }) => length), [large.length, 5]);
  assert(error.unacknowledged[0].every((byte) => byte === 1));
});

Deno.test("Session.close() resolves when the session is over, and nothing runs on after it", async () => {
  await using rig = await Rig.open(echo);
  const session = await rig.connect();
  assertStrictEquals(session.close(), session.closed);
  assertEquals((await session.closed).clean, true);
  assertEquals(session.status.state, "closed");
});

Deno.test("Session.abort() ends the other end too, at once", async () => {
  const failed = Promise.withResolvers<unknown>();
  await using rig = await Rig.open(async (session) => {
    await session.receive();
    await session.receive().catch(failed.resolve);
  });
  const session = await rig.connect();
  await session.send("hello");
  await session.flush();
  assertEquals(await Promise.race([session.closed, "still open"]), "still open");
  session.abort(new Error("I had a secret reason"));
  const error = await failed.promise;
  assert(error instanceof SessionLostError && error.code === SessionCode.ABORTED);
  assertMatch(error.message, /the peer ended it: the session was aborted$/);
  assertEquals((await session.closed).clean, false);
});

Deno.test("session: a wrong id is refused and counted, and disturbs nobody", async () => {
  const refusals: unknown[] = [];
  await using rig = await Rig.open(echo, { onRefuse: (refusal) => refusals.push(refusal) });
  await using session = await rig.connect();
  const raw = await RawPeer.connect(rig.server.endpoints[0]);
  const id = "5a".repeat(16);
  await raw.send(
    hex(`0000002e 01 4c575350 01 ${id} 0000000000000000 0000000000100000 0001d4c0 00000002`),
  );
  const answer = await raw.receive(4 + 3);
  assertEquals([...answer.subarray(4)], [3, 0, SessionCode.UNKNOWN]);
  await raw.drain();
  raw.close();
  assertEquals(rig.server.stats.refusals.session, 1);
  assertEquals(refusals.length, 1);
  assert(!Deno.inspect(refusals).includes("5a5a"));
  await session.send("hello");
  assertEquals(await session.receive(), "hello");
});

Deno.test("session: its id is in no output", async () => {
  const opened = Promise.withResolvers<Session>();
  const seen: string[] = [];
  await using rig = await Rig.open(async (session) => {
    opened.resolve(session);
    await echo(session).catch((error) => seen.push(Deno.inspect(error)));
  }, { session: { ...FAST, retentionTime: 400 } });
  // WELCOME is the first that the server sends: its length, type, version and flags, then the id.
  let id = "";
  rig.proxy.onChunk = (chunk) => {
    if (chunk[4] === 2 && id === "") id = toHex(chunk.slice(7, 23));
  };
  const session = await rig.connect();
  const theirs = await opened.promise;
  assertMatch(id, /^[0-9a-f]{32}$/);
  rig.proxy.cut();
  session.send("hello");
  await session.receive();
  rig.proxy.shut();
  const error = await assertRejects(() => session.receive(), SessionLostError);
  const infos = await Promise.all([session.closed, theirs.closed]);
  for (const thing of [session, theirs, rig.server, error, ...infos, session.stats]) {
    seen.push(Deno.inspect(thing, { depth: 20, showHidden: true, getters: true }));
  }
  for (const end of [session, theirs]) seen.push(end.remote, end.endpoint, `${end.status.error}`);
  const bytes = hex(id);
  for (const output of seen) {
    const plain = output.toLowerCase();
    assert(!plain.includes(id) && !plain.includes(toBase64(bytes).toLowerCase()), output);
    assert(!plain.includes([...bytes].join(", ")), output);
  }
});

Deno.test("session: a client that does not read is held back, and not taken for dead", async () => {
  const HEARTBEAT = { heartbeatInterval: 10, heartbeatTimeout: 400 };
  const message = new Uint8Array(32 * 1024);
  const full = Promise.withResolvers<Session>();
  const COUNT = 200;
  await using rig = await Rig.open(async (session) => {
    for (let i = 0; i < COUNT; i++) {
      const sending = session.send(message);
      if (session.stats.bufferedBytes > 0) full.resolve(session);
      await sending;
    }
  }, { session: { ...FAST, ...HEARTBEAT, maxUnacknowledgedBytes: 256 * 1024 } });
  const session = await connect(`tcp://127.0.0.1:${rig.proxy.port}`, {
    session: { ...FAST, ...HEARTBEAT, window: 64 * 1024 },
    maxUnreadBytes: 64 * 1024,
  });
  const theirs = await full.promise;
  // At last nothing but questions and answers goes to and fro, for several times the timeout.
  let before: number;
  do {
    before = theirs.stats.bytesSent;
    await rig.proxy.carried(100 * 18);
  } while (theirs.stats.bytesSent > before);
  assertEquals([theirs.status.state, session.status.state], ["connected", "connected"]);
  let count = 0;
  for await (const _message of session) count++;
  assertEquals(count, COUNT);
  await session.close();
  assertEquals(session.stats.resumes, 0);
});

Deno.test("session: a black hole is found, and gone round", async () => {
  const HEARTBEAT = { heartbeatInterval: 200, heartbeatTimeout: 200 };
  // The server must not be the first to find it.
  await using rig = await Rig.open(echo, { session: { ...FAST, heartbeatInterval: 10_000 } });
  await using session = await rig.connect(HEARTBEAT);
  session.send("before");
  assertEquals(await session.receive(), "before");
  rig.proxy.darken();
  const start = performance.now();
  session.send("into the dark");
  await until(session, "reconnecting");
  const time = performance.now() - start;
  // What came before the dark counts: the timer may have begun earlier.
  assertGreater(time, 400 - 200);
  assertMatch(String(session.status.error), /the peer was silent for 400 ms/);
  assertEquals(await session.receive(), "into the dark");
  assertEquals(session.stats.resumes, 1);
});

Deno.test("Session.stats tells the round-trip time", async () => {
  await using rig = await Rig.open(echo);
  await using session = await rig.connect();
  session.send("hello");
  await session.receive();
  await session.flush();
  const { roundTripTime } = session.stats;
  assert(roundTripTime !== undefined && roundTripTime >= 0 && roundTripTime < 5_000);
});

Deno.test("listen() refuses framings that cannot carry sessions, and connect() sessions over UDP", async () => {
  for (const framing of ["u8", "line", "none"] as const) {
    await assertRejects(
      () => listen("tcp://127.0.0.1:0", { framing, session: true }),
      TypeError,
      `Cannot use framing ${framing} for a session`,
    );
  }
  await assertRejects(
    () => listen("tcp://127.0.0.1:0", { framing: lengthPrefix({ offset: 12 }), session: true }),
    TypeError,
    "it must carry any 65521 bytes behind a header of at most 15 bytes",
  );
  await using server = await listen("tcp://127.0.0.1:0", {
    framing: lengthPrefix({ offset: 11 }),
    session: true,
  });
  assertEquals(server.endpoints.length, 1);
  await assertRejects(() => connect("udp://127.0.0.1:1", { session: true }), TypeError, "UDP");
});

Deno.test("connect() gives up on a server that speaks no sessions", async () => {
  await using server = await listen("tcp://127.0.0.1:0", async (connection) => {
    for await (const message of connection) await connection.send(message);
  });
  await assertRejects(() => connect(server.endpoints[0], { session: true }), ConnectError);
});
