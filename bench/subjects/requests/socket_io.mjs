/** Acknowledgements of Socket.IO over a WebSocket, as server under test and as client. */

import { createServer } from "node:http";
import { answer, say } from "../answer.mjs";
import { peer } from "../peer.mjs";
import { asking } from "./asking.mjs";

const { Server } = await peer("socket.io", "wrapper.mjs");
const { default: client } = await peer("socket.io-client", "build/cjs/index.js");
const OPTIONS = { transports: ["websocket"] };

async function open({ to }) {
  const socket = client.io(to, { ...OPTIONS, forceNew: true });
  await new Promise((resolve, reject) => {
    socket.on("connect", resolve);
    socket.on("connect_error", reject);
  });
  return { ask: (params) => socket.emitWithAck("same", params), close: () => socket.close() };
}

const http = createServer();
new Server(http, OPTIONS).on("connection", (socket) => {
  socket.on("same", (params, acknowledge) => acknowledge(params));
});
http.listen(0, "127.0.0.1", () => {
  answer(asking(open));
  say({ to: `http://127.0.0.1:${http.address().port}` });
});
