/** Lengthwise's hub as server under test, with all limits at their defaults. */

import { Hub } from "../../hub.ts";
import { listen } from "../../server.ts";
import { answer, say, Tally } from "./answer.mjs";

const ROOM = "everyone";
const tally = new Tally();
const hub = new Hub();
const server = await listen("tcp://127.0.0.1:0", async (connection) => {
  tally.opened();
  hub.join(ROOM, connection);
  for await (const message of connection) hub.broadcast(ROOM, message, { except: connection });
});
answer(tally.commands);
say({ port: Number(new URL(server.endpoints[0]).port) });
