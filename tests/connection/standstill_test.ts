/** A process that stood still blames nobody for it: what came meanwhile came in time. */

import { assertEquals } from "@std/assert";
import { connect, FrameTimeoutError, listen, requests } from "../../mod.ts";
import { RawPeer } from "../support/raw.ts";

const MOD = new URL("../../mod.ts", import.meta.url);
/** The timeouts of an attempt, in milliseconds. */
const TIMEOUTS = [300, 1_200, 4_800];
const wait = (delay: number) => new Promise((resolve) => setTimeout(resolve, delay));

/**
 * This process, which stops the other one in time and is to be in time itself, may stand still as well.
 * That is no fault of the other one, unless it is so with longer and longer timeouts.
 */
async function attempt(body: (timeout: number) => Promise<void>): Promise<void> {
  for (const timeout of TIMEOUTS) {
    try {
      return await body(timeout);
    } catch (error) {
      if (timeout === TIMEOUTS.at(-1)) throw error;
    }
  }
}

/** A server in a process of its own, which can be stopped, and prints one line at a time. */
class Stoppable implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #timeout: number;
  #text = "";

  constructor(timeout: number, options: string, handler: string) {
    this.#timeout = timeout;
    const limits = ["frameTimeout", "writeTimeout", "handshakeTimeout"]
      .map((name) => `${name}: ${timeout}`);
    const code = `import { listen, requests } from "${MOD}";
      const options = { ${limits}, ${options} };
      const server = await listen("tcp://127.0.0.1:0", options, ${handler});
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
    await wait(this.#timeout / 3); // What was sent before has been taken.
    this.#child.kill("SIGSTOP");
    await work();
    await wait(3 * this.#timeout);
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
  () =>
    attempt(async (timeout) => {
      await using server = new Stoppable(timeout, "", ECHO);
      using peer = await RawPeer.connect(await server.line());
      await peer.send(Uint8Array.of(0, 0, 0, 2, 104));
      await server.stopWhile(() => peer.send(Uint8Array.of(105)));
      assertEquals(await peer.receive(6), Uint8Array.of(0, 0, 0, 2, 104, 105));
    }),
);

Deno.test(
  "after a standstill: the token that came meanwhile lets in",
  options,
  () =>
    attempt(async (timeout) => {
      await using server = new Stoppable(timeout, `token: "t"`, ECHO);
      using peer = await RawPeer.connect(await server.line());
      await server.stopWhile(() => peer.send(Uint8Array.of(0, 0, 0, 1, 116, 0, 0, 0, 1, 33)));
      assertEquals(await peer.receive(5), Uint8Array.of(0, 0, 0, 1, 33));
    }),
);

Deno.test(
  "after a standstill: a peer that has read meanwhile gets the rest",
  options,
  () =>
    attempt(async (timeout) => {
      const size = 16 * 1024 * 1024;
      const send = `async (c) => { await c.send(new Uint8Array(${size})); }`;
      await using server = new Stoppable(timeout, "", send);
      using peer = await RawPeer.connect(await server.line());
      let reading: Promise<Uint8Array> | undefined;
      await server.stopWhile(() => {
        reading = peer.receive(size + 4);
        return Promise.resolve();
      });
      assertEquals((await reading!).length, size + 4);
    }),
);

Deno.test(
  "after a standstill: an answer that came meanwhile is taken",
  options,
  () =>
    attempt(async (timeout) => {
      await using server = new Stoppable(
        timeout,
        "",
        `async (c) => {
        const peer = requests(c, {});
        try { console.log(await peer.request("ask", 1, { timeout: ${timeout} })); }
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
    }),
);

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
