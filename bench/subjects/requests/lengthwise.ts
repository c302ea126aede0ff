/** Lengthwise's requests, as server under test and as client, with all limits at their defaults. */

import { connect } from "../../../client.ts";
import { requests } from "../../../request.ts";
import { listen } from "../../../server.ts";
import { answer, say } from "../answer.mjs";
import { asking } from "./asking.mjs";

// What is written for traces, in a process where nothing traces.
const traced = Deno.args.includes("telemetry")
  ? { telemetry: (await import("../../../telemetry.ts")).telemetry() }
  : {};

async function open({ to }: { to: string }) {
  const peer = requests(await connect(to, traced), {}, traced);
  const ask = (params: string | Uint8Array) => peer.request("same", params);
  return { ask, close: () => peer.close() };
}

const server = await listen("tcp://127.0.0.1:0", traced, async (connection) => {
  await requests(connection, { same: (params) => params }, traced).closed;
});
answer(asking(open));
say({ to: server.endpoints[0] });
