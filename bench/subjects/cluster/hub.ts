/** A hub as server under test: alone, or one with others over the NATS broker at the port that is given. */

import { Hub } from "../../../hub.ts";
import { nats } from "../../../nats.ts";
import { listen } from "../../../server.ts";
import { answer, say, Tally } from "../answer.mjs";

const ROOM = "everyone";
const [broker] = Deno.args;
const tally = new Tally();
const backplane = broker === undefined ? undefined : await nats({ servers: `127.0.0.1:${broker}` });
const hub = new Hub({ backplane });
const server = await listen("tcp://127.0.0.1:0", { maxConnections: 2_000 }, async (connection) => {
  hub.join(ROOM, connection);
  tally.opened();
  for await (const message of connection) hub.broadcast(ROOM, message, { except: connection });
});
answer(tally.commands);
say({ port: Number(new URL(server.endpoints[0]).port) });
