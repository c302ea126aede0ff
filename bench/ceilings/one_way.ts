/**
 * What a call for each message costs a bare sender of 32 B. The receiver only counts bytes.
 *
 * - framed: one loop writes each message behind its length into a block, and waits when the block is full.
 * - call: `send()` for each message, with what no library can do without: it looks whether it was given bytes,
 *   and whether they fit into the block; another task writes the blocks; and it gives a promise, which is
 *   resolved already as long as little waits. One call in 2048 is awaited.
 * - awaited: the same, but each call is awaited.
 *
 * No limits but that one, no time-outs, no counts, one framing.
 *
 * ```
 * deno run -A bench/ceilings/one_way.ts
 * ```
 */

import { writeAll } from "../../internal/bytes.ts";

const SIZE = 32;
const FRAME_BYTES = 4 + SIZE;
const BLOCK_BYTES = 64 * 1024;
const PER_AWAIT = 2048;
const DURATION = 300;
const ROUNDS = 9;
const KINDS = ["framed", "call", "awaited"] as const;
const DONE = Promise.resolve();

type Kind = typeof KINDS[number];

function put(message: Uint8Array, block: Uint8Array, at: number): number {
  const { length } = message;
  block[at] = length >>> 24;
  block[at + 1] = length >>> 16;
  block[at + 2] = length >>> 8;
  block[at + 3] = length;
  block.set(message, at + 4);
  return at + 4 + length;
}

class Sender {
  readonly #conn: Deno.Conn;
  #block = new Uint8Array(BLOCK_BYTES);
  #used = 0;
  #waiting = 0;
  #full: Uint8Array<ArrayBuffer>[] = [];
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];
  #writing: Promise<void> | undefined;
  #drained: PromiseWithResolvers<void> | undefined;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  send(message: Uint8Array): Promise<void> {
    if (!(message instanceof Uint8Array)) throw new TypeError("Cannot send this: it is not bytes");
    const bytes = 4 + message.length;
    if (this.#used + bytes > BLOCK_BYTES) this.#writeSoon();
    this.#used = put(message, this.#block, this.#used);
    this.#waiting += bytes;
    return this.#waiting < BLOCK_BYTES ? DONE : this.#ready();
  }

  #ready(): Promise<void> {
    return (this.#drained ??= Promise.withResolvers<void>()).promise;
  }

  #writeSoon(): void {
    this.#full.push(this.#block.subarray(0, this.#used));
    this.#block = this.#spare.pop() ?? new Uint8Array(BLOCK_BYTES);
    this.#used = 0;
    this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    for (let chunk; (chunk = this.#full.shift()) !== undefined;) {
      await writeAll(this.#conn, chunk);
      this.#spare.push(new Uint8Array(chunk.buffer));
      this.#waiting -= chunk.length;
      if (this.#waiting >= BLOCK_BYTES) continue;
      this.#drained?.resolve();
      this.#drained = undefined;
    }
    this.#writing = undefined;
  }

  async end(): Promise<void> {
    this.#writeSoon();
    await this.#writing;
  }
}

async function send(conn: Deno.Conn, kind: Kind, end: number): Promise<number> {
  const message = new Uint8Array(SIZE).fill(97);
  let messages = 0;
  if (kind === "framed") {
    const block = new Uint8Array(BLOCK_BYTES);
    while (performance.now() < end) {
      let at = 0;
      for (; at + FRAME_BYTES <= BLOCK_BYTES; messages++) at = put(message, block, at);
      await writeAll(conn, block.subarray(0, at));
    }
    return messages;
  }
  const sender = new Sender(conn);
  for (; performance.now() < end; messages += PER_AWAIT) {
    for (let i = 1; i < PER_AWAIT; i++) {
      if (kind === "awaited") await sender.send(message);
      else sender.send(message);
    }
    await sender.send(message);
  }
  await sender.end();
  return messages;
}

async function drain(conn: Deno.Conn): Promise<void> {
  const chunk = new Uint8Array(BLOCK_BYTES);
  while (await conn.read(chunk) !== null);
  conn.close();
}

if (Deno.args.length > 0) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  console.log(listener.addr.port);
  for (;;) await drain(await listener.accept());
}
const child = new Deno.Command(Deno.execPath(), {
  args: ["run", "-A", import.meta.filename!, "drain"],
  stdin: "null",
  stdout: "piped",
}).spawn();
const port = Number(new TextDecoder().decode((await child.stdout.getReader().read()).value));
const rates: Record<Kind, number[]> = { framed: [], call: [], awaited: [] };
for (let round = 0; round < ROUNDS; round++) {
  for (const kind of KINDS) {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    const start = performance.now();
    const messages = await send(conn, kind, start + DURATION);
    await conn.closeWrite();
    await conn.read(new Uint8Array(1)); // The end: everything was read.
    rates[kind].push(messages / (performance.now() - start) / 1000);
    conn.close();
  }
}
const middle = (kind: Kind) => rates[kind].slice(2).sort((a, b) => a - b)[(ROUNDS - 2) >> 1];
for (const kind of KINDS) {
  const ratio = middle(kind) / middle("framed");
  console.log(`${kind}: ${middle(kind).toFixed(1)} M/s, ${ratio.toFixed(2)} of the framed loop`);
}
child.kill("SIGKILL");
Deno.exit();
