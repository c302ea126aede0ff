/** `node:net` as server under test and as client, written by hand by someone who knows it. */

import { Buffer } from "node:buffer";
import { connect, createServer } from "node:net";
import process from "node:process";
import { answer, say, Tally, timesOf } from "./answer.mjs";
import { Outgoing, receive } from "./net_frames.mjs";

const tally = new Tally();

const SERVICES = {
  sink(socket) {
    receive(socket, () => tally.received++);
  },

  source(socket) {
    sendFor(socket, size, duration);
  },

  /** The replies to one chunk leave in one write; while the peer does not read, nothing is read. */
  echo(socket) {
    const out = new Outgoing(socket);
    receive(socket, (message) => out.send(message), () => {
      if (!out.flush()) socket.pause();
    });
    socket.on("drain", () => socket.resume());
  },

  /** The idiom of Node's documentation: write each reply, corked, and let the stream gather them. */
  echoCorked(socket) {
    let corked = false;
    receive(socket, (message) => {
      if (!corked) socket.cork();
      corked = true;
      const frame = Buffer.allocUnsafe(4 + message.length);
      frame.writeUInt32BE(message.length);
      frame.set(message, 4);
      socket.write(frame);
    }, () => {
      if (corked) socket.uncork();
      corked = false;
      if (socket.writableNeedDrain) socket.pause();
    });
    socket.on("drain", () => socket.resume());
  },

  idle(socket) {
    receive(socket, () => {});
  },
};

/** Sends for a while, as fast as the peer reads, and ends; counts into `sent.messages`. */
function sendFor(socket, size, duration) {
  const message = Buffer.alloc(size, 97);
  const out = new Outgoing(socket);
  const sent = { messages: 0 };
  const end = performance.now() + duration;
  const more = () => {
    while (performance.now() < end) {
      let room = true;
      for (let i = 0; i < 256 && room; i++, sent.messages++) room = out.send(message);
      if (!room) return;
    }
    out.flush();
    socket.end();
  };
  socket.on("drain", more);
  socket.resume();
  more();
  return sent;
}

const CLIENT = {
  send: ({ port, size, duration }) =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port, noDelay: true }, () => {
        const start = performance.now();
        const sent = sendFor(socket, size, duration);
        socket.on("close", () => resolve({ ...sent, seconds: (performance.now() - start) / 1000 }));
      });
      socket.on("error", reject);
    }),

  async roundTrip({ port, size, count }) {
    const message = Buffer.alloc(size, 97);
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    const out = new Outgoing(socket);
    let back = () => {};
    receive(socket, () => back());
    const times = await timesOf(count, () =>
      new Promise((resolve) => {
        back = resolve;
        out.send(message);
        out.flush();
      }));
    socket.destroy();
    return times;
  },
};

const [service, size, duration] = [
  process.argv[2],
  Number(process.argv[3]),
  Number(process.argv[4]),
];
const server = createServer({ noDelay: true }, (socket) => {
  tally.opened();
  socket.on("error", () => {});
  SERVICES[service](socket);
});
server.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => {
  answer({ ...tally.commands, ...CLIENT });
  say({ port: server.address().port });
});
