/**
 * What `for await` and `await send()` cost by themselves: an echo of 32 B over four connections, by a bare
 * loop that finds the frames and gathers the answers, with nothing else. "loop" goes over the views of a
 * chunk; "for await" hands them out by an iterator written by hand, and waits for a promise that is
 * resolved already after each answer, as a program does that is written without batches. No limits, no
 * time-outs, no backpressure.
 *
 * ```
 * deno run -A bench/ceilings/for_await.ts
 * ```
 */

import { writeAll } from "../../internal/bytes.ts";
import { echo } from "../load/echo.ts";

const KINDS = ["loop", "for await"] as const;
const ROUNDS = 7;
const DONE = Promise.resolve();

type Kind = typeof KINDS[number];

/** The messages of what is read, in the arrays in which they come; and the answers, in one block. */
class Peer {
  readonly #conn: Deno.Conn;
  readonly #chunk = new Uint8Array(64 * 1024);
  readonly #out = new Uint8Array(256 * 1024);
  #rest = 0;
  #used = 0;
  #messages: Uint8Array[] = [];
  #next = 0;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  /** Writes the answers, and reads the next messages; undefined at the end. */
  async read(): Promise<Uint8Array[] | undefined> {
    if (this.#used > 0) await writeAll(this.#conn, this.#out.subarray(0, this.#used));
    this.#used = 0;
    const bytes = await this.#conn.read(this.#chunk.subarray(this.#rest));
    if (bytes === null) return undefined;
    const end = this.#rest + bytes;
    const view = new DataView(this.#chunk.buffer);
    const messages: Uint8Array[] = [];
    let at = 0;
    while (end - at >= 4) {
      const next = at + 4 + view.getUint32(at);
      if (next > end) break;
      messages.push(new Uint8Array(this.#chunk.buffer, at + 4, next - at - 4));
      at = next;
    }
    // The messages are answered before the next read, so their memory may be used again then.
    if (at > 0 && at < end) this.#chunk.copyWithin(0, at, end);
    this.#rest = end - at;
    return messages;
  }

  send(message: Uint8Array): Promise<void> {
    const at = this.#used;
    this.#out[at] = this.#out[at + 1] = 0;
    this.#out[at + 2] = message.length >>> 8;
    this.#out[at + 3] = message.length;
    this.#out.set(message, at + 4);
    this.#used = at + 4 + message.length;
    return DONE;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return { next: () => this.#take() };
  }

  #take(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#next < this.#messages.length) {
      return Promise.resolve({ done: false, value: this.#messages[this.#next++] });
    }
    return this.#refill();
  }

  async #refill(): Promise<IteratorResult<Uint8Array, undefined>> {
    const messages = await this.read();
    if (messages === undefined) return { done: true, value: undefined };
    this.#messages = messages;
    this.#next = 0;
    return await this.#take();
  }
}

async function serve(conn: Deno.Conn, kind: Kind): Promise<void> {
  const peer = new Peer(conn);
  if (kind === "for await") {
    for await (const message of peer) await peer.send(message);
    return;
  }
  for (let messages; (messages = await peer.read()) !== undefined;) {
    for (const message of messages) peer.send(message);
  }
}

const [role] = Deno.args;
if (role !== undefined) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  console.log(listener.addr.port);
  for (;;) serve(await listener.accept(), role as Kind).catch(() => {});
}
const rates: Record<Kind, number[]> = { loop: [], "for await": [] };
const ports: number[] = [];
const children = KINDS.map((kind) => {
  const args = ["run", "-A", import.meta.filename!, kind];
  return new Deno.Command(Deno.execPath(), { args, stdin: "null", stdout: "piped" }).spawn();
});
for (const { stdout } of children) {
  ports.push(Number(new TextDecoder().decode((await stdout.getReader().read()).value)));
}
for (let round = 0; round < ROUNDS; round++) {
  for (const [i, kind] of KINDS.entries()) {
    const options = { size: 32, duration: 300, connections: 4, window: 1024 };
    const { messages, seconds } = await echo({ port: ports[i], wire: "u32be", ...options });
    rates[kind].push(messages / seconds / 1e6);
  }
}
for (const kind of KINDS) {
  const middle = rates[kind].slice(2).sort((a, b) => a - b)[(ROUNDS - 2) >> 1];
  console.log(`${kind}: ${middle.toFixed(2)} M/s`);
}
for (const child of children) child.kill("SIGKILL");
Deno.exit();
