/** Peers over TCP whose network has vanished. */

import { assert, assertEquals } from "@std/assert";
import { Acknowledgments, pairOf, unacknowledged } from "../../transport/acknowledgments.ts";

const HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n";
const ROWS = [
  // Sent again six times; the same from IPv6, and from an IPv4 peer at a socket of IPv6.
  "   0: 0100007F:0913 0909090A:AFC8 01 00000023:00000000 01:000004F0 00000006     0        0 1 2",
  "   1: 00000000000000000000000001000000:0001 B80D0120000000000000000002000000:0002 01 00000001:00000000 01:00000001 00000001     0        0 1 2",
  "   2: 0000000000000000FFFF00000100007F:0003 0000000000000000FFFF00000909090A:0004 01 00000001:00000000 01:00000001 00000001     0        0 1 2",
  // There is no way out: four probes were not sent.
  "   3: 0100007F:0913 0909090A:0008 01 00000023:00000000 04:00000014 00000000     0        4 1 2",
  // Sent for the first time; nothing to send; a peer that takes nothing, but is there.
  "   3: 0100007F:0913 0909090A:0005 01 00000023:00000000 01:00000014 00000000     0        0 1 2",
  "   4: 0100007F:0913 0909090A:0006 01 00000000:00000000 00:00000000 00000000     0        0 1 2",
  "   5: 0100007F:0913 0909090A:0007 01 00000023:00000000 04:00000014 00000000     0        1 1 2",
];

function address(hostname: string, port: number): Deno.NetAddr {
  return { transport: "tcp", hostname, port };
}

Deno.test("unacknowledged() finds the sockets whose bytes are sent again, in both families", () => {
  assertEquals(
    unacknowledged(HEAD + ROWS.join("\n")),
    new Set([
      pairOf(address("127.0.0.1", 0x913), address("10.9.9.9", 0xafc8)),
      pairOf(address("::1", 1), address("2001:db8::2", 2)),
      pairOf(address("127.0.0.1", 3), address("10.9.9.9", 4)),
      pairOf(address("127.0.0.1", 0x913), address("10.9.9.9", 8)),
    ]),
  );
  assertEquals(unacknowledged(""), new Set());
});

const IDLE = ROWS.find((row) => row.includes(" 00000000:00000000 00:"))!;

/** A watch of one socket, whose bytes are being sent again at each look of which `isStuckAt` says so. */
class World {
  looks = 0;
  readonly isStuckAt: (look: number) => boolean;
  readonly gone = Promise.withResolvers<number>();
  readonly startedAt = performance.now();
  readonly watch = new Acknowledgments({
    read: () => {
      const row = this.isStuckAt(++this.looks) ? ROWS[0] : IDLE;
      return Promise.resolve(HEAD + row + "\n");
    },
    interval: 20,
    timeout: 100,
  });
  readonly socket = {
    pair: pairOf(address("127.0.0.1", 0x913), address("10.9.9.9", 0xafc8)),
    vanished: () => this.gone.resolve(performance.now() - this.startedAt),
  };

  constructor(isStuckAt: (look: number) => boolean = () => true) {
    this.isStuckAt = isStuckAt;
  }
}

const wait = (delay: number) => new Promise((resolve) => setTimeout(resolve, delay));

Deno.test("Acknowledgments tells a socket on which nothing was acknowledged for long", async () => {
  const world = new World();
  world.watch.add(world.socket);
  const running = setInterval(() => {}, 1_000); // The watch keeps no process running.
  const elapsed = await world.gone.promise;
  clearInterval(running);
  assert(elapsed >= 100 && elapsed < 60_000, `${elapsed}`);
  await wait(60);
  const { looks } = world;
  await wait(60);
  assertEquals(world.looks, looks); // Nobody is in doubt: it does not look.
});

Deno.test("Acknowledgments leaves alone who acknowledges now and then, or is heard", async () => {
  const enough = Promise.withResolvers<void>();
  // At every other look something has been acknowledged, however much time is between two of them.
  const world = new World((look) => {
    if (look > 12) enough.resolve();
    return look % 2 === 1;
  });
  let isGone = false;
  world.gone.promise.then(() => isGone = true);
  world.watch.add(world.socket);
  const running = setInterval(() => {}, 1_000); // The watch keeps no process running.
  await enough.promise;
  clearInterval(running);
  world.watch.delete(world.socket);
  await wait(200);
  assertEquals(isGone, false);
});
