import { assert, assertEquals, assertLess, assertMatch, assertRejects } from "@std/assert";
import { Connection } from "../../connection.ts";
import {
  ConnectError,
  SessionLostError,
  SessionProtocolError,
  SessionRefusedError,
} from "../../errors.ts";
import {
  openSession,
  Session,
  SessionAcceptor,
  type SessionAcceptorOptions,
  SessionCode,
  type SessionOptions,
  type SessionRefusal,
} from "../../session.ts";
import { decodeFrame, type Frame, FrameType } from "../../session/wire.ts";
import { memoryPair } from "../../testing.ts";
import { hex } from "../support/bytes.ts";

const NO_ID = "00".repeat(16);
const RESUME = `${"0".repeat(16)} 0000000000100000 0001d4c0`;
const HELLO = `01 4c575350 01 ${NO_ID} ${RESUME} 00000001`;

/** A server's table, and carriers whose other end is the test. */
class Rig implements AsyncDisposable {
  readonly acceptor: SessionAcceptor;
  readonly refusals: SessionRefusal[] = [];
  readonly #accepting: Promise<unknown>[] = [];
  readonly #peers: Connection[] = [];
  session: Session | undefined;

  constructor(options: SessionAcceptorOptions = {}) {
    this.acceptor = new SessionAcceptor({
      onRefuse: (refusal) => this.refusals.push(refusal),
      ...options,
    });
  }

