/** The floor for `node:tls`, on which Lengthwise stands: its sockets in Deno, without messages. */

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:tls";
import { arrivals, CHUNK_BYTES, medianTime, readTls, ready, repeatFor } from "./road.ts";
import { type Run, service } from "./road.ts";

const HOST = "127.0.0.1";
const { ca, cert, key } = readTls()!;

async function open(to: string) {
  const socket = connect({ host: HOST, port: Number(to), ca, servername: "" });
  socket.setNoDelay(true);
  await once(socket, "secureConnect");
  return socket;
}

const client = {
  async send({ to, size, duration }: Run) {
    const socket = await open(to);
    socket.resume();
    const frames = Math.floor(CHUNK_BYTES / (4 + size));
    const block = new Uint8Array(frames * (4 + size));
    const start = performance.now();
    const blocks = await repeatFor(
      duration,
      () => new Promise((resolve) => socket.write(block, resolve)),
    );
    socket.end();
    await once(socket, "close");
    return { messages: blocks * frames, seconds: (performance.now() - start) / 1000 };
  },

  async roundTrip({ to, size, count }: Run) {
    const socket = await open(to);
    const frame = new Uint8Array(4 + size);
    let missing = 0;
    let back = () => {};
    socket.on("data", (chunk: Uint8Array) => {
      missing -= chunk.length;
      if (missing === 0) back();
    });
    const median = await medianTime(count, () =>
      new Promise<void>((resolve) => {
        missing = frame.length;
        back = resolve;
        socket.write(frame);
      }));
    socket.destroy();
    return median;
  },
};

const server = createServer({ cert, key, noDelay: true }, (socket) => {
  socket.on("data", (chunk: Uint8Array) => {
    if (service === "sink") arrivals.addBytes(chunk.length);
    else socket.write(chunk);
  });
  socket.on("error", () => {}); // A client that is done with its round trips just goes.
});
server.listen(0, HOST, () => ready(`${(server.address() as AddressInfo).port}`, client));
