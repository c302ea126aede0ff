/**
 * A server with one room, which it shares with every other server that is connected to the same NATS:
 * `deno run --allow-net deploy/rooms_over_nats.ts NATS ENDPOINT…`. What one member sends goes to all
 * others, wherever they are.
 */

import { Hub } from "../hub.ts";
import { nats } from "../nats.ts";
import { listen } from "../server.ts";

const ROOM = "everybody";

const [servers, ...endpoints] = Deno.args;
const backplane = await nats({ servers });
const hub = new Hub({ backplane, onError: (error) => console.error(String(error)) });
const server = await listen(endpoints, async (connection) => {
  hub.join(ROOM, connection);
  for await (const message of connection) hub.broadcast(ROOM, message, { except: connection });
});
for (const endpoint of server.endpoints) console.log(`listening on ${endpoint}`);
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, async () => {
    await server.close();
    hub.close();
    await backplane.close();
    Deno.exit();
  });
}
