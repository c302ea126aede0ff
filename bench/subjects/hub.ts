/** Lengthwise's hub as server under test, with all limits at their defaults but that of connections. */

import { Hub } from "../../hub.ts";
import { listen } from "../../server.ts";
import { answer, say, Tally } from "./answer.mjs";

const ROOM = "everyone";
const tally = new Tally();
let emptied = Promise.withResolvers<void>();
const hub = new Hub({ onEmpty: () => emptied.resolve() });
const server = await listen("tcp://127.0.0.1:0", { maxConnections: 20_000 }, async (connection) => {
  tally.opened();
  hub.join(ROOM, connection);
  for await (const message of connection) hub.broadcast(ROOM, message, { except: connection });
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
