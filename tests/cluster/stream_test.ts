/** Streams between servers of a cluster: how much is on the way, what breaks them, and their messages. */

import { assertEquals, assertRejects } from "@std/assert";
import {
  decodeOpening,
  decodeStreamMessage,
  encodeOpening,
  encodeStreamMessage,
  Kind,
} from "../../cluster/messages.ts";
import { RelayStream } from "../../cluster/stream.ts";
import { turn } from "../support/fake_transport.ts";

const KIB = 1024;
const ID = "00112233445566ff";

/** What a stream has said. */
interface Said {
  readonly kind: Kind;
  readonly number: number;
  readonly body: Uint8Array;
}

/** One end, and what it says, which reaches the other end only by hand. */
class End {
  readonly said: Said[] = [];
  isOver = false;
  readonly stream: RelayStream;

  constructor(maxBytes = 1e6) {
    const none = new Uint8Array(0);
    this.stream = new RelayStream({
      maxBytes,
      say: (kind, number, body = none) => this.said.push({ kind, number, body: body.slice() }),
      room: () => undefined,
      over: () => this.isOver = true,
    }, "192.0.2.1:1");
  }

  /** Brings what was said to the other end. */
  bringTo({ stream }: End): void {
    for (const { kind, number, body } of this.said.splice(0)) stream.hear(kind, number, body);
  }

  get kinds(): Kind[] {
    return this.said.map(({ kind }) => kind);
  }
}

/** Writes as much as is taken without waiting. */
async function fill({ stream }: End): Promise<number> {
  let bytes = 0;
  for (;;) {
    const written = stream.write(new Uint8Array(64 * KIB));
    written.catch(() => {});
    const taken = await Promise.race([written, turn().then(() => turn())]);
    if (typeof taken !== "number") return bytes;
    bytes += taken;
  }
}

Deno.test("RelayStream has at most 256 KiB on the way, and goes on when they were read", async () => {
  const [near, far] = [new End(), new End()];
  assertEquals(await fill(near), 256 * KIB);
  near.bringTo(far);
  assertEquals(far.said, []); // Nothing was read.
  await far.stream.read();
  assertEquals(far.kinds, [Kind.CREDIT]);
  far.bringTo(near);
  await turn();
  assertEquals(near.kinds, [Kind.DATA]); // The one that waited.
  near.stream.close();
});

Deno.test("RelayStream cuts what is too large for the backplane", async () => {
  const near = new End(1_000);
  assertEquals(await near.stream.write(new Uint8Array(5_000)), 1_000);
  assertEquals(near.said[0].body.length, 1_000);
  near.stream.close();
});

Deno.test("RelayStream brings both directions to their end, and is over then", async () => {
  const [near, far] = [new End(), new End()];
  await near.stream.write(Uint8Array.of(1, 2));
  await near.stream.closeWrite();
  near.bringTo(far);
  assertEquals(await far.stream.read(), Uint8Array.of(1, 2));
  assertEquals(await far.stream.read(), undefined);
  assertEquals([near.isOver, far.isOver], [false, false]);
  await far.stream.closeWrite();
  far.bringTo(near);
  assertEquals(await near.stream.read(), undefined);
  assertEquals([near.isOver, far.isOver], [true, true]);
  await assertRejects(() => near.stream.write(Uint8Array.of(3)), Deno.errors.BrokenPipe);
  near.stream.close();
  assertEquals(near.said, []); // There is nobody to tell.
});

Deno.test("RelayStream breaks when something is missing, comes again, or is beyond what is allowed", async () => {
  const wrong: [what: string, kind: Kind, number: number, bytes: number][] = [
    ["a gap", Kind.DATA, 2, 1],
    ["again", Kind.DATA, 0, 1],
    ["too much", Kind.DATA, 1, 256 * KIB + 1],
    ["an end behind a gap", Kind.END, 3, 0],
    ["credit for what was not written", Kind.CREDIT, 1, 0],
  ];
  for (const [what, kind, number, bytes] of wrong) {
    const end = new End();
    const reading = end.stream.read();
    end.stream.hear(kind, number, new Uint8Array(bytes));
    await assertRejects(() => reading, Deno.errors.ConnectionReset, "broke");
    assertEquals([end.kinds, end.isOver], [[Kind.ABORT], true], what);
    // It says and hears nothing more.
    end.stream.hear(Kind.DATA, 1, new Uint8Array(1));
    await assertRejects(() => end.stream.write(new Uint8Array(1)), Deno.errors.BrokenPipe);
    end.stream.close();
    assertEquals(end.kinds, [Kind.ABORT], what);
  }
  const end = new End();
  const reading = end.stream.read();
  end.stream.hear(Kind.ABORT, 0, new Uint8Array(0));
  await assertRejects(() => reading, Deno.errors.ConnectionReset);
  assertEquals([end.said, end.isOver], [[], true]);
});

Deno.test("RelayStream that closes wakes who waits to write", async () => {
  const near = new End();
  await fill(near);
  const waiting = near.stream.write(new Uint8Array(1));
  near.stream.close();
  await assertRejects(() => waiting, Deno.errors.BrokenPipe);
});

Deno.test("Messages of streams come out as they went in, and what is none is undefined", () => {
  for (const kind of Object.values(Kind)) {
    for (const number of [0, 1, 127, 128, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
      const body = new Uint8Array(kind * 3).fill(number % 251);
      const bytes = encodeStreamMessage(kind, ID, number, body);
      assertEquals(decodeStreamMessage(bytes), { kind, stream: ID, number, body });
      for (let cut = 0; cut <= 10; cut++) {
        assertEquals(decodeStreamMessage(bytes.subarray(0, cut)), undefined);
      }
    }
  }
  const good = encodeStreamMessage(Kind.DATA, ID, 1);
  for (const [at, value] of [[0, 0], [0, 2], [1, 0], [1, 6]]) {
    assertEquals(decodeStreamMessage(Object.assign(good.slice(), { [at]: value })), undefined);
  }
  const endless = new Uint8Array(30).fill(255);
  endless.set([1, Kind.DATA]);
  assertEquals(decodeStreamMessage(endless), undefined);
});

Deno.test("Openings come out as they went in, and what is none is undefined", async () => {
  const opening = {
    from: "0123456789",
    remote: "192.0.2.1:1",
    endpoint: "tcp://127.0.0.1:1",
    peer: undefined,
    user: { id: "ada", roles: ["a"] },
  };
  assertEquals(decodeOpening(encodeOpening(opening)), opening);
  await assertRejects(
    async () => await encodeOpening({ ...opening, user: "x".repeat(70_000) }),
    RangeError,
    "limit is 65536",
  );
  const wrong: unknown[] = [
    1,
    null,
    [],
    {},
    { ...opening, from: "012345678" },
    { ...opening, from: "012345678G" },
    { ...opening, remote: 1 },
    { ...opening, endpoint: "x".repeat(1_001) },
    { ...opening, peer: {} },
    { ...opening, peer: null },
  ];
  for (const value of wrong) {
    const bytes = new TextEncoder().encode(JSON.stringify(value));
    assertEquals(decodeOpening(bytes), undefined, JSON.stringify(value));
  }
  assertEquals(decodeOpening(Uint8Array.of(255)), undefined);
});
