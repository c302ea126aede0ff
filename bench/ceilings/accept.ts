/**
 * What 8 000 connections cost a bare server that has just started, when what no server of messages can do
 * without is added one by one. The code is new to the runtime for most of them, as in the bench.
 *
 * - pump: accepts, and reads.
 * - peers: looks at the address of each, counts how many it has from there, and keeps the connection in a set.
 * - halves: makes an object for each of two halves, with a dozen fields each; a task reads, another one is
 *   the program's, and waits for the first message.
 *
 * ```
 * deno run -A bench/ceilings/accept.ts
 * ```
 */

const COUNT = 8_000;
const BURST = 2_000;
const AT_ONCE = 256;
const ROUNDS = 5;
const KINDS = ["pump", "peers", "halves"] as const;

type Kind = typeof KINDS[number];

class Half {
  messages = 0;
  bytes = 0;
  dropped = 0;
  queue: Uint8Array[] = [];
  next = 0;
  cost = 0;
  state: "open" | "ended" = "open";
  deadline: number | undefined = undefined;
  waiter: ((message: Uint8Array | undefined) => void) | undefined = undefined;
  drained: (() => void) | undefined = undefined;
  seenAt = Date.now();
  constructor(readonly conn: Deno.Conn) {}
}

class Peer {
  readonly openedAt = Date.now();
  readonly data: Record<string, unknown> = {};
  readonly receiver: Half;
  readonly sender: Half;

  constructor(readonly id: number, conn: Deno.Conn) {
    this.receiver = new Half(conn);
    this.sender = new Half(conn);
  }

  async run(): Promise<void> {
    const { receiver } = this;
    await receiver.conn.read(new Uint8Array(512));
    receiver.waiter?.(undefined);
  }

  receive(): Promise<Uint8Array | undefined> {
    return new Promise((resolve) => this.receiver.waiter = resolve);
  }
}

async function serve(kind: Kind): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 4096 });
  console.log(listener.addr.port);
  const perHost = new Map<string, number>();
  const conns = new Set<Deno.Conn>();
  const peers = new Set<Peer>();
  const handle = async (peer: Peer) => {
    await peer.receive();
    peers.delete(peer);
  };
  for (let count = 1;; count++) {
    const conn = await listener.accept();
    conn.setNoDelay(true);
    if (kind !== "pump") {
      const { hostname } = conn.remoteAddr as Deno.NetAddr;
      perHost.set(hostname, (perHost.get(hostname) ?? 0) + 1);
      conns.add(conn);
    }
    if (kind === "halves") {
      const peer = new Peer(count, conn);
      peers.add(peer);
      peer.run().catch(() => {});
      handle(peer);
    } else conn.read(new Uint8Array(512)).catch(() => {});
    if (count % BURST === 0) console.log("taken");
  }
}

/** How many connections per second a new server takes. */
async function measure(kind: Kind): Promise<number> {
  await using child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", import.meta.filename!, kind],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const port = Number((await lines.read()).value);
  const held: Deno.Conn[] = [];
  let time = 0;
  for (let left = COUNT; left > 0; left -= BURST) {
    const start = performance.now();
    let begun = 0;
    const openSome = async () => {
      while (begun++ < BURST) held.push(await Deno.connect({ hostname: "127.0.0.1", port }));
    };
    await Promise.all([lines.read(), ...Array.from({ length: AT_ONCE }, openSome)]);
    time += performance.now() - start;
  }
  for (const conn of held) conn.close();
  child.kill("SIGKILL");
  return COUNT / time * 1_000;
}

const [role] = Deno.args;
if (role !== undefined) await serve(role as Kind);
const rates: Record<Kind, number[]> = { pump: [], peers: [], halves: [] };
await measure("pump");
for (let round = 0; round < ROUNDS; round++) {
  for (const kind of KINDS) rates[kind].push(await measure(kind));
}
const middle = (kind: Kind) => rates[kind].sort((a, b) => a - b)[ROUNDS >> 1];
for (const kind of KINDS) {
  const ratio = middle(kind) / middle("pump");
  console.log(`${kind}: ${(middle(kind) / 1e3).toFixed(1)} k/s, ${ratio.toFixed(2)} of the pump`);
}
