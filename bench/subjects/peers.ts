/** Lengthwise's hub of peers as server under test, with all limits at their defaults but that of connections. */

import { PeerHub } from "../../peers.ts";
import { requests } from "../../request.ts";
import { listen } from "../../server.ts";
import { answer, say, Tally } from "./answer.mjs";

interface Events {
  moved(params: Uint8Array): void;
}

interface Service extends Events {
  ready(): void;
}

const ROOM = "everyone";
const tally = new Tally();
let emptied = Promise.withResolvers<void>();
const hub = new PeerHub<Events>({ onEmpty: () => emptied.resolve() });
const server = await listen("tcp://127.0.0.1:0", { maxConnections: 20_000 }, async (connection) => {
  const peer = requests<Events, Service>(connection, {
    ready: () => tally.opened(),
    moved(params, { peer }) {
      hub.notify(ROOM, "moved", params, { except: peer });
    },
  });
  hub.join(ROOM, peer);
  await peer.closed;
});
answer({
  ...tally.commands,
  /** Waits until the members of the last run have gone, which thousands do not do at once. */
  async emptied() {
    await emptied.promise;
    emptied = Promise.withResolvers<void>();
  },
});
say({ port: Number(new URL(server.endpoints[0]).port) });
