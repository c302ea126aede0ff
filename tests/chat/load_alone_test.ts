/** A thousand members in one room, and one that stops reading. */

import { assert, assertEquals, assertGreater, assertInstanceOf } from "@std/assert";
import { equals } from "@std/bytes";
import { Chat } from "../../chat.ts";
import type { ConnectionStats } from "../../connection.ts";
import { writeAll } from "../../internal/bytes.ts";
import { listen, type Server, SlowConsumerError, text } from "../../mod.ts";

const MEMBERS = 1_000;
/** Those who talk. Each says so many lines at once, and goes on when all have heard all. */
const SPEAKERS = 5;
const LINES_AT_ONCE = 2;
const WORDS = "x".repeat(900);
const TURNS = 12;
/** Far below the default, so that the test is over soon. */
const MAX_PENDING_BYTES = 192 * 1024;

/** What all are told, as far as anyone has been told it. Whoever is told something else fails the test. */
class Transcript {
  readonly lines: string[] = [];
  /** Messages that someone said. */
  said = 0;
  length = 0;
  #bytes = new Uint8Array(4 * 1024 * 1024);
  #rest = "";

  /** Someone was told this, and so much before; returns how much that is together. */
  add(before: number, told: Uint8Array): number {
    const known = told.subarray(0, this.length - before);
    const news = told.subarray(known.length);
    const same = this.#bytes.subarray(before, before + known.length);
    assert(equals(known, same), "two members were told different things");
    if (this.#bytes.length < this.length + news.length) this.#grow();
    this.#bytes.set(news, this.length);
    this.length += news.length;
    const lines = (this.#rest + new TextDecoder().decode(news)).split("\n");
    this.#rest = lines.pop()!;
    this.lines.push(...lines);
    this.said += lines.filter((line) => line.startsWith("guest-")).length;
    return before + told.length;
  }

  /** On a slow machine, much is said before the system's buffers are full. */
  #grow(): void {
    const bytes = new Uint8Array(2 * this.#bytes.length);
    bytes.set(this.#bytes);
    this.#bytes = bytes;
  }
}

/** Those who read, at bare sockets, so that they take as little of the machine as possible. */
class Crowd implements AsyncDisposable {
  readonly transcript = new Transcript();
  readonly #port: number;
  readonly #conns: Deno.TcpConn[] = [];
  readonly #reading: Promise<void>[] = [];
  #ready = 0;
  /** How much all together were told. */
  #told = 0;
  #news = () => {};
  #failure: unknown;

  constructor(port: number) {
    this.#port = port;
  }

  /** So many more come. What is told to them counts from a line that ends with `begin` on. */
  async grow(members: number, begin: string): Promise<void> {
    for (let i = 0; i < members; i += 100) {
      const conns = await Promise.all(
        Array.from({ length: Math.min(100, members - i) }, () => join(this.#port)),
      );
      this.#conns.push(...conns);
      this.#reading.push(...conns.map((conn) => this.#read(conn, `${begin}\n`)));
    }
  }

  /** One of them says something. */
  async say(member: number, ...lines: string[]): Promise<void> {
    await write(this.#conns[member], lines);
  }

  /** Waits until all have been told so many messages, and nothing that others were not. */
  async hear(said: number): Promise<void> {
    const { transcript } = this;
    const isTold = () =>
      this.#ready === this.#conns.length && transcript.said >= said &&
      this.#told === this.#ready * transcript.length;
    while (!isTold()) {
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => this.#news = resolve);
    }
  }

  async #read(conn: Deno.TcpConn, begin: string): Promise<void> {
    const chunk = new Uint8Array(64 * 1024);
    let greeting: string | undefined = "";
    let told = 0;
    try {
      for (let n; (n = await conn.read(chunk)) !== null;) {
        let news = chunk.subarray(0, n);
        if (greeting !== undefined) {
          greeting += new TextDecoder().decode(news);
          const at = greeting.indexOf(begin);
          if (at < 0) continue;
          news = new TextEncoder().encode(greeting.slice(at + begin.length));
          greeting = undefined;
          this.#ready++;
        }
        const before = told;
        told = this.transcript.add(before, news);
        this.#told += told - before;
        this.#news();
      }
      this.#failure ??= new Error("a member was disconnected");
    } catch (error) {
      if (!(error instanceof Deno.errors.Interrupted)) this.#failure ??= error;
    }
    this.#news();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const conn of this.#conns) conn.close();
    await Promise.all(this.#reading);
  }
}

/** Connects, and waits for the welcome. */
async function join(port: number): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  assertGreater(await conn.read(new Uint8Array(1024)), 0);
  return conn;
}

async function write(conn: Deno.TcpConn, lines: readonly string[]): Promise<void> {
  const all = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
  await writeAll(conn, all);
}

/** Makes the members talk in turns, and measures them. */
class Talk {
  readonly said: string[][] = Array.from({ length: SPEAKERS }, () => []);
  readonly #crowd: Crowd;
  #count = 0;

  constructor(crowd: Crowd) {
    this.#crowd = crowd;
  }

  /** One turn: everything that is said is heard by all. How long that took, in milliseconds. */
  async turn(): Promise<number> {
    const start = performance.now();
    const speaking = this.said.map((said, speaker) => {
      const lines = Array.from(
        { length: LINES_AT_ONCE },
        (_, i) => `${speaker} says ${said.length + i} ${WORDS}`,
      );
      said.push(...lines);
      this.#count += lines.length;
      return this.#crowd.say(speaker, ...lines);
    });
    await Promise.all(speaking);
    await this.#crowd.hear(this.#count);
    return performance.now() - start;
  }

  /** So many turns; the times of all. */
  async turns(count: number): Promise<number[]> {
    const times: number[] = [];
    for (let i = 0; i < count; i++) times.push(await this.turn());
    return times;
  }
}

/** Somebody who reads until it does not any more. */
class Slow implements Disposable {
  readonly #conn: Deno.TcpConn;
  readonly #reading: Promise<void>;
  #state: "reading" | "stopped" = "reading";

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    this.#reading = this.#read();
  }

  /** Stops, and asks for what the system has room for, until its messages wait in the server. */
  async stop(served: { readonly stats: ConnectionStats }): Promise<void> {
    this.#state = "stopped";
    while (served.stats.bufferedBytes === 0) {
      await write(this.#conn, ["/history 20"]);
      await new Promise((resolve) => setTimeout(resolve)); // lets the server work
    }
    await this.#reading;
  }

  async #read(): Promise<void> {
    const chunk = new Uint8Array(64 * 1024);
    while (this.#state === "reading") await this.#conn.read(chunk);
  }

  [Symbol.dispose](): void {
    this.#conn.close();
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/** A slow member comes, stops reading, and is dropped. How much of their throughput the others kept meanwhile. */
async function sufferSlow(server: Server<string>, port: number, talk: Talk): Promise<number> {
  const conn = await join(port);
  // Otherwise what it asks waits for acknowledgments, and arrives together, too much for one turn.
  conn.setNoDelay(true);
  using slow = new Slow(conn);
  const { hostname, port: slowPort } = conn.localAddr;
  const served = [...server.connections]
    .find(({ remote }) => remote === `${hostname}:${slowPort}`)!;
  const before = await talk.turns(TURNS);
  await slow.stop(served);
  const start = performance.now();
  const meanwhile: number[] = [];
  // Before anything waits here, the buffers of the system take some megabytes.
  while (served.state === "open" && performance.now() - start < 40_000) {
    meanwhile.push(await talk.turn());
  }
  assertEquals(served.state, "closed");
  assertInstanceOf((await served.closed).error, SlowConsumerError);
  assertGreater(meanwhile.length, TURNS / 2);
  const after = await talk.turns(TURNS);
  return Math.max(median(before), median(after)) / median(meanwhile);
}

Deno.test("Chat tells a thousand members the same, and drops one that stops reading, at little cost", async () => {
  using chat = new Chat({
    flood: { burst: 2 ** 31, perSecond: 2 ** 31 },
    announceAfter: 0,
  });
  await using server = await listen(
    "tcp://127.0.0.1:0?framing=line",
    { format: text(), maxPendingBytes: MAX_PENDING_BYTES },
    (connection) => chat.serve(connection),
  );
  const port = Number(/:(\d+)\?/.exec(server.endpoints[0])![1]);
  await using crowd = new Crowd(port);
  await crowd.grow(MEMBERS - 1, "now begin");
  await crowd.say(0, "now begin");
  await crowd.hear(0);

  const talk = new Talk(crowd);
  await talk.turns(TURNS / 2); // to warm up
  // Other work of the machine may slow down any of them, but not all three.
  let [kept, dropped] = [0, 0];
  for (; kept < 0.7 && dropped < 3; dropped++) kept = await sufferSlow(server, port, talk);
  assertGreater(kept, 0.7, `the others kept ${Math.round(kept * 100)} % of their throughput`);

  const { lines } = crowd.transcript;
  const texts = lines.filter((line) => line.startsWith("guest-"))
    .map((line) => line.replace(/^guest-\d+: /, ""));
  for (const [speaker, said] of talk.said.entries()) {
    assertEquals(texts.filter((text) => text.startsWith(`${speaker} `)), said);
  }
  assertEquals(texts.length, talk.said.flat().length);
  const left = lines.filter((line) => line.endsWith(` left. ${MEMBERS - 1} here.`));
  assertEquals(left.length, dropped);
});