  /** A carrier over which these frames come. There is a session when WELCOME has come back. */
  carrier(...frames: string[]): Connection {
    const [near, far] = memoryPair().map((transport) => new Connection(transport));
    this.#peers.push(far);
    for (const frame of frames) far.send(hex(frame));
    this.#accepting.push(
      this.acceptor.accept(near).then((transport) => {
        if (transport !== undefined) this.session = new Session(transport);
      }),
    );
    return far;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.acceptor.close();
    this.session?.abort();
    await Promise.all(this.#peers.map((peer) => peer.close()));
    await Promise.all(this.#accepting);
    await this.session?.closed;
  }
}

async function next(peer: Connection): Promise<Frame | undefined> {
  const bytes = await peer.receive();
  return bytes && decodeFrame(bytes);
}

/** The next frame that is no PING. */
async function answer(peer: Connection): Promise<Frame | undefined> {
  for (;;) {
    const frame = await next(peer);
    if (frame?.type !== FrameType.PING && frame?.type !== FrameType.ACK) return frame;
  }
}

const REFUSED: Record<string, [frames: string[], code: number]> = {
  "garbage before HELLO": [["474554202f"], SessionCode.UNEXPECTED],
  "an empty frame": [[""], SessionCode.UNEXPECTED],
  "DATA before HELLO": [["04 0000000000000000 61"], SessionCode.UNEXPECTED],
  "WELCOME before HELLO": [["02 01 00"], SessionCode.UNEXPECTED],
  "a HELLO of something else": [[`01 4c575351 01 ${NO_ID} ${RESUME}`], SessionCode.MALFORMED],
  "a version from the future": [["01 4c575350 02 ff"], SessionCode.VERSION],
  "a HELLO that is too short": [[HELLO.slice(0, -2)], SessionCode.MALFORMED],
  "a HELLO that is too long": [[`${HELLO} 00`], SessionCode.MALFORMED],
  "a number beyond 2^53": [
    [`01 4c575350 01 ${NO_ID} 0020000000000000 0000000000100000 0001d4c0 00000001`],
    SessionCode.MALFORMED,
  ],
  "a new session of which something was received": [
    [`01 4c575350 01 ${NO_ID} 0000000000000001 0000000000100000 0001d4c0 00000001`],
    SessionCode.ACKNOWLEDGED,
  ],
  "a wrong id": [[`01 4c575350 01 ${"5a".repeat(16)} ${RESUME} 00000002`], SessionCode.UNKNOWN],
};

for (const [name, [frames, code]] of Object.entries(REFUSED)) {
  Deno.test(`session: ${name} is refused with code ${code}`, async () => {
    await using rig = new Rig();
    const peer = rig.carrier(...frames);
    const frame = await next(peer);
    assert(frame?.type === FrameType.REFUSED, "it is REFUSED");
    assertEquals(frame.code, code);
    assertEquals(await peer.receive(), undefined);
    assertEquals(rig.acceptor.size, 0);
    assertEquals(rig.refusals.map(({ code }) => code), [code]);
    assert(!rig.refusals[0].reason.includes("5a5a"), "ids are secrets");
  });
}

Deno.test("session: a carrier without a HELLO is refused in time, with code 6", async () => {
  await using rig = new Rig({ helloTimeout: 20 });
  const peer = rig.carrier();
  const frame = await next(peer);
  assert(frame?.type === FrameType.REFUSED && frame.code === SessionCode.TIMEOUT);
});

Deno.test("session: one session too many is refused, those without a carrier count", async () => {
  await using rig = new Rig({ maxSessions: 1 });
  const first = rig.carrier(HELLO, "06 00000001");
  assertEquals((await next(first))?.type, FrameType.WELCOME);
  await first.close();
  assertEquals(rig.session!.status.state, "reconnecting");
  const frame = await next(rig.carrier(HELLO));
  assert(frame?.type === FrameType.REFUSED && frame.code === SessionCode.FULL);
  assertEquals(rig.acceptor.size, 1);
});

const RESET: Record<string, [frame: string, code: number]> = {
  "an unknown frame type": ["0b", SessionCode.TYPE],
  "an empty frame": ["", SessionCode.MALFORMED],
  "a second HELLO": [HELLO, SessionCode.UNEXPECTED],
  "a WELCOME": [`02 01 00 ${NO_ID} ${RESUME}`, SessionCode.UNEXPECTED],
  "a REFUSED": ["03 0001", SessionCode.UNEXPECTED],
  "a DRAIN": ["0a 676f", SessionCode.UNEXPECTED],
  "a gap": ["04 0000000000000001 61", SessionCode.GAP],
  "an end after a gap": ["08 0000000000000001 00 00000000", SessionCode.GAP],
  "DATA without bytes": ["04 0000000000000000", SessionCode.MALFORMED],
  "DATA without an offset": ["04 00000000", SessionCode.MALFORMED],
  "DATA beyond the credit": [`04 0000000000000000 ${"61".repeat(11)}`, SessionCode.CREDIT],
  "an acknowledgment of what was not sent": [
    "05 0000000000000001 0000000000000001",
    SessionCode.ACKNOWLEDGED,
  ],
  "an acknowledgment that is too long": [`05 ${"00".repeat(17)}`, SessionCode.MALFORMED],
  "a frame that is too large": [`04 ${"00".repeat(65_536)}`, SessionCode.TOO_LARGE],
  "a text that is not UTF-8": ["0a ff", SessionCode.MALFORMED],
  "a text that is too long": [`0a ${"61".repeat(1_001)}`, SessionCode.MALFORMED],
};

for (const [name, [bytes, code]] of Object.entries(RESET)) {
  Deno.test(`session: ${name} ends the session with code ${code}, at both ends`, async () => {
    await using rig = new Rig({ window: 10 });
    const peer = rig.carrier(HELLO, bytes);
    const welcome = await next(peer);
    assert(welcome?.type === FrameType.WELCOME);
    const error = await assertRejects(() => rig.session!.receive(), SessionLostError);
    assert(error.cause instanceof SessionProtocolError);
    assertEquals([error.code, error.cause.code], [code, code]);
    const reset = await answer(peer);
    assert(reset?.type === FrameType.RESET, `${reset?.type}`);
    assertEquals(reset.code, code);
    await peer.close();
    assertEquals((await rig.session!.closed).error, error);
    assertEquals(rig.acceptor.size, 0);
    assertEquals(rig.session!.status, { state: "lost", error });
  });
}

Deno.test("session: bytes after the end, and another end, are errors; the same end is none", async () => {
  for (const late of ["04 0000000000000000 61", "08 0000000000000000 00 00000000"]) {
    await using rig = new Rig();
    const end = "08 0000000000000001 00 00000000";
    const peer = rig.carrier(
      HELLO,
      "04 0000000000000000 61",
      end,
      end,
      "04 0000000000000001 62",
    );
    assertEquals((await next(peer))?.type, FrameType.WELCOME);
    const reset = await answer(peer);
    assert(reset?.type === FrameType.RESET && reset.code === SessionCode.ENDED, late);
  }
});

Deno.test("session: replayed bytes are skipped", async () => {
  await using rig = new Rig();
  // The framing's header and "ab", in overlapping pieces.
  const peer = rig.carrier(
    HELLO,
    "04 0000000000000000 00000002 61",
    "04 0000000000000000 00000002 61",
    "04 0000000000000003 02 61 62",
    "04 0000000000000000 00",
  );
  assertEquals((await next(peer))?.type, FrameType.WELCOME);
  assertEquals(await rig.session!.receive(), hex("6162"));
  assertEquals(rig.session!.stats.bytesReceived, 6);
});

Deno.test("session: a flood of PINGs is answered only as fast as the peer reads", async () => {
  await using rig = new Rig();
  const pings = Array.from({ length: 20_000 }, (_, i) => `06 ${i.toString(16).padStart(8, "0")}`);
  const peer = rig.carrier(HELLO, ...pings);
  assertEquals((await next(peer))?.type, FrameType.WELCOME);
  let last: Frame | undefined;
  do last = await answer(peer); while (last?.type === FrameType.PONG && last.token !== 19_999);
  assertEquals(last, { type: FrameType.PONG, token: 19_999 });
  assertEquals(rig.session!.state, "open");
});

Deno.test("session: a peer that breaks the rules costs it, and the messages are told", async () => {
  await using rig = new Rig();
  const peer = rig.carrier(HELLO);
  assertEquals((await next(peer))?.type, FrameType.WELCOME);
  rig.session!.send("one");
  rig.session!.send("two");
  assertEquals((await answer(peer))?.type, FrameType.DATA);
  peer.send(hex("63"));
  const { error } = await rig.session!.closed;
  assert(error instanceof SessionLostError && error.cause instanceof SessionProtocolError);
  assertMatch(
    error.message,
    /^Cannot go on with session to .*: the peer broke the protocol: cannot/,
  );
  const texts = error.unacknowledged.map((message) => new TextDecoder().decode(message));
  assertEquals(texts, ["one", "two"]);
});

/** HELLO for a session that is there. */
function again(id: string, received: number, attempt: number): string {
  const [offset, number] = [received.toString(16).padStart(16, "0"), `0000000${attempt}`];
  return `01 4c575350 01 ${id} ${offset} 0000000000100000 0001d4c0 ${number}`;
}

/** A session that goes on over the second carrier, by its client's third attempt. */
async function resumed(rig: Rig): Promise<{ id: string; peer: Connection }> {
  const first = rig.carrier(HELLO, "04 0000000000000000 00000001 61");
  const welcome = await next(first);
  assert(welcome?.type === FrameType.WELCOME);
  assertEquals(await rig.session!.receive(), hex("61"));
  rig.session!.send("one");
  assertEquals((await answer(first))?.type, FrameType.DATA);
  const peer = rig.carrier(again(welcome.id, 7, 3));
  const resumed = await next(peer);
  assert(resumed?.type === FrameType.WELCOME && resumed.received === 5);
  return { id: welcome.id, peer };
}

const UNFIT: Record<string, [received: number, attempt: number, code: number]> = {
  "that comes too late": [0, 2, SessionCode.STALE],
  "that comes twice": [7, 3, SessionCode.STALE],
  "that takes back what was acknowledged": [6, 4, SessionCode.ACKNOWLEDGED],
  "that acknowledges what was never sent": [8, 4, SessionCode.ACKNOWLEDGED],
};

for (const [name, [received, attempt, code]] of Object.entries(UNFIT)) {
  Deno.test(`session: a HELLO ${name} is refused for its carrier alone`, async () => {
    await using rig = new Rig();
    const { id, peer } = await resumed(rig);
    const refused = await next(rig.carrier(again(id, received, attempt)));
    assert(refused?.type === FrameType.REFUSED, `${refused?.type}`);
    assertEquals(refused.code, code);
    rig.session!.send("two");
    const data = await answer(peer);
    assert(data?.type === FrameType.DATA && data.offset === 7);
    assertEquals([rig.session!.stats.resumes, rig.session!.status.state], [1, "connected"]);
    // The next attempt is welcome.
    assertEquals((await next(rig.carrier(again(id, 7, 5))))?.type, FrameType.WELCOME);
  });
}

/** A client whose server is the test: it answers each HELLO with these frames. */
function client(...answers: string[][]) {
  return clientWith({}, ...answers);
}

function clientWith(
  options: { signal?: AbortSignal; session?: SessionOptions },
  ...answers: string[][]
) {
  const servers: Connection[] = [];
  const dial = () => {
    const [near, far] = memoryPair().map((transport) => new Connection(transport));
    servers.push(far);
    for (const frame of answers.shift() ?? []) far.send(hex(frame));
    return Promise.resolve(near);
  };
  const opening = openSession({
    dial,
    settings: options.signal === undefined ? {} : { signal: options.signal },
    session: { retry: () => 1, helloTimeout: 1_000, ...options.session },
    name: "memory:test",
  });
  return {
    servers,
    opening,
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}

const ID = "0123456789abcdef0123456789abcdef";
const WELCOME = `02 01 00 ${ID} ${RESUME}`;

Deno.test("openSession() rejects with what the server refused, and whether a retry may help", async () => {
  for (const [code, isRetriable] of [[1, false], [3, false], [4, true], [5, true]] as const) {
    await using refused = client([`03 000${code} 6e6f`]);
    const error = await assertRejects(
      () => refused.opening,
      SessionRefusedError,
      "the server refused it: no",
    );
    assertEquals([error.code, error.isRetriable], [code, isRetriable]);
  }
});

Deno.test("openSession() rejects for a server that talks something else", async () => {
  for (const frame of ["6869", "", "04 0000000000000000 61", `02 02 00 ${ID} ${RESUME}`]) {
    await using strange = client([frame]);
    const error = await assertRejects(() => strange.opening);
    assert((error as Error).cause instanceof SessionProtocolError, `${error}`);
  }
});

Deno.test("session: a carrier to someone else does not end it; a server that forgot it does", async () => {
  const wrong = `02 01 01 ${"ff".repeat(16)} ${RESUME}`;
  await using rig = client([WELCOME], ["6869"], [wrong], ["03 0002 676f6e65"]);
  const { servers } = rig;
  const session = await rig.opening;
  session.send("precious");
  await session.states().next();
  servers[0].abort();
  const error = await assertRejects(() => session.receive(), SessionLostError, "refused it: gone");
  assertEquals(error.code, SessionCode.UNKNOWN);
  assertEquals(error.unacknowledged, [new TextEncoder().encode("precious")]);
  assertEquals(servers.length, 4);
  const { clean, undeliveredBytes } = await session.closed;
  assertEquals({ clean, undeliveredBytes }, { clean: false, undeliveredBytes: 12 });
  assertEquals(session.status.state, "lost");
});

Deno.test("openSession() rejects with its signal's reason while the server does not answer", async () => {
  const controller = new AbortController();
  await using rig = clientWith({ signal: controller.signal }, []);
  assertEquals((await next(rig.servers[0]))?.type, FrameType.HELLO);
  const reason = new Error("no more patience");
  controller.abort(reason);
  assertEquals(await rig.opening.catch((error) => error), reason);
});

Deno.test("openSession() says that the server did not answer", async () => {
  await using rig = clientWith({ session: { helloTimeout: 20 } }, []);
  const error = await assertRejects(() => rig.opening, ConnectError);
  assertEquals(
    error.message,
    "Cannot open session to memory:test: cannot use carrier: no WELCOME came within 20 ms",
  );
});

Deno.test("session: its end comes also while a carrier waits for its answer", async () => {
  await using rig = clientWith({ session: { retentionTime: 30 } }, [WELCOME], []);
  const session = await rig.opening;
  session.send("precious");
  rig.servers[0].abort();
  const { error } = await session.closed;
  assert(error instanceof SessionLostError && error.code === SessionCode.EXPIRED);
  assertEquals(error.unacknowledged.length, 1);
  assertEquals(rig.servers.length, 2);
});

Deno.test("Session.abort() ends a session whose peer is silent, a second later", async () => {
  await using rig = client([WELCOME]);
  const session = await rig.opening;
  const start = performance.now();
  session.abort();
  await session.closed;
  assertLess(performance.now() - start, 20_000);
  let last: Frame | undefined;
  for (let frame; (frame = await next(rig.servers[0])) !== undefined;) last = frame;
  assert(last?.type === FrameType.RESET && last.code === SessionCode.ABORTED);
});

Deno.test("Session.drain() is for servers", async () => {
  await using rig = client([WELCOME]);
  const session = await rig.opening;
  await assertRejects(
    async () => await session.drain("go"),
    TypeError,
    "Cannot drain session: only a server can",
  );
  assertEquals(session.status.state, "connected");
  session.abort();
  await session.closed;
});
