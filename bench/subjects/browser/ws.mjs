/** `ws`, echoing, as npm installs it and without compression. */

import { answer, say } from "../answer.mjs";
import { peer } from "../peer.mjs";

const { WebSocketServer } = await peer("ws", "wrapper.mjs");
const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
server.on("connection", (socket) => {
  socket.on("message", (message, binary) => socket.send(message, { binary }));
});
server.on("listening", () => {
  answer({});
  say({ port: server.address().port });
});
