/** Where sessions meet the server: who may come in, what a refusal says and costs, how it closes. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { connect } from "../../client.ts";
import { Connection } from "../../connection.ts";
import { resolveSettings } from "../../connection/settings.ts";
import { SessionLostError, SessionRefusedError } from "../../errors.ts";
import type { ServerOptions } from "../../listen/server.ts";
import { listen, type Refusal, Server } from "../../server.ts";
import { openSession, type Session, SessionAcceptor, SessionCode } from "../../session.ts";
import { carrierSettings } from "../../session/carrier.ts";
import { decodeFrame, encodeHello, encodePong, type Frame, FrameType } from "../../session/wire.ts";
import { memoryPair } from "../../testing.ts";
import type { Transport } from "../../transport.ts";
import type { AcceptedPeer, TransportListener } from "../../transport/kind.ts";
import { hex } from "../support/bytes.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";

const DATA = hex("04 0000000000000000 00000001 61");

/** An endpoint to which peers come from whatever address they say. */
class Gate implements TransportListener {
  readonly endpoint = { transport: "memory", name: "gate" } as const;
  readonly #peers: AcceptedPeer[] = [];
  #wanted = Promise.withResolvers<void>();
  #state: "open" | "closed" = "open";

  /** Comes in. Resolves when the server has looked at it: to its end, and whether it was turned away. */
  async come(hostname: string): Promise<{ transport: Transport; isRefused: boolean }> {
    const [transport, far] = memoryPair();
    const isRefused = await new Promise<boolean>((resolve) => {
      this.#peers.push({
        hostname,
        open() {
          resolve(false);
          return far;
        },
        refuse() {
          resolve(true);
          far.close();
        },
      });
      this.#wanted.resolve();
    });
    return { transport, isRefused };
  }

  async accept(): Promise<AcceptedPeer> {
    for (;;) {
      if (this.#state === "closed") throw new Deno.errors.BadResource("listener has been closed");
      const peer = this.#peers.shift();
      if (peer !== undefined) return peer;
      this.#wanted = Promise.withResolvers();
      await this.#wanted.promise;
    }
  }

  close(): void {
    this.#state = "closed";
    this.#wanted.resolve();
  }
}

/** A server of sessions behind a gate, and those who came through it. */
class Rig implements AsyncDisposable {
  readonly server: Server;
  readonly refusals: Refusal[] = [];
  readonly sessions: Session[] = [];
  readonly #gate = new Gate();
  readonly #peers: Connection[] = [];

  constructor(options: Partial<ServerOptions<Uint8Array>> = {}) {
    const endpoint = {
      listener: this.#gate,
      settings: resolveSettings<Uint8Array>({}),
      carrier: carrierSettings("u32be", {}),
      name: "memory:gate?session=1",
    };
    this.server = new Server<Uint8Array>([endpoint], async (connection) => {
      this.sessions.push(connection as Session);
      await connection.closed;
    }, {
      maxConnections: 100,
      maxConnectionsPerAddress: 100,
      handshakeTimeout: 10_000,
      session: {},
      guests: { road: () => endpoint, carriedRoad: () => endpoint },
      onError: () => {},
      onRefuse: (refusal) => this.refusals.push(refusal),
      ...options,
    });
  }

  /** A carrier that has said nothing; undefined if it was turned away. */
  async carrier(hostname: string): Promise<Connection | undefined> {
    const { transport, isRefused } = await this.#gate.come(hostname);
    if (isRefused) return undefined;
    const peer = new Connection(transport);
    this.#peers.push(peer);
    return peer;
  }

  /** The answer to a HELLO from there, and who said it. */
  async greet(hostname: string, id?: string, attempt = 1): Promise<[answer: Frame, Connection]> {
    let peer = await this.carrier(hostname);
    // The server may learn a moment later that the one before it has gone.
    for (let n = 0; n < 9 && peer === undefined; n++) {
      await turn();
      peer = await this.carrier(hostname);
    }
    assert(peer !== undefined, "it was turned away before it could greet");
    return [await this.hello(peer, id, attempt), peer];
  }

  /** Says HELLO. */
  async hello(peer: Connection, id?: string, attempt = 1): Promise<Frame> {
    peer.send(encodeHello({ id, received: 0, limit: 2 ** 20, retentionTime: 120_000, attempt }));
    return await next(peer);
  }

