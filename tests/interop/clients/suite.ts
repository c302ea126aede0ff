/**
 * The tests of the clients in other languages. Each language has a driver with these commands:
 *
 * - `echo ENDPOINT COUNT [TOKEN]` sends numbered messages, checks that they come back, closes with
 *   code 4001, and says `ok COUNT RESUMES`;
 * - `requests ENDPOINT` has handlers, asks the server for everything that one can ask, says what it
 *   got, tells the server that it is done, and stays until the server ends;
 * - `room ENDPOINT NAME COUNT` asks to `enter` a room under a name, notifies it that it `say`s so, and prints
 *   the COUNT notifications `said` that it hears, as JSON;
 * - `fail ENDPOINT [requests]` says with which error the conversation ends.
 *
 * Over `tls://` they trust the authorities in the PEM file that `CA` of their environment names.
 */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { delay } from "@std/async/delay";
import { RequestError, requests } from "../../../request.ts";
import type { Connection } from "../../../connection.ts";
import { listen } from "../../../server.ts";
import type { Session } from "../../../session.ts";
import { hex } from "../../support/bytes.ts";
import { certificates, type Pair } from "../../support/certificates.ts";
import { CuttingProxy } from "../../support/cutting_proxy.ts";
import { compiled, type Peer, Program, testWith } from "../peers.ts";

const { ca, otherCa, good, chain, elsewhere, expired } = await certificates;
const SESSION = { heartbeatInterval: 150, heartbeatTimeout: 250 };

/** What a client can do. */
export interface Abilities {
  /** Whether it knows Unix sockets. @default true */
  readonly unix?: boolean;
  /** By which name it reaches a server over TLS. @default "127.0.0.1" */
  readonly tlsHost?: string;
}

