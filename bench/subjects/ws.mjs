/** `ws` as server under test and as client, as npm installs it and without compression. */

import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import process from "node:process";
import { answer, say, Tally, timesOf } from "./answer.mjs";
import { peer } from "./peer.mjs";

const { WebSocket, WebSocketServer } = await peer("ws", "wrapper.mjs");
const MAX_BUFFERED_BYTES = 1024 * 1024;
const tally = new Tally();

const SERVICES = {
  sink(socket) {
    socket.on("message", () => tally.received++);
  },

  /** The load does not answer a closing handshake, so there is none. */
  source(socket) {
    sendFor(socket, size, duration, () => socket.terminate());
  },

  echo(socket) {
    socket.on("message", (message) => socket.send(message));
  },

  fanOut(socket) {
    socket.on("message", (message) => {
      for (const other of server.clients) {
        if (other !== socket && other.readyState === WebSocket.OPEN) other.send(message);
      }
    });
  },

  idle() {},
};

/** Sends for a while: until a megabyte waits, then until half of it has left, and so on. */
function sendFor(socket, size, duration, whenSent) {
  const message = Buffer.alloc(size, 97);
  const perCallback = Math.max(1, Math.floor(64 * 1024 / size));
  const sent = { messages: 0 };
  const end = performance.now() + duration;
  let ended = false;
  const more = () => {
    if (ended || socket.bufferedAmount > MAX_BUFFERED_BYTES / 2) return;
    while (socket.bufferedAmount < MAX_BUFFERED_BYTES && performance.now() < end) {
      for (let i = 1; i < perCallback; i++) socket.send(message);
      socket.send(message, more);
      sent.messages += perCallback;
    }
    if (performance.now() < end) return;
    ended = true;
    sent.messages++;
    socket.send(message, whenSent);
  };
  more();
  return sent;
}

function opened(port) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
    socket.on("open", () => resolve(socket));
    socket.on("error", reject);
  });
}

const CLIENT = {
  async send({ port, size, duration }) {
    const socket = await opened(port);
    const start = performance.now();
    const sent = sendFor(socket, size, duration, () => socket.close());
    await new Promise((resolve) => socket.on("close", resolve));
    return { ...sent, seconds: (performance.now() - start) / 1000 };
  },

  async roundTrip({ port, size, count }) {
    const socket = await opened(port);
    const message = Buffer.alloc(size, 97);
    let back = () => {};
    socket.on("message", () => back());
    const times = await timesOf(count, () =>
      new Promise((resolve) => {
        back = resolve;
        socket.send(message);
      }));
    socket.close();
    return times;
  },
};

const [service, size, duration] = [
  process.argv[2],
  Number(process.argv[3]),
  Number(process.argv[4]),
];
const http = createServer();
const server = new WebSocketServer({ server: http });
server.on("connection", (socket) => {
  tally.opened();
  socket.on("error", () => {});
  SERVICES[service](socket);
});
http.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => {
  answer({ ...tally.commands, ...CLIENT });
  say({ port: http.address().port });
});
