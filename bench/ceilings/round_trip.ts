/**
 * What a round trip of 32 B costs a bare loop on one core, when what no library of messages can do without
 * is added one by one. The client is bare, and the same for all.
 *
 * - pump: reads, and writes what was read.
 * - tasks: one task reads and goes on reading, and hands each message to a second one that waits for it; what
 *   that one sends is written when it has nothing more to send. So messages can be read while others are
 *   answered, and a burst leaves in one write.
 * - frames: finds the frame, gives a view of its message, and copies the answer behind a header.
 * - clocks: looks at the clock for each read and each write, for the limits of time.
 *
 * ```
 * deno run -A bench/ceilings/round_trip.ts
 * ```
 */

const SIZE = 32;
const FRAME_BYTES = 4 + SIZE;
const ROUNDS = 9;
const COUNT = 4_000;
const KINDS = ["pump", "tasks", "frames", "clocks"] as const;

type Kind = typeof KINDS[number];

async function serve(conn: Deno.Conn, kind: Kind): Promise<void> {
  const chunk = new Uint8Array(256);
  if (kind === "pump") {
    for (let n; (n = await conn.read(chunk)) !== null;) await conn.write(chunk.subarray(0, n));
    return;
  }
  let given: ((message: Uint8Array | undefined) => void) | undefined;
  const next = () => new Promise<Uint8Array | undefined>((resolve) => given = resolve);
  const out = new Uint8Array(1024);
  let [seenAt, due] = [0, 0];
  const write = () => {
    if (kind === "clocks") due = performance.now() + 10_000;
    conn.write(out.subarray(0, FRAME_BYTES));
  };
  const answering = (async () => {
    for (let message; (message = await next()) !== undefined;) {
      if (kind === "tasks") out.set(message);
      else {
        new DataView(out.buffer).setUint32(0, message.length);
        out.set(message, 4);
      }
      queueMicrotask(write);
    }
  })();
  for (let n; (n = await conn.read(chunk)) !== null;) {
    if (kind === "clocks") seenAt = Date.now();
    const bytes = chunk.slice(0, n);
    const length = new DataView(bytes.buffer).getUint32(0);
    given!(kind === "tasks" ? bytes : bytes.subarray(4, 4 + length));
  }
  given!(undefined);
  await answering;
  if (seenAt > due + 1e15) throw new Error("the clock stands still"); // So that both are used.
}

async function measure(port: number): Promise<number> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const frame = new Uint8Array(FRAME_BYTES);
  new DataView(frame.buffer).setUint32(0, SIZE);
  const chunk = new Uint8Array(256);
  const times = new Float64Array(COUNT);
  for (let i = 0; i < COUNT; i++) {
    const start = performance.now();
    await conn.write(frame);
    for (let at = 0; at < FRAME_BYTES;) at += await conn.read(chunk) ?? FRAME_BYTES;
    times[i] = performance.now() - start;
  }
  conn.close();
  return times.sort()[COUNT >> 1] * 1000;
}

const [role] = Deno.args;
if (role !== undefined) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  console.log(listener.addr.port);
  for (;;) serve(await listener.accept(), role as Kind);
}
const pin = Deno.args.length === 0 && Deno.build.os === "linux" ? ["taskset", "-c", "0"] : [];
if (pin.length > 0) {
  await new Deno.Command("taskset", { args: ["-cp", "0", `${Deno.pid}`] }).output();
}
const times: Record<Kind, number[]> = { pump: [], tasks: [], frames: [], clocks: [] };
const ports = new Map<Kind, number>();
const children = KINDS.map((kind) => {
  const [command, ...args] = [...pin, Deno.execPath(), "run", "-A", import.meta.filename!, kind];
  return new Deno.Command(command, { args, stdin: "null", stdout: "piped" }).spawn();
});
for (const [i, { stdout }] of children.entries()) {
  const { value } = await stdout.getReader().read();
  ports.set(KINDS[i], Number(new TextDecoder().decode(value)));
}
for (let round = 0; round < ROUNDS; round++) {
  for (const kind of KINDS) times[kind].push(await measure(ports.get(kind)!));
}
const middle = (kind: Kind) => times[kind].slice(2).sort((a, b) => a - b)[(ROUNDS - 2) >> 1];
for (const kind of KINDS) {
  const ratio = middle(kind) / middle("pump");
  console.log(`${kind}: ${middle(kind).toFixed(1)} us, ${ratio.toFixed(2)} of the pump`);
}
for (const child of children) child.kill("SIGKILL");
Deno.exit();