/** Defines all tests of one client. Its driver's errors carry the language's own class names. */
export async function testClient(client: Peer, abilities: Abilities = {}): Promise<void> {
  const { unix = true, tlsHost = "127.0.0.1" } = abilities;
  const name = `The client in ${client.name}`;
  const start = async (...args: string[]) =>
    new Program([...client.command(await compiled(client)), ...args]);
  const test = (what: string, fn: () => Promise<void>) => testWith(client, `${name} ${what}`, fn);

  for (const framing of client.framings) {
    await test(`gets back what it sends, with framing ${framing}`, async () => {
      await using server = await listen(`tcp://127.0.0.1:0?framing=${framing}`, echo);
      await using program = await start("echo", server.endpoints[0], "1500");
      assertEquals(await program.ended, { code: 0, stdout: "ok 1500 0\n", stderr: "" });
    });
  }

  const road = unix ? "a Unix socket" : "TCP";
  await test(`gets back what it sends over ${road}, with a token`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      const endpoint = unix ? `unix:${folder}/socket` : "tcp://127.0.0.1:0";
      await using server = await listen(endpoint, { token: "secret" }, echo);
      await using program = await start("echo", server.endpoints[0], "100", "secret");
      assertEquals(await program.ended, { code: 0, stdout: "ok 100 0\n", stderr: "" });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });

  for (const [framing, darkShare] of [["u32be", 0], ["varint", 0.2]] as const) {
    const kind = darkShare === 0 ? "cuts" : "cuts that nobody is told of";
    await test(`loses and doubles nothing of a session over many ${kind}`, async () => {
      const count = darkShare === 0 ? 6000 : 2000;
      const [received, ended] = [[] as Uint8Array[], Promise.withResolvers<unknown>()];
      await using server = await listen(
        `tcp://127.0.0.1:0?framing=${framing}&session=1`,
        { session: SESSION, token: "secret" },
        async (connection) => {
          connection.closed.then(({ code, reason }) => ended.resolve([code, reason]));
          for await (const message of connection) {
            received.push(message.slice());
            await connection.send(message);
          }
        },
      );
      await using proxy = new CuttingProxy({
        port: Number(new URL(server.endpoints[0]).port),
        seed: 11,
        cuts: darkShare === 0 ? 100 : 12,
        meanBytes: darkShare === 0 ? 60_000 : 120_000,
        darkShare,
        chopShare: 0.02,
        maxDelay: 1,
      });
      const endpoint = `tcp://127.0.0.1:${proxy.port}?framing=${framing}&session=1`;
      await using program = await start("echo", endpoint, `${count}`, "secret");
      const { code, stdout, stderr } = await program.ended;
      assertEquals([code, stderr], [0, ""], stdout);
      assertMatch(stdout, new RegExp(`^ok ${count} \\d+\n$`));
      const resumes = Number(stdout.split(" ")[2]);
      assert(proxy.cuts >= (darkShare === 0 ? 50 : 5), `${proxy.cuts} cuts`);
      assert(resumes >= proxy.cuts / 2, `${resumes} resumes, ${proxy.cuts} cuts`);
      assertEquals(received.length, count);
      const first = received.findIndex((message, i) => !startsWith(message, `${i}:`));
      assertEquals(first, -1);
      assertEquals(await ended.promise, [4001, "done"]);
    });
  }

  for (const session of [0, 1]) {
    const over = session ? "a session" : "a connection";
    await test(`asks and answers over ${over}, streams both ways, and tells errors`, async () => {
      const asked = Promise.withResolvers<void>();
      asked.promise.catch(() => {}); // It is looked at behind what the client says.
      await using server = await listen(
        `tcp://127.0.0.1:0?session=${session}`,
        { maxMessageBytes: 16 * 2 ** 20 },
        (connection) => answer(connection, asked),
      );
      await using program = await start("requests", server.endpoints[0]);
      const { code, stdout, stderr } = await program.ended;
      assertEquals([code, stderr], [0, ""], stdout);
      assertEquals(stdout.trimEnd().split("\n"), ANSWERS);
      await asked.promise;
    });
  }

  for (const session of [0, 1]) {
    const over = session ? "a session" : "a connection";
    await test(`closes requests over ${over} in order`, async () => {
      const ended = Promise.withResolvers<unknown>();
      await using server = await listen(`tcp://127.0.0.1:0?session=${session}`, (connection) => {
        const peer = requests<{ said(text: string): void }>(connection, {
          enter: () => {},
          say: (text: string) => peer.notify("said", text),
        });
        peer.closed.then(({ clean, error }) => ended.resolve([clean, error]));
        return peer.closed.then(() => {});
      });
      await using program = await start("room", server.endpoints[0], "Ada", "1");
      const { code, stdout, stderr } = await program.ended;
      assertEquals([code, stderr, stdout], [0, "", '["I am Ada"]\n']);
      assertEquals(await ended.promise, [true, undefined]);
    });
  }

  /** Starts it with a folder of its own, which has the authority that it trusts. */
  const startTls = async (trusted: Pair, how: string, endpoint: string, ...args: string[]) => {
    const folder = await Deno.makeTempDir();
    await Deno.writeTextFile(`${folder}/ca.pem`, trusted.cert);
    const reached = endpoint.replace("127.0.0.1", tlsHost);
    const command = [...client.command(await compiled(client)), how, reached, ...args];
    const program = new Program(["env", `CA=${folder}/ca.pem`, ...command]);
    return {
      ended: program.ended,
      async [Symbol.asyncDispose]() {
        await program[Symbol.asyncDispose]();
        await Deno.remove(folder, { recursive: true });
      },
    };
  };

  for (const [issuer, tls] of [["the authority", good], ["an intermediate", chain]] as const) {
    await test(`gets back what it sends over TLS, certified by ${issuer}`, async () => {
      await using server = await listen("tls://127.0.0.1:0", { tls, token: "secret" }, echo);
      await using program = await startTls(ca, "echo", server.endpoints[0], "1500", "secret");
      assertEquals(await program.ended, { code: 0, stdout: "ok 1500 0\n", stderr: "" });
    });
  }

  await test("loses and doubles nothing of a session over TLS and cuts", async () => {
    const [received, ended] = [[] as Uint8Array[], Promise.withResolvers<void>()];
    await using server = await listen(
      "tls://127.0.0.1:0?session=1",
      { session: SESSION, tls: good },
      async (connection) => {
        for await (const message of connection) {
          received.push(message.slice());
          await connection.send(message);
        }
        ended.resolve(); // Not `closed`: Mono ends TLS without a word, and may come again.
      },
    );
    const port = Number(new URL(server.endpoints[0]).port);
    await using proxy = new CuttingProxy({ port, seed: 5, cuts: 6, meanBytes: 100_000 });
    const endpoint = `tls://127.0.0.1:${proxy.port}?session=1`;
    await using program = await startTls(ca, "echo", endpoint, "1200");
    const { code, stdout, stderr } = await program.ended;
    assertEquals([code, stderr], [0, ""], stdout);
    assertMatch(stdout, /^ok 1200 \d+\n$/);
    const resumes = Number(stdout.split(" ")[2]);
    assert(resumes > 0 && proxy.cuts > 1, `${resumes} resumes, ${proxy.cuts} cuts`);
    assertEquals(received.length, 1200);
    assertEquals(received.findIndex((message, i) => !startsWith(message, `${i}:`)), -1);
    await ended.promise;
  });

  const distrusted: [what: string, trusted: Pair, tls: Pair, expected: RegExp][] = [
    ["of an unknown issuer", otherCa, good, /issuer|authority/],
    ["for another name", ca, elsewhere, new RegExp(RegExp.escape(tlsHost))],
    ["that is over", ca, expired, /expired/],
  ];
  for (const [what, trusted, tls, expected] of distrusted) {
    await test(`refuses a certificate ${what}`, async () => {
      for (const query of ["", "?session=1"]) {
        const handled: unknown[] = [];
        await using server = await listen(
          `tls://127.0.0.1:0${query}`,
          { tls },
          (connection) => void handled.push(connection),
        );
        await using program = await startTls(trusted, "fail", server.endpoints[0]);
        const { code, stdout, stderr } = await program.ended;
        assertEquals([code, stderr], [0, ""], stdout);
        assertMatch(stdout, /^ConnectError 0 Cannot connect.*certificate/);
        assertMatch(stdout, expected);
        assertEquals(handled, []);
      }
    });
  }

  await test("tells that a server does not speak TLS", async () => {
    await using server = new Raw(frame(text("* Welcome")), "asked");
    const endpoint = server.endpoint.replace("tcp:", "tls:");
    await using program = await startTls(ca, "fail", endpoint);
    const { code, stdout, stderr } = await program.ended;
    assertEquals([code, stderr], [0, ""], stdout);
    assertMatch(stdout, /^ConnectError 0 Cannot connect/);
  });

  const refusals: [what: string, session: number, bytes: string, expected: RegExp, how?: string][] =
    [
      [
        "a server that refuses",
        1,
        frame("030002" + text("no such session")),
        /Refused\w* 2 .*no such/,
      ],
      ["a server of another version", 1, frame("0202" + "00".repeat(38)), /version/],
      [
        "a server that knows no sessions",
        1,
        frame(text("* Welcome")),
        /does not speak of sessions/,
      ],
      [
        "a server that requests of another version",
        0,
        frame("004c57525102"),
        /version/,
        "requests",
      ],
      ["a server that knows no requests", 0, frame(text("* Welcome")), /HELLO/, "requests"],
      ["a message that is too large", 0, "7fffffff", /Large.* message of 2147483647 bytes/],
      ["a message that is cut", 0, "0000000a" + text("cut"), /Lost.* within it/],
      ["an empty stream", 0, "", /^no error/],
    ];
  for (const [what, session, bytes, expected, how = "plain"] of refusals) {
    await test(`tells of ${what}`, async () => {
      await using server = new Raw(bytes, session ? "asked" : "first");
      await using program = await start("fail", `${server.endpoint}?session=${session}`, how);
      const { code, stdout, stderr } = await program.ended;
      assertEquals([code, stderr], [0, ""], stdout);
      assertMatch(stdout, expected);
    });
  }

  await test("tells that nobody listens", async () => {
    const port = await using(new Raw(""), (server) => server.endpoint);
    for (const query of ["", "?session=1"]) {
      await using program = await start("fail", `${port}${query}`);
      assertMatch((await program.ended).stdout, /^ConnectError 0 Cannot connect/);
    }
  });

  await test("tells that its token is missing", async () => {
    await using server = await listen("tcp://127.0.0.1:0?session=1", { token: "secret" }, echo);
    await using program = await start("fail", server.endpoints[0]);
    assertMatch((await program.ended).stdout, /Refused\w* 18 .*token/);
  });

  const wrongs: [what: string, frames: string[], code: number][] = [
    ["leaves a gap", ["04" + "0000000000000009" + "61"], 11],
    ["acknowledges what was never sent", ["05" + "0000000000000009" + "0000000000100000"], 12],
    ["sends a type that there is not", ["0b00"], 8],
    ["sends a frame that is too short", ["0600"], 7],
    ["sends a second greeting", ["0201" + "00".repeat(37)], 9],
    ["goes on after its end", ["08" + "00".repeat(13), "04" + "00".repeat(8) + "61"], 14],
    ["sends a number above 2^53", ["04" + "0020000000000000" + "61"], 7],
  ];
  for (const [what, frames, code] of wrongs) {
    await test(`resets the session when the server ${what}`, async () => {
      await using server = new Raw(frame(WELCOME) + frames.map(frame).join(""), "asked, and stays");
      await using program = await start("fail", `${server.endpoint}?session=1`);
      const { stdout } = await program.ended;
      assertMatch(stdout, /^(?!no error)./);
      const reset = frame(`0900${code.toString(16).padStart(2, "0")}`).slice(8);
      assert((await server.received).includes(reset), await server.received + stdout);
    });
  }

  await test("speaks as docs/requests.md says, and reads over a trace context", async () => {
    const page = await Deno.readTextFile(new URL("../../../docs/requests.md", import.meta.url));
    const said = [...page.matchAll(/^([AB])> ((?:[0-9a-f]{2} )*[0-9a-f]{2})(?: {2}|$)/gm)];
    const [hello, , add] = said.map(([_, __, bytes]) => bytes.replaceAll(" ", ""));
    const traced = said.findIndex(([_, end, bytes]) => end === "A" && bytes.startsWith("34 08"));
    const [request, response] = said.slice(traced, traced + 2).map(([_, __, bytes]) =>
      bytes.replaceAll(" ", "")
    );
    const received = Promise.withResolvers<string[]>();
    await using server = await listen("tcp://127.0.0.1:0", async (connection) => {
      for (const message of [hello, request]) await connection.send(hex(message));
      const messages: string[] = [];
      while (messages.length < 3) messages.push((await connection.receive())!.toHex());
      received.resolve(messages);
    });
    await using _program = await start("requests", server.endpoints[0]);
    const [first, ...others] = await received.promise;
    // Its HELLO lacks the last byte: it understands no trace contexts.
    assertEquals(first, hello.slice(0, -2));
    assertEquals(others.toSorted(), [add, response].toSorted());
  });

  await test("sends the HELLO of docs/protocol.md", async () => {
    const page = await Deno.readTextFile(new URL("../../../docs/protocol.md", import.meta.url));
    const hello = /^C> ((?:[0-9a-f]{2} )+) +HELLO: a new session/m.exec(page)![1];
    await using server = new Raw(frame("030002"), "asked");
    await using program = await start("fail", `${server.endpoint}?session=1`);
    await program.ended;
    assertEquals(await server.received, frame(hello.replaceAll(" ", "")));
  });
}

