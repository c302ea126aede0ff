/** The floor for WebSockets: those that are built into Deno, at both ends, a `send()` per message. */

import { setImmediate } from "node:timers";
import { arrivals, medianTime, readTls, ready, repeatFor, road, type Run } from "./road.ts";
import { service } from "./road.ts";

const HOST = "127.0.0.1";
const MAX_BUFFERED_BYTES = 1024 * 1024;
const tls = readTls();

/** Whoever started this process told Deno to trust the authority. */
async function open(to: string): Promise<WebSocket> {
  const socket = new WebSocket(`${road}://${HOST}:${to}`);
  socket.binaryType = "arraybuffer";
  await event(socket, "open");
  return socket;
}

function event(socket: WebSocket, name: "open" | "close"): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.addEventListener(name, () => resolve(), { once: true });
    socket.addEventListener("error", (error) => reject(error), { once: true });
  });
}

const client = {
  async send({ to, size, duration }: Run) {
    const socket = await open(to);
    const message = new Uint8Array(size).fill(97);
    const perBlock = 64 * 1024 / size;
    const start = performance.now();
    const blocks = await repeatFor(duration, async () => {
      for (let i = 0; i < perBlock; i++) socket.send(message);
      // Nothing tells when there is room again.
      while (socket.bufferedAmount > MAX_BUFFERED_BYTES) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    const closed = event(socket, "close");
    socket.close();
    await closed;
    return { messages: blocks * perBlock, seconds: (performance.now() - start) / 1000 };
  },

  async roundTrip({ to, size, count }: Run) {
    const socket = await open(to);
    const message = new Uint8Array(size).fill(97);
    let back = () => {};
    socket.onmessage = () => back();
    const median = await medianTime(count, () =>
      new Promise<void>((resolve) => {
        back = resolve;
        socket.send(message);
      }));
    const closed = event(socket, "close");
    socket.close();
    await closed;
    return median;
  },
};

const server = Deno.serve({
  hostname: HOST,
  port: 0,
  onListen: () => {},
  ...(tls && { cert: tls.cert, key: tls.key }),
}, (request) => {
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => service === "sink" ? arrivals.add(1) : socket.send(data);
  return response;
});
ready(`${server.addr.port}`, client);
