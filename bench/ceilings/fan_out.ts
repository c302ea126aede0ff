/**
 * What a delivery costs a bare loop that writes one block, which is always the same, to each of 100 or of
 * 10 000 sockets in turn: nothing is copied, framed, limited or counted. Another process reads and forgets.
 *
 * ```
 * deno run -A bench/ceilings/fan_out.ts
 * ```
 */

import { writeAll } from "../../internal/bytes.ts";

const COUNTS = [100, 10_000] as const;
/** As many messages of 64 B leave in one write, with their lengths. */
const MESSAGES = 64;
const BLOCK = new Uint8Array(MESSAGES * (4 + 64));
const DURATION = 1_000;
const ROUNDS = 5;

async function hold(port: number, count: number): Promise<void> {
  const chunk = new Uint8Array(64 * 1024);
  for (let n = 0; n < count; n++) {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    (async () => {
      while (await conn.read(chunk) !== null);
    })();
  }
}

async function deliveries(members: readonly Deno.Conn[]): Promise<number> {
  const start = performance.now();
  let turns = 0;
  for (; performance.now() - start < DURATION; turns++) {
    await Promise.all(members.map((member) => writeAll(member, BLOCK)));
  }
  return turns * members.length * MESSAGES / (performance.now() - start) / 1000;
}

const [port, count] = Deno.args.map(Number);
if (port !== undefined) await hold(port, count);
else {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 4096 });
  const rooms: Deno.Conn[][] = [];
  const children: Deno.ChildProcess[] = [];
  for (const count of COUNTS) {
    const args = ["run", "-A", import.meta.filename!, `${listener.addr.port}`, `${count}`];
    children.push(new Deno.Command(Deno.execPath(), { args, stdin: "null" }).spawn());
    const room: Deno.Conn[] = [];
    while (room.length < count) room.push(await listener.accept());
    rooms.push(room);
  }
  const rates: number[][] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, room] of rooms.entries()) rates[i].push(await deliveries(room));
  }
  const [few, many] = rates.map((values) => values.slice(1).sort((a, b) => a - b)[ROUNDS >> 1]);
  console.log(
    `to 100: ${few.toFixed(1)} M/s, to 10 000: ${many.toFixed(1)} M/s, ${(many / few).toFixed(2)}`,
  );
  for (const child of children) child.kill("SIGKILL");
  Deno.exit();
}