/** Tests the example in README.md. `prepare` writes it into a folder, and says how it is run. */
export async function testExample(
  client: Peer,
  language: string,
  prepare: (folder: string, code: string) => Promise<string[]>,
): Promise<void> {
  await testWith(client, `README.md's example of the client in ${client.name} runs`, async () => {
    const readme = await Deno.readTextFile(new URL("../../../README.md", import.meta.url));
    const blocks = [...readme.matchAll(new RegExp(`^\`\`\`${language}\n([^\`]*)^\`\`\`$`, "gm"))];
    const code = blocks.map(([_, code]) => code).find((code) => code.includes("7000?session=1"))!;
    const folder = await Deno.makeTempDir();
    try {
      await using server = await listen("tcp://127.0.0.1:0?session=1", echo);
      const port = new URL(server.endpoints[0]).port;
      await using program = new Program(await prepare(folder, code.replace("7000", port)));
      const stdout = "whatever happens to the network\n";
      assertEquals(await program.ended, { code: 0, stdout, stderr: "" });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

const WELCOME = "020100" + "0123456789abcdef".repeat(2) + "00".repeat(8) + "0000000000100000" +
  "0001d4c0";

/** What `requests` says. */
const ANSWERS = [
  "add 3",
  "nothing null",
  "same 0102ff",
  "text grüße 漢字",
  "large 3000000",
  "unknown-method Cannot answer nope: there is no such method null",
  'sad no way {"why":1}',
  "internal Cannot answer crash: its handler failed null",
  "timeout",
  "wrong-kind Cannot answer count: it gives a stream, use stream() null",
  "wrong-kind Cannot answer add: it gives one value, use request() null",
  "count 125250",
  "total 2100",
  'logged ["hi"]',
  "many 2001000",
  "cancelled 2",
  "over",
];

/** The server's side of `requests`: answers, and asks the same of the client. */
async function answer(
  connection: Connection | Session,
  asked: PromiseWithResolvers<void>,
): Promise<void> {
  let cancelled = 0;
  const logged: unknown[] = [];
  const done = Promise.withResolvers<void>();
  const until = (signal: AbortSignal) =>
    new Promise<never>((_, reject) =>
      signal.addEventListener("abort", () => {
        cancelled++;
        reject(signal.reason);
      }, { once: true })
    );
  // deno-lint-ignore no-explicit-any
  const peer = requests<any, any>(connection, {
    // deno-lint-ignore no-explicit-any
    add: ({ a, b }: any) => a + b,
    nothing() {},
    same: (value: unknown) => value,
    fail() {
      throw new RequestError("sad", "no way", { data: { why: 1 } });
    },
    crash() {
      throw new Error("secret");
    },
    wait: (_: unknown, { signal }: { signal: AbortSignal }) => until(signal),
    // deno-lint-ignore no-explicit-any
    async *count({ to }: any) {
      try {
        for (let n = 1; n <= to; n++) yield n;
      } finally {
        if (to === 1_000_000) cancelled++;
      }
    },
    async total(_: unknown, { items }: { items: AsyncIterable<unknown> }) {
      let total = 0;
      for await (const item of items) total += (item as Uint8Array).length;
      return total;
    },
    log: (text: unknown) => void logged.push(text),
    logged: () => logged,
    cancelled: () => cancelled,
    done: () => done.resolve(),
  }, { onError() {} });
  try {
    await ask(peer);
    asked.resolve();
  } catch (error) {
    asked.reject(error);
  }
  await done.promise;
  await peer.close();
}

// deno-lint-ignore no-explicit-any
async function ask(peer: any): Promise<void> {
  assertEquals(await peer.request("add", { a: 1, b: 2 }), 3);
  assertEquals(await peer.request("nothing"), undefined);
  assertEquals(await peer.request("null"), null);
  assertEquals(await peer.request("same", Uint8Array.of(1, 2, 255)), Uint8Array.of(1, 2, 255));
  assertEquals(await peer.request("same", "grüße 漢字"), "grüße 漢字");
  assertEquals((await peer.request("same", new Uint8Array(3_000_000))).length, 3_000_000);
  const code = async (promise: Promise<unknown>) =>
    (await assertRejects(() => promise, RequestError)).code;
  assertEquals(await code(peer.request("nope")), "unknown-method");
  const error = await assertRejects(() => peer.request("fail"), RequestError);
  assertEquals([error.code, error.message, error.data], ["sad", "no way", { why: 1 }]);
  assertEquals(await code(peer.request("crash")), "internal");
  assertEquals(await code(peer.request("count", { to: 3 })), "wrong-kind");
  assertEquals(await code(peer.stream("add", { a: 1, b: 2 }).next()), "wrong-kind");
  // A request that is cancelled before its handler runs cancels nothing.
  for (let tries = 0; await peer.request("cancelled") === 0; tries++) {
    assert(tries < 100, "the handler was not cancelled");
    assertEquals(await code(peer.request("wait", undefined, { timeout: 30 })), "timeout");
  }
  let sum = 0;
  for await (const n of peer.stream("count", { to: 500 })) sum += n;
  assertEquals(sum, 125_250);
  for await (const n of peer.stream("count", { to: 1_000_000 })) if (n === 3) break;
  const items = Array.from({ length: 700 }, (_, i) => new Uint8Array(i % 7));
  assertEquals(await peer.request("total", undefined, { items }), 2100);
  peer.notify("log", "hi");
  while ((await peer.request("logged")).length === 0) await delay(1);
  assertEquals(await peer.request("logged"), ["hi"]);
  const sums: number[] = await Promise.all(
    Array.from({ length: 2000 }, (_, i) => peer.request("add", { a: i, b: 1 })),
  );
  assertEquals(sums.reduce((a, b) => a + b), 2_001_000);
}

async function echo(connection: Connection | Session): Promise<void> {
  for await (const message of connection) await connection.send(message);
}

/** When a server says what it has to say. */
type Turn = "first" | "asked" | "asked, and stays";

/** A server that says something to the first client, and keeps what that says. */
class Raw implements AsyncDisposable {
  /** All that the client has said, in hex; resolves at its end. */
  readonly received: Promise<string>;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });

  constructor(bytes: string, turn: Turn = "first") {
    this.received = this.#serve(hex(bytes), turn).catch(() => "nobody came");
  }

  get endpoint(): string {
    return `tcp://127.0.0.1:${this.#listener.addr.port}`;
  }

  async #serve(bytes: Uint8Array, turn: Turn): Promise<string> {
    using conn = await this.#listener.accept();
    this.#listener.close();
    let received = "";
    try {
      if (turn === "first") await say();
      const chunk = new Uint8Array(1024);
      for (let read; (read = await conn.read(chunk)) !== null;) {
        if (received === "" && turn !== "first") await say();
        received += chunk.subarray(0, read).toHex();
      }
    } catch {
      // A client that ends at once may reset.
    }
    return received;

    async function say() {
      if (bytes.length > 0) await conn.write(bytes);
      if (turn !== "asked, and stays") await conn.closeWrite();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#listener.close();
    } catch {
      // It took its client.
    }
    await this.received;
  }
}

async function using<T extends AsyncDisposable, R>(resource: T, use: (resource: T) => R) {
  await using it = resource;
  return use(it);
}

/** The frame of a message in hex, with `u32be`. */
function frame(message: string): string {
  return (message.length / 2).toString(16).padStart(8, "0") + message;
}

function text(text: string): string {
  return new TextEncoder().encode(text).toHex();
}

function startsWith(message: Uint8Array, text: string): boolean {
  return new TextDecoder().decode(message.subarray(0, text.length)) === text;
}
