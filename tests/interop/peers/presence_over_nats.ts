/** A process with members of the room "room": `presence_over_nats.ts PORT NAME COUNT`. It ends with its input. */

import { Connection } from "../../../connection.ts";
import { Hub } from "../../../hub.ts";
import { nats } from "../../../nats.ts";
import { memoryPair } from "../../../testing.ts";

const [port, name, count] = Deno.args;
const backplane = await nats({ servers: `127.0.0.1:${port}` });
const hub = new Hub({
  backplane,
  presence: { heartbeatInterval: 150, leaseTimeout: 4_000 },
  onError: () => {},
});
for (let i = 0; i < Number(count); i++) {
  const [near] = memoryPair().map((transport) => new Connection(transport));
  hub.join("room", near, { data: { name: `${name} ${i}` } });
}
const room = hub.presence("room");
await room.ready;
console.log(`sees ${room.size}`);
for await (const _ of Deno.stdin.readable) console.log(`now sees ${room.size}`);
hub.close();
await backplane.close();
Deno.exit();
