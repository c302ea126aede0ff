/** Rooms of peers over a real NATS: peers of other processes, and what somebody else publishes there. */

import { assertEquals } from "@std/assert";
import { connect as connectToNats } from "@nats-io/transport-node";
import { nats } from "../../nats.ts";
import { encodeEnvelope, encodeName } from "../../nats/envelope.ts";
import { Subjects } from "../../nats/subjects.ts";
import { PeerHub } from "../../peers.ts";
import { type Events, Members } from "../support/peer_rooms.ts";
import { hex } from "../support/bytes.ts";
import { engine, freePort, RunningEngine, testWith } from "./engines/engine.ts";

const NATS = engine("NATS", { commands: ["nats-server"] });
const ROOM = "\u0000peers:arena";

await testWith(
  NATS,
  "PeerHub over NATS notifies peers of other processes, and takes nothing from strangers",
  async () => {
    const port = freePort();
    await using _broker = await RunningEngine.start(
      ["nats-server", "-a", "127.0.0.1", "-p", `${port}`],
      { ready: "Server is ready", at: [`tcp://127.0.0.1:${port}`], endBy: "SIGKILL" },
    );
    await using members = new Members();
    await using plane = await nats({ servers: `127.0.0.1:${port}` });
    await using otherPlane = await nats({ servers: `127.0.0.1:${port}` });
    using hub = new PeerHub<Events>({ backplane: plane });
    using other = new PeerHub<Events>({ backplane: otherPlane });
    const [here, there] = await members.many(2);
    hub.join("arena", here.peer, { data: "Ada" });
    other.join("arena", there.peer, { data: "Bob" });

    // Until the first one comes, the subscription is not at the broker.
    const timer = setInterval(() => hub.notify("arena", "bare"), 20);
    await there.told.first(1);
    clearInterval(timer);
    const params = { name: "Ada", x: 1, text: "é\u{1f600}".repeat(2_000) };
    for (let n = 0; n < 500; n++) hub.notify("arena", "moved", { ...params, x: n });
    hub.notify("arena", "said", Uint8Array.of(0, 255));
    const isMove = (value: unknown) => value !== "bare";
    while (there.told.all.filter(isMove).length < 501) {
      await there.told.first(
        there.told.all.length + 1,
      );
    }
    const moves = there.told.all.filter(isMove);
    assertEquals(moves.slice(0, 500), Array.from({ length: 500 }, (_, x) => ({ ...params, x })));
    assertEquals(moves[500], Uint8Array.of(0, 255));

    const room = hub.presence("arena");
    await room.ready;
    assertEquals([...room].map(({ data }) => data).toSorted(), ["Ada", "Bob"]);

    const stranger = await connectToNats({ servers: `127.0.0.1:${port}` });
    const { subject } = new Subjects("lengthwise").of(ROOM);
    const messages = [
      "",
      "03",
      "01",
      "0130010461736b",
      "01a60131",
      "0121047361696422",
      "01004c575251",
    ];
    for (const [index, message] of messages.entries()) {
      stranger.publish(
        subject,
        encodeEnvelope({
          publisher: 0x0123456789abcdefn,
          number: index + 1,
          previous: index,
          kind: "bytes" as const,
          message: hex(message),
        }, encodeName(ROOM)),
      );
    }
    stranger.publish(subject, "no envelope");
    await stranger.flush();
    await stranger.close();
    // All that was published before has come when this one comes.
    const before = there.told.all.length;
    const again = setInterval(() => hub.notify("arena", "said", "last"), 20);
    await there.told.first(before + 1);
    clearInterval(again);
    assertEquals(there.told.all[before], "last");
    assertEquals(other.stats.foreign, messages.length);
    assertEquals([otherPlane.stats.foreign, otherPlane.stats.gaps], [1, 0]);
  },
);
