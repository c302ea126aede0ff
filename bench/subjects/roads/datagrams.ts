/** The floor for UDP: `node:dgram`, on which Lengthwise stands, and a datagram per message. */

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { arrivals, medianTime, ready, repeatFor, type Run, service } from "./road.ts";

const HOST = "127.0.0.1";

async function open(): Promise<Socket> {
  // Without a look-up per datagram, as Lengthwise does it.
  const socket = createSocket({
    type: "udp4",
    lookup: (address, _options, callback) => callback(null, address, 4),
  });
  const listening = once(socket, "listening");
  socket.bind(0, HOST);
  await listening;
  return socket;
}

const client = {
  async send({ to, size, duration }: Run) {
    const socket = await open();
    const [message, port] = [new Uint8Array(size).fill(97), Number(to)];
    const start = performance.now();
    const messages = await repeatFor(
      duration,
      () => new Promise((resolve) => socket.send(message, port, HOST, resolve)),
    );
    const seconds = (performance.now() - start) / 1000;
    socket.close();
    return { messages, seconds };
  },

  async roundTrip({ to, size, count }: Run) {
    const socket = await open();
    const [message, port] = [new Uint8Array(size).fill(97), Number(to)];
    let back = () => {};
    socket.on("message", () => back());
    const median = await medianTime(count, () =>
      new Promise<void>((resolve) => {
        back = resolve;
        socket.send(message, port, HOST);
      }));
    socket.close();
    return median;
  },
};

const server = await open();
server.on("message", (message, { port, address }) => {
  if (service === "sink") arrivals.add(1);
  else server.send(message, port, address);
});
ready(`${server.address().port}`, client);
