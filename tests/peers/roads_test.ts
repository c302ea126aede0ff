/** Rooms of peers over real sockets: all kinds at once, and sessions that lose theirs. */

import { assertEquals, assertGreater } from "@std/assert";
import { connect } from "../../client.ts";
import { PeerHub } from "../../peers.ts";
import { type RequestPeer, requests } from "../../request.ts";
import { listen } from "../../server.ts";
import { certificates } from "../support/certificates.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";
import { type Events, Told } from "../support/peer_rooms.ts";

interface Room {
  /** Resolves when this one has joined. */
  join(): void;
  say(params: string): void;
}

const { good, ca } = await certificates;

/** Who connects, and what it is told. */
function guest(connection: Parameters<typeof requests>[0]) {
  const told = new Told();
  const peer = requests<Room, Pick<Events, "said">>(connection, { said: told.take });
  return { peer, told };
}

function serve(hub: PeerHub<Events>, endpoints: string | string[]) {
  return listen(endpoints, { session: undefined, tls: good }, async (connection) => {
    const peer: RequestPeer<Events> = requests<Events, Room>(connection, {
      join: () => void hub.join("room", peer),
      say: (text) => void hub.notify("room", "said", text),
    });
    await peer.closed;
  });
}

Deno.test("PeerHub notifies peers over tcp:, tls:, ws:, memory: and sessions in one order", async () => {
  using hub = new PeerHub<Events>();
  await using server = await serve(hub, [
    "tcp://127.0.0.1:0",
    "tcp://127.0.0.1:0?framing=u16le",
    "tls://127.0.0.1:0",
    "ws://127.0.0.1:0",
    "memory:peers",
    "tcp://127.0.0.1:0?session=1",
  ]);
  const guests = await Promise.all(server.endpoints.map(async (endpoint) => {
    const one = guest(await connect(endpoint, { tls: { ca: ca.cert } }));
    await one.peer.request("join");
    return one;
  }));
  const texts = Array.from({ length: 300 }, (_, n) => `${n} ${"x".repeat(n * 20)}`);
  for (const [n, text] of texts.entries()) guests[n % guests.length].peer.notify("say", text);
  const [first, ...others] = await Promise.all(guests.map(({ told }) => told.first(300)));
  assertEquals(first.toSorted(), texts.toSorted());
  for (const other of others) assertEquals(other, first);
  assertEquals([hub.stats.delivered, hub.stats.dropped], [300 * 6, 0]);
  await Promise.all(guests.map(({ peer }) => peer.close()));
});

Deno.test("PeerHub: sessions that lose their sockets miss no notification, and get none twice", async () => {
  using hub = new PeerHub<Events>();
  await using server = await serve(hub, "tcp://127.0.0.1:0?session=1");
  const port = Number(new URL(server.endpoints[0]).port);
  await using proxy = new CuttingProxy({ port, seed: 7, cuts: 20, meanBytes: 20_000 });
  const session = await connect(`tcp://127.0.0.1:${proxy.port}?session=1`, {
    session: { retry: () => 1 },
  });
  const { peer, told } = guest(session);
  await using _peer = peer;
  await peer.request("join");
  for (let n = 1; n <= 2_000; n++) {
    hub.notify("room", "said", `${n} ${"x".repeat(200)}`);
    if (n % 20 === 0) await told.first(n);
  }
  assertEquals(
    (await told.first(2_000)).map((text) => parseInt(text as string)),
    Array.from({ length: 2_000 }, (_, n) => n + 1),
  );
  assertGreater(proxy.cuts, 5);
});
