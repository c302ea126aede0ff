/**
 * What keeping messages until they are acknowledged costs a bare loop, at 1 MiB. "plain" writes each
 * message from where it is, and reads it into new memory. "kept" does what a session cannot do without:
 * the sender copies each message into blocks of 64 KiB, writes a frame for each, and keeps at most 1 MiB
 * that is not acknowledged; the receiver copies each frame to its place in the message, and acknowledges
 * every 256 KiB. Nothing is checked, nothing can resume, and nobody else is served.
 *
 * ```
 * deno run -A bench/ceilings/session.ts
 * ```
 */

const MESSAGE_BYTES = 1024 * 1024;
const FRAME_BYTES = 64 * 1024;
const HEADER_BYTES = 13;
const ACK_BYTES = 21;
const ACK_EVERY = MESSAGE_BYTES / 4;
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

/** Reads until the end; returns the last message, so that none is optimized away. */
async function receive(conn: Deno.Conn, kind: Kind): Promise<Uint8Array | undefined> {
  const frame = new Uint8Array(HEADER_BYTES + FRAME_BYTES);
  const header = new Uint8Array(4);
  const ack = new Uint8Array(ACK_BYTES);
  let message: Uint8Array | undefined;
  for (;;) {
    if (kind === "plain") {
      if (!await readFull(conn, header)) return message;
      await readFull(conn, message = new Uint8Array(MESSAGE_BYTES));
      continue;
    }
    message = new Uint8Array(MESSAGE_BYTES);
    for (let at = 0; at < MESSAGE_BYTES; at += FRAME_BYTES) {
      if (!await readFull(conn, frame)) return message;
      message.set(frame.subarray(HEADER_BYTES), at);
      if ((at + FRAME_BYTES) % ACK_EVERY === 0) conn.write(ack);
    }
  }
}

/** Sends for a while; returns how many messages per second. */
async function send(conn: Deno.Conn, kind: Kind): Promise<number> {
  const message = new Uint8Array(MESSAGE_BYTES).fill(97);
  const header = new Uint8Array(4);
  const blocks = Array.from(
    { length: MESSAGE_BYTES / FRAME_BYTES },
    () => new Uint8Array(HEADER_BYTES + FRAME_BYTES),
  );
  let waiting = 0;
  let acknowledged = () => {};
  const reading = (async () => {
    const ack = new Uint8Array(ACK_BYTES);
    while (await readFull(conn, ack)) {
      waiting -= ACK_EVERY;
      acknowledged();
    }
  })();
  const start = performance.now();
  let messages = 0;
  for (; performance.now() - start < DURATION; messages++) {
    if (kind === "plain") {
      await writeFull(conn, header);
      await writeFull(conn, message);
      continue;
    }
    for (const [i, block] of blocks.entries()) {
      while (waiting + FRAME_BYTES > MESSAGE_BYTES) {
        await new Promise<void>((resolve) => acknowledged = resolve);
      }
      block.set(message.subarray(i * FRAME_BYTES, (i + 1) * FRAME_BYTES), HEADER_BYTES);
      waiting += FRAME_BYTES;
      await writeFull(conn, block);
    }
  }
  await conn.closeWrite();
  await reading;
  return messages / (performance.now() - start) * 1000;
}

async function measure(kind: Kind): Promise<number> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", import.meta.filename!, kind, `${listener.addr.port}`],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const conn = await listener.accept();
  await receive(conn, kind);
  conn.close();
  return Number(new TextDecoder().decode((await child.output()).stdout));
}

const [kind, port] = Deno.args;
if (port !== undefined) {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  console.log(await send(conn, kind as Kind));
  conn.close();
} else {
  const middle = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1];
  const plain: number[] = [];
  const kept: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    plain.push(await measure("plain"));
    kept.push(await measure("kept"));
  }
  const [a, b] = [middle(plain), middle(kept)];
  console.log(`plain ${a.toFixed(0)} /s, kept ${b.toFixed(0)} /s: ${(b / a).toFixed(2)}`);
}