  /** What becomes of a HELLO from there: undefined for a new session, or the code of the refusal. */
  async tries(hostname: string, id?: string): Promise<number | undefined> {
    const [answer, peer] = await this.greet(hostname, id);
    const code = codeOf(answer);
    if (code !== undefined) await peer.close();
    return code;
  }

  /** Opens a session from there. */
  async open(hostname: string): Promise<{ id: string; peer: Connection; session: Session }> {
    const [answer, peer] = await this.greet(hostname);
    assert(answer.type === FrameType.WELCOME, `type ${answer.type}`);
    return { id: answer.id, peer, session: this.sessions.at(-1)! };
  }

  /** Opens a session, sends something or not, and goes away without a word. */
  async leave(hostname: string, data?: Uint8Array): Promise<{ id: string; session: Session }> {
    const { id, peer, session } = await this.open(hostname);
    peer.send(encodePong(1)); // The client knows the id: the session is kept for it.
    if (data !== undefined) {
      peer.send(data);
      await session.receive();
    }
    await peer.close();
    await detached(session);
    return { id, session };
  }

  /** A transport on which nothing was said, and which never closes by itself. */
  async raw(hostname = "192.0.2.7"): Promise<Transport> {
    return (await this.#gate.come(hostname)).transport;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.#peers) peer.abort();
    await this.server.close({ grace: 0 });
    await Promise.all(this.#peers.map((peer) => peer.closed));
    await Promise.all(this.sessions.map((session) => session.closed));
  }
}

async function next(peer: Connection): Promise<Frame> {
  return decodeFrame((await peer.receive())!);
}

function codeOf(answer: Frame): number | undefined {
  if (answer.type === FrameType.WELCOME) return undefined;
  assert(answer.type === FrameType.REFUSED, `type ${answer.type}`);
  return answer.code;
}

/** Ends a session at both its ends. */
async function end({ session, peer }: { session: Session; peer?: Connection }): Promise<void> {
  session.abort();
  await Promise.all([session.closed, peer?.close()]);
}

async function detached(session: Session): Promise<void> {
  for await (const { state } of session.states()) if (state === "reconnecting") return;
}

/** A turn of the event loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** A frame with its length before it. */
function framed(frame: Uint8Array): Uint8Array {
  return Uint8Array.of(0, 0, 0, frame.length, ...frame);
}

/** The first frame of a stream that came in one piece, with or without others. */
async function firstFrame(transport: Transport): Promise<Frame> {
  const chunk = (await transport.read())!;
  return decodeFrame(chunk.subarray(4, 4 + chunk[3]));
}

/** Reads to the end, and closes. */
async function firstOfAll(peer: Connection): Promise<Frame | undefined> {
  const frames = await peer.receiveAll();
  await peer.close();
  return frames.length === 0 ? undefined : decodeFrame(frames[0]);
}

function isClosed(transport: Transport): Promise<unknown> {
  return assertRejects(() => transport.write(new Uint8Array(1)), Deno.errors.BrokenPipe);
}

Deno.test("Server refuses sessions of one address beyond maxConnectionsPerAddress, those left included", async () => {
  await using rig = new Rig({ maxConnectionsPerAddress: 2 });
  const { session } = await rig.leave("192.0.2.7", DATA);
  await rig.leave("192.0.2.7", DATA);
  for (let i = 0; i < 3; i++) assertEquals(await rig.tries("192.0.2.7"), SessionCode.FULL);
  assertEquals(await rig.tries("192.0.2.8"), undefined, "others are welcome");
  assertEquals(rig.server.connections.size, 3);
  // What is over does not count.
  await end({ session });
  assertEquals(await rig.tries("192.0.2.7"), undefined);
  assertEquals(await rig.tries("192.0.2.7"), SessionCode.FULL);
});

Deno.test("Server drops the oldest session that its address left unused for a new one", async () => {
  await using rig = new Rig({ maxConnectionsPerAddress: 3 });
  const used = await rig.leave("192.0.2.7", DATA);
  const [first, second] = [await rig.leave("192.0.2.7"), await rig.leave("192.0.2.7")];
  const other = await rig.leave("192.0.2.8");
  const third = await rig.open("192.0.2.7");
  const { error } = await first.session.closed;
  assert(error instanceof SessionLostError);
  assertEquals(await rig.tries("192.0.2.7", first.id), SessionCode.UNKNOWN);
  const fourth = await rig.open("192.0.2.7");
  await second.session.closed;
  // Those that were used, that are there, or of others stay.
  assertEquals(await rig.tries("192.0.2.7"), SessionCode.FULL);
  const states = [used, third, fourth, other].map(({ session }) => session.state);
  assertEquals(states, ["open", "open", "open", "open"]);
});

Deno.test("Server counts sessions of IPv6 addresses by /64, and those of loopback not at all", async () => {
  await using rig = new Rig({ maxConnectionsPerAddress: 1 });
  await rig.leave("2001:db8::1", DATA);
  assertEquals(await rig.tries("2001:db8::2"), SessionCode.FULL);
  assertEquals(await rig.tries("2001:db8:0:1::1"), undefined);
  for (const hostname of ["127.0.0.1", "::1", ""]) {
    for (let i = 0; i < 3; i++) await rig.leave(hostname, DATA);
  }
  assertEquals(rig.server.connections.size, 11);
});

for (const limit of ["maxConnections", "maxConnectionsPerAddress"] as const) {
  Deno.test(`Server at ${limit} lets a session go on whose old carrier it still believes in`, async () => {
    await using rig = new Rig({ [limit]: 1 });
    const { id, session, ...first } = await rig.open("192.0.2.7");
    let { peer } = first;
    for (const attempt of [2, 3, 4]) {
      const before = peer;
      const [answer, after] = await rig.greet("192.0.2.7", id, attempt);
      assert(answer.type === FrameType.WELCOME && answer.isResumed, `attempt ${attempt}`);
      await before.close();
      peer = after;
    }
    assertEquals(session.stats.resumes, 3);
    assertEquals(await rig.tries("192.0.2.7"), SessionCode.FULL);
    await end({ session, peer });
    await rig.open("192.0.2.7");
  });
}

Deno.test("Server counts a carrier that it believes in, whatever is tried with its session", async () => {
  await using rig = new Rig({ maxConnections: 1 });
  const { id, session } = await rig.open("192.0.2.7");
  for (let i = 0; i < 3; i++) {
    assertEquals(await rig.tries("192.0.2.8", id), SessionCode.STALE); // Not a later attempt.
    assertEquals(await rig.tries("192.0.2.7"), SessionCode.FULL);
  }
  assertEquals([session.status.state, session.stats.resumes], ["connected", 0]);
  const moved = await rig.greet("192.0.2.8", id, 2);
  assertEquals(codeOf(moved[0]), undefined);
  assertEquals(await rig.tries("192.0.2.7"), SessionCode.FULL);
});

Deno.test("Server lets as many carriers come and greet as it takes connections", async () => {
  await using rig = new Rig({ maxConnections: 4, maxConnectionsPerAddress: 2 });
  for (let i = 0; i < 2; i++) await rig.open("192.0.2.7");
  const silent = [await rig.carrier("192.0.2.7"), await rig.carrier("192.0.2.7")];
  assertEquals(await rig.carrier("192.0.2.7"), undefined);
  for (let i = 0; i < 2; i++) assert(await rig.carrier("192.0.2.8") !== undefined);
  assertEquals(await rig.carrier("192.0.2.9"), undefined);
  assertEquals(rig.refusals.map(({ reason }) => reason), [
    "maxConnectionsPerAddress",
    "maxConnections",
  ]);
  assertEquals(codeOf(await rig.hello(silent[0]!)), SessionCode.FULL);
  await silent[0]!.close();
  // The server may learn of it a moment later.
  while (await rig.carrier("192.0.2.7") === undefined);
});

Deno.test("Server does not keep out an address whose sessions it has forgotten", async () => {
  // Twenty at once: nine times the carrier and its wrong id, and two new sessions.
  await using rig = new Rig({ maxConnectionRate: 10 });
  for (let i = 1; i <= 9; i++) {
    assertEquals(await rig.tries("192.0.2.7", `${i}`.repeat(32)), SessionCode.UNKNOWN);
  }
  for (let i = 0; i < 2; i++) await rig.open("192.0.2.7");
});

const COSTS: Record<string, [frame: string, code: number, keepsOut: boolean]> = {
  "that cannot be": ["01 00", SessionCode.MALFORMED, true],
  "of another version": ["01 4c575350 02", SessionCode.VERSION, false],
  "that is something else": ["47 4554", SessionCode.UNEXPECTED, false],
};

for (const [name, [frame, code, keepsOut]] of Object.entries(COSTS)) {
  Deno.test(`Server ${keepsOut ? "keeps" : "does not keep"} an address out for a HELLO ${name}`, async () => {
    await using rig = new Rig({ maxConnectionRate: 1 }); // Two at once.
    const peer = await rig.carrier("192.0.2.7");
    peer!.send(hex(frame));
    assertEquals(codeOf(await next(peer!)), code);
    assertEquals(await rig.carrier("192.0.2.7") === undefined, keepsOut);
  });
}

Deno.test("Server keeps out who tries ids", async () => {
  await using rig = new Rig({ maxConnectionRate: 1 });
  assertEquals(await rig.tries("192.0.2.7", "5a".repeat(16)), SessionCode.UNKNOWN);
  assertEquals(await rig.carrier("192.0.2.7"), undefined);
});

Deno.test("connect() for a session says that the token is wrong, or that one is wanted", async () => {
  await using server = await listen("tcp://127.0.0.1:0?session=1", { token: "right" }, () => {});
  for (
    const [options, state] of [
      [{ token: "wrong" }, "the token is wrong"],
      [{}, "it wants a token"],
    ] as const
  ) {
    const error = await assertRejects(
      () => connect(server.endpoints[0], options),
      SessionRefusedError,
    );
    assertEquals(error.message, `Cannot open session: the server refused it: ${state}`);
    assertEquals([error.code, error.isRetriable], [SessionCode.TOKEN, false]);
  }
  assertEquals(server.stats.refusals.token, 2);
  await using _right = await connect(server.endpoints[0], { token: "right" });
});

Deno.test("Session is lost with the first refusal of its token", async () => {
  const session = { retry: () => 1 };
  await using before = await listen("tcp://127.0.0.1:0", { token: "old", session }, () => {
    return new Promise(() => {});
  });
  await using after = await listen("tcp://127.0.0.1:0", { token: "new", session }, () => {});
  const portOf = (server: Server) => Number(new URL(server.endpoints[0]).port);
  await using proxy = new CuttingProxy({ port: portOf(before), seed: 1, cuts: 0, meanBytes: 1e9 });
  await using client = await connect(`tcp://127.0.0.1:${proxy.port}`, { token: "old", session });
  client.send("precious");
  await client.flush();
  proxy.lead(portOf(after));
  proxy.cut();
  const { error } = await client.closed;
  assert(error instanceof SessionLostError && error.cause instanceof SessionRefusedError);
  assertEquals(error.code, SessionCode.TOKEN);
  assertEquals(after.stats.refusals.token, 1);
  await before.close({ grace: 0 });
});

Deno.test("Server tells a carrier that no token came in time, and that it may try again", async () => {
  await using server = await listen("memory:late-token?session=1", {
    token: "right",
    handshakeTimeout: 20,
  }, () => {});
  await using silent = await connect("memory:late-token");
  assertEquals(await next(silent), {
    type: FrameType.REFUSED,
    code: SessionCode.TIMEOUT,
    text: "no token came within 20 ms",
  });
  assertEquals(server.stats.refusals.token, 1);
});

Deno.test("Server.close({ grace }) leaves no carrier open that has not said HELLO", async () => {
  await using rig = new Rig();
  const silent = await rig.raw();
  await rig.server.close({ grace: 20 });
  const refused = await firstFrame(silent);
  assertEquals(codeOf(refused), SessionCode.CLOSING);
  await isClosed(silent);
});

Deno.test("Server.close({ grace }) leaves no carrier open that was refused", async () => {
  await using rig = new Rig();
  const wrong = await rig.raw();
  await wrong.write(framed(hex("4745")));
  assertEquals(codeOf(await firstFrame(wrong)), SessionCode.UNEXPECTED);
  await rig.server.close({ grace: 20 });
  await isClosed(wrong);
});

Deno.test("Server.close({ grace }) leaves no carrier open that heard the end of its session", async () => {
  await using rig = new Rig();
  const { id, ...opened } = await rig.open("192.0.2.7");
  await end(opened);
  const late = await rig.raw();
  await late.write(framed(encodeHello({
    id,
    received: 0,
    limit: 0,
    retentionTime: 1,
    attempt: 2,
  })));
  assertEquals((await firstFrame(late)).type, FrameType.RESET);
  await rig.server.close({ grace: 20 });
  await isClosed(late);
});

Deno.test("Server.close({ grace }) leaves no connection open whose token was wrong", async () => {
  for (const endpoint of ["memory:wrong-token", "memory:wrong-token?session=1"]) {
    const options = { token: "right", refusalMessage: () => "no" };
    await using server = await listen(endpoint, options, () => {});
    await using client = await connect("memory:wrong-token", { closeTimeout: 60_000 });
    client.send("wrong");
    assert((await client.receive())!.length > 0);
    // It does not close by itself: the server has to.
    const startedAt = performance.now();
    await server.close({ grace: 20 });
    await client.send("still there?").then(() => client.flush());
    const { error } = await client.closed;
    assert(error !== undefined && performance.now() - startedAt < 30_000);
  }
});

Deno.test("Server.close() closes sessions that begin at the same moment", async () => {
  let handed = 0;
  let closing = 0;
  for (let steps = 0; steps < 60; steps++) {
    await using rig = new Rig();
    const transport = await rig.raw();
    const hello = encodeHello({
      id: undefined,
      received: 0,
      limit: 2 ** 20,
      retentionTime: 1,
      attempt: 1,
    });
    await transport.write(framed(hello));
    for (let i = 0; i < steps; i++) await undefined;
    const answering = firstOfAll(new Connection(transport));
    await rig.server.close({ grace: 0 });
    assertEquals(rig.server.connections.size, 0);
    handed += rig.sessions.length;
    for (const session of rig.sessions) assertEquals(session.state, "closed", `${steps} steps`);
    const answer = await answering;
    if (answer?.type === FrameType.WELCOME && rig.sessions.length === 0) closing++;
  }
  // All three happened: refused before it began, closed before it was handed out, and after that.
  assert(
    handed > 0 && closing > 0 && handed + closing < 60,
    `${handed} handed, ${closing} closing`,
  );
});

Deno.test("Refusal of a session has its code, and no hostname where there is none", async () => {
  const refusals: Refusal[] = [];
  await using server = await listen("memory:refusals?session=1", {
    onRefuse: (refusal) => refusals.push(refusal),
  }, () => {});
  await using client = await connect("memory:refusals");
  client.send("no HELLO");
  await next(client);
  const [{ hostname, endpoint, reason, error }] = refusals;
  assertEquals([hostname, endpoint, reason], ["", server.endpoints[0], "session"]);
  assert(error instanceof SessionRefusedError);
  assertEquals([error.code, error.isRetriable], [SessionCode.UNEXPECTED, false]);
});

Deno.test("SessionAcceptor.accept() refuses, and resolves, when onRefuse throws", async () => {
  const printed: unknown[][] = [];
  const { error } = console;
  console.error = (...line) => printed.push(line);
  try {
    const broken = new Error("broken callback");
    const acceptor = new SessionAcceptor({
      onRefuse() {
        throw broken;
      },
    });
    const [near, far] = memoryPair().map((transport) => new Connection(transport));
    const accepting = acceptor.accept(far);
    near.send("no HELLO");
    assertEquals(codeOf(await next(near)), SessionCode.UNEXPECTED);
    await near.close();
    assertEquals(await accepting, undefined);
    assertEquals(far.state, "closed");
    assertEquals(printed, [["Error in a callback of a session acceptor:", broken]]);
  } finally {
    console.error = error;
  }
});

Deno.test("SessionAcceptor limits sessions of one address only where addressOf names it", async () => {
  const acceptor = new SessionAcceptor({
    maxSessionsPerAddress: 1,
    addressOf: ({ endpoint }) => endpoint || undefined,
  });
  const open = async (endpoint: string) => {
    const [near, far] = memoryPair();
    const accepting = acceptor.accept(new Connection(far, {}, endpoint));
    const carrier = new Connection(near);
    try {
      const dial = () => Promise.resolve(carrier);
      const client = await openSession({ dial });
      return { client, transport: (await accepting)! };
    } catch (error) {
      await carrier.closed;
      await accepting;
      throw error;
    }
  };
  const opened = [await open("a"), await open("b"), await open(""), await open("")];
  const error = await assertRejects(() => open("a"), SessionRefusedError);
  assertEquals([error.code, error.isRetriable], [SessionCode.FULL, true]);
  for (const { client, transport } of opened) {
    transport.close(new Error("enough"));
    await client.closed;
    await transport.finished;
  }
  assertEquals(acceptor.size, 0);
});
