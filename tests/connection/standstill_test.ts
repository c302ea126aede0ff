/** A process that stood still blames nobody for it: what came meanwhile came in time. */

import { assertEquals } from "@std/assert";
import { connect, FrameTimeoutError, listen, requests } from "../../mod.ts";
import { RawPeer } from "../support/raw.ts";

const MOD = new URL("../../mod.ts", import.meta.url);
const OPTIONS = "frameTimeout: 300, writeTimeout: 300, handshakeTimeout: 300";
const wait = (delay: number) => new Promise((resolve) => setTimeout(resolve, delay));

/** A server in a process of its own, which can be stopped, and prints one line at a time. */
class Stoppable implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(options: string, handler: string) {
    const code = `import { listen, requests } from "${MOD}";
      const server = await listen("tcp://127.0.0.1:0", { ${OPTIONS}, ${options} }, ${handler});
      console.log(server.endpoints[0]);`;
    const args = ["eval", code];
    this.#child = new Deno.Command(Deno.execPath(), {
      args,
      stdout: "piped",
      cwd: MOD.pathname.replace(/mod.ts$/, ""),
    })
      .spawn();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  async line(): Promise<string> {
    while (!this.#text.includes("\n")) {
      const { value } = await this.#lines.read();
      if (value === undefined) break;
      this.#text += value;
    }
    const [line, ...rest] = this.#text.split("\n");
    this.#text = rest.join("\n");
    return line;
  }

  /** Stops the process for longer than its timeouts; does something meanwhile. */
  async stopWhile(work: () => Promise<unknown>): Promise<void> {
    await wait(100); // What was sent before has been taken.
    this.#child.kill("SIGSTOP");
    await work();
    await wait(900);
    this.#child.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#lines.cancel();
    await this.#child.status;
  }
}

const ECHO = "async (c) => { for await (const m of c) await c.send(m); }";
const options = { ignore: Deno.build.os === "windows" };

Deno.test(
  "after a standstill: the rest of a frame that came meanwhile is read",
  options,
  async () => {
    await using server = new Stoppable("", ECHO);
    using peer = await RawPeer.connect(await server.line());
    await peer.send(Uint8Array.of(0, 0, 0, 2, 104));
    await server.stopWhile(() => peer.send(Uint8Array.of(105)));
    assertEquals(await peer.receive(6), Uint8Array.of(0, 0, 0, 2, 104, 105));
  },
);

Deno.test("after a standstill: the token that came meanwhile lets in", options, async () => {
  await using server = new Stoppable(`token: "t"`, ECHO);
  using peer = await RawPeer.connect(await server.line());
  await server.stopWhile(() => peer.send(Uint8Array.of(0, 0, 0, 1, 116, 0, 0, 0, 1, 33)));
  assertEquals(await peer.receive(5), Uint8Array.of(0, 0, 0, 1, 33));
});

Deno.test("after a standstill: a peer that has read meanwhile gets the rest", options, async () => {
  const size = 16 * 1024 * 1024;
  await using server = new Stoppable("", `async (c) => { await c.send(new Uint8Array(${size})); }`);
  using peer = await RawPeer.connect(await server.line());
  let reading: Promise<Uint8Array> | undefined;
  await server.stopWhile(() => {
    reading = peer.receive(size + 4);
    return Promise.resolve();
  });
  assertEquals((await reading!).length, size + 4);
});

Deno.test("after a standstill: an answer that came meanwhile is taken", options, async () => {
  await using server = new Stoppable(
    "",
    `async (c) => {
      const peer = requests(c, {});
      try { console.log(await peer.request("ask", 1, { timeout: 300 })); }
      catch (error) { console.log(error.message); }
    }`,
  );
  await using connection = await connect(await server.line());
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<string>();
  requests(connection, {
    ask() {
      asked.resolve();
      return answer.promise;
    },
  });
  await asked.promise;
  await server.stopWhile(() => Promise.resolve(answer.resolve("answer")));
  assertEquals(await server.line(), "answer");
});

Deno.test("a peer that really is late is still told so after a standstill", async () => {
  const failed = Promise.withResolvers<unknown>();
  await using server = await listen(
    "tcp://127.0.0.1:0",
    { frameTimeout: 100, onError: () => {} },
    async (connection) => {
      failed.resolve((await connection.closed).error);
    },
  );
  using peer = await RawPeer.connect(server.endpoints[0]);
  await peer.send(Uint8Array.of(0, 0));
  await wait(50);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  assertEquals(await failed.promise instanceof FrameTimeoutError, true);
});
