/** A group with one worker over NATS: as the worker, which starts NATS' server, and as caller. */

import { joinGroup, requestGroup } from "../../../group.ts";
import { nats } from "../../../nats.ts";
import { answer, say } from "../answer.mjs";
import { asking } from "./asking.mjs";
import { startServer } from "./nats_server.mjs";

async function open({ to }: { to: string }) {
  const backplane = await nats({ servers: to });
  const group = requestGroup(backplane, "bench");
  await group.ready;
  return {
    ask: (params: string | Uint8Array) => group.request("same", params),
    async close() {
      await group.close();
      await backplane.close();
    },
  };
}

const isWorker = Deno.args[0] === "serve";
const to = isWorker ? await startServer() : "";
if (isWorker) {
  joinGroup(await nats({ servers: to }), "bench", { same: (params) => params }, {
    maxConcurrent: 1_000,
  });
}
answer(asking(open));
say({ to });
