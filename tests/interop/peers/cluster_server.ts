/**
 * A server of sessions in a cluster, which gives back what it hears: `cluster_server.ts BROKER_PORT PORT`. At
 * SIGTERM it sends its clients elsewhere, and ends when they have gone.
 */

import { joinCluster } from "../../../cluster.ts";
import { listen } from "../../../mod.ts";
import { nats } from "../../../nats.ts";

const [broker, port] = Deno.args;
const backplane = await nats({ servers: `127.0.0.1:${broker}` });
const cluster = joinCluster({ backplane, version: "9.8.7" });
const options = { session: true, cluster };
const server = await listen(`tcp://127.0.0.1:${port}`, options, async (session) => {
  for await (const message of session) await session.send(message);
});
Deno.addSignalListener("SIGTERM", async () => {
  server.drain("a restart");
  await Promise.all([...server.connections].map(({ closed }) => closed));
  await server.close();
  await backplane.close();
  Deno.exit();
});
console.log(`listening on ${server.endpoints[0]}`);
for await (const _ of Deno.stdin.readable);
