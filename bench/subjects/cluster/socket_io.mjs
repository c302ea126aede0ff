/** Socket.IO, one with others over the Redis server at the port that is given, by its adapter for streams. */

import { createServer } from "node:http";
import process from "node:process";
import { answer, say } from "../answer.mjs";
import { peer } from "../peer.mjs";

const { Server } = await peer("socket.io", "wrapper.mjs");
const { createAdapter } = await peer("@socket.io/redis-streams-adapter", "dist/index.js");
const { createClient } = await peer("redis", "dist/index.js");
const redis = createClient({ url: `redis://127.0.0.1:${process.argv[2]}` });
await redis.connect();
const http = createServer();
const io = new Server(http, { transports: ["websocket"], adapter: createAdapter(redis) });
io.on("connection", (socket) => {
  socket.on("m", (message) => socket.broadcast.emit("m", message));
});
http.listen(0, "127.0.0.1", () => {
  answer({});
  say({ port: http.address().port });
});
