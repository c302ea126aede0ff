/**
 * Requests over NATS, whose server stands between both ends: as the end that answers, which starts the
 * server, and as client.
 */

import process from "node:process";
import { answer, say } from "../answer.mjs";
import { peer } from "../peer.mjs";
import { asking } from "./asking.mjs";
import { startServer } from "./nats_server.mjs";

const { connect } = await peer("@nats-io/transport-node", "lib/mod.js");
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** JSON is the application's own affair here. */
async function open({ to, kind }) {
  const nats = await connect({ servers: to });
  const options = { timeout: 10_000 };
  const ask = kind === "bytes"
    ? async (params) => (await nats.request("same", params, options)).data
    : async (params) => {
      const { data } = await nats.request(
        "same.json",
        encoder.encode(JSON.stringify(params)),
        options,
      );
      return JSON.parse(decoder.decode(data));
    };
  return { ask, close: () => nats.close() };
}

async function serve(to) {
  const nats = await connect({ servers: to });
  nats.subscribe("same", {
    callback: (_error, message) => {
      message.respond(message.data);
    },
  });
  nats.subscribe("same.json", {
    callback: (_error, message) => {
      message.respond(encoder.encode(JSON.stringify(JSON.parse(decoder.decode(message.data)))));
    },
  });
  await nats.flush();
}

const isServer = process.argv[2] === "serve";
const to = isServer ? await startServer() : "";
if (isServer) await serve(to);
answer(asking(open));
say({ to });
