/** Socket.IO over WebSockets, echoing an event. */

import { createServer } from "node:http";
import { answer, say } from "../answer.mjs";
import { peer } from "../peer.mjs";

const { Server } = await peer("socket.io", "wrapper.mjs");
const http = createServer();
new Server(http, { transports: ["websocket"] }).on("connection", (socket) => {
  socket.on("echo", (message) => socket.emit("echo", message));
});
http.listen(0, "127.0.0.1", () => {
  answer({});
  say({ port: http.address().port });
});
