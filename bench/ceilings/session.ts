/**
 * What keeping messages until they are acknowledged costs a bare loop, at 1 KiB and at 1 MiB. "plain" puts
 * small messages together in one block of 64 KiB and finds them in the memory that it reads into; large ones
 * it writes from where they are, and reads into new memory. "kept" does what a session cannot do without:
 * the sender puts all messages into blocks of 64 KiB, writes a frame for each, and uses a block again only
 * when it was acknowledged, of 1 MiB in all; the receiver copies each frame to where its messages wait for
 * their reader, or to its place in a large one, and acknowledges every 256 KiB. Nothing is checked, nothing
 * can resume, and nobody else is served.
 *
 * ```
 * deno run -A bench/ceilings/session.ts
 * ```
 */

const SMALL_BYTES = 1024;
const LARGE_BYTES = 1024 * 1024;
const LENGTH_BYTES = 4;
const HEADER_BYTES = 17;
/** What a frame holds, the same number of whole messages in each. */
const FRAME_BYTES: Record<number, number> = {
  [SMALL_BYTES]: 63 * (LENGTH_BYTES + SMALL_BYTES),
  [LARGE_BYTES]: 64 * 1024,
};
const KEPT_BLOCKS = 16;
const ACK_BYTES = 21;
/** After so many frames comes an acknowledgment. */
const ACK_EVERY = 4;
const DURATION = 1_000;
const ROUNDS = 5;

type Kind = "plain" | "kept";

async function readFull(conn: Deno.Conn, target: Uint8Array): Promise<boolean> {
  for (let at = 0; at < target.length;) {
    const bytes = await conn.read(target.subarray(at));
    if (bytes === null) return false;
    at += bytes;
  }
  return true;
}

async function writeFull(conn: Deno.Conn, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length;) at += await conn.write(chunk.subarray(at));
}

/** A view for each small message; returns the last. */
function viewsOf(block: Uint8Array): Uint8Array | undefined {
  let message: Uint8Array | undefined;
  for (let at = 0; at < block.length;) {
    const length = block[at] << 24 | block[at + 1] << 16 | block[at + 2] << 8 | block[at + 3];
    message = new Uint8Array(block.buffer, block.byteOffset + at + LENGTH_BYTES, length);
    at += LENGTH_BYTES + length;
  }
  return message;
}

/** Puts small messages into a block. */
function fill(block: Uint8Array, message: Uint8Array): void {
  for (let at = 0; at < block.length; at += LENGTH_BYTES + message.length) {
    block[at + 2] = message.length >> 8;
    block.set(message, at + LENGTH_BYTES);
  }
}

/** Reads until the end; returns the last message, so that none is optimized away. */
async function receive(conn: Deno.Conn, kind: Kind, size: number): Promise<unknown> {
  const header = new Uint8Array(kind === "kept" ? HEADER_BYTES : LENGTH_BYTES);
  const bytes = FRAME_BYTES[size];
  const frame = new Uint8Array(header.length + bytes);
  const ack = new Uint8Array(ACK_BYTES);
  const waiting = new Uint8Array(bytes);
  let message: Uint8Array | undefined;
  for (let frames = 1, at = size;; frames++, at += bytes) {
    if (size === LARGE_BYTES && at >= size) [message, at] = [new Uint8Array(size), 0];
    if (kind === "plain" && size === LARGE_BYTES) {
      if (!await readFull(conn, header)) return message;
      if (!await readFull(conn, message!)) return message;
      at = size;
      continue;
    }
    const target = kind === "plain" ? waiting : frame;
    if (!await readFull(conn, target)) return message;
    if (size === LARGE_BYTES) message!.set(frame.subarray(HEADER_BYTES), at);
    else {
      if (kind === "kept") waiting.set(frame.subarray(HEADER_BYTES));
      message = viewsOf(waiting);
    }
    if (kind === "kept" && frames % ACK_EVERY === 0) conn.write(ack);
  }
}

/** Sends for a while; returns how many bytes of messages per second. */
async function send(conn: Deno.Conn, kind: Kind, size: number): Promise<number> {
  const message = new Uint8Array(size).fill(97);
  const length = new Uint8Array(LENGTH_BYTES);
  const bytes = FRAME_BYTES[size];
  const headerBytes = kind === "kept" ? HEADER_BYTES : 0;
  const blocks = Array.from(
    { length: kind === "kept" ? KEPT_BLOCKS : 1 },
    () => new Uint8Array(headerBytes + bytes),
  );
  let [sent, acked] = [0, 0];
  let acknowledged = () => {};
  const reading = (async () => {
    const ack = new Uint8Array(ACK_BYTES);
    while (await readFull(conn, ack)) {
      acked += ACK_EVERY;
      acknowledged();
    }
  })();
  const start = performance.now();
  for (; performance.now() - start < DURATION; sent++) {
    if (kind === "plain" && size === LARGE_BYTES) {
      await writeFull(conn, length);
      await writeFull(conn, message);
      continue;
    }
    while (kind === "kept" && sent - acked === KEPT_BLOCKS) {
      await new Promise<void>((resolve) => acknowledged = resolve);
    }
    const block = blocks[sent % blocks.length];
    const body = block.subarray(headerBytes);
    if (size === SMALL_BYTES) fill(body, message);
    else body.set(message.subarray(sent % KEPT_BLOCKS * bytes, (sent % KEPT_BLOCKS + 1) * bytes));
    await writeFull(conn, block);
  }
  await conn.closeWrite();
  await reading;
  const isWhole = kind === "plain" && size === LARGE_BYTES;
  return sent * (isWhole ? size : bytes) / (performance.now() - start) * 1000;
}

async function measure(kind: Kind, size: number): Promise<number> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", import.meta.filename!, kind, `${size}`, `${listener.addr.port}`],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const conn = await listener.accept();
  await receive(conn, kind, size);
  conn.close();
  return Number(new TextDecoder().decode((await child.output()).stdout));
}

const [kind, size, port] = Deno.args;
if (port !== undefined) {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  console.log(await send(conn, kind as Kind, Number(size)));
  conn.close();
} else {
  const middle = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1];
  for (const size of [SMALL_BYTES, LARGE_BYTES]) {
    const [plain, kept]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      plain.push(await measure("plain", size));
      kept.push(await measure("kept", size));
    }
    const [a, b] = [middle(plain), middle(kept)].map((bytes) => bytes / 1e6);
    const ratio = (b / a).toFixed(2);
    console.log(`${size} B: plain ${a.toFixed(0)} MB/s, kept ${b.toFixed(0)} MB/s: ${ratio}`);
  }
}
