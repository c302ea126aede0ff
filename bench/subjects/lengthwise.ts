/** Lengthwise as server under test and as client, with all limits at their defaults. */

import { connect } from "../../client.ts";
import type { Connection } from "../../connection.ts";
import { listen, type Server } from "../../server.ts";
import { answer, say, Tally, timesOf } from "./answer.mjs";

const tally = new Tally();

/** By service. A handler's end closes its connection in order. */
const HANDLERS: Record<string, (connection: Connection) => Promise<void>> = {
  async sink(connection) {
    let count = 0;
    for await (const batch of connection.batches()) count += batch.length;
    tally.received += count;
  },

  /** Batches that make a view only of the messages that are asked for: here of none. */
  async sinkLazy(connection) {
    let count = 0;
    for await (using batch of connection.rawBatches()) count += batch.length;
    tally.received += count;
  },

  async sinkEach(connection) {
    let count = 0;
    for await (const _message of connection) count++;
    tally.received += count;
  },

  async source(connection) {
    await sendFor(connection, size, duration);
  },

  async echo(connection) {
    for await (const message of connection) await connection.send(message);
  },

  async fanOut(connection) {
    for await (const message of connection) server.broadcast(message, { except: connection });
  },

  async idle(connection) {
    for await (const _message of connection);
  },
};

/** The fastest that `send()` allows: forget most promises, await one now and then. */
async function sendFor(connection: Connection, size: number, duration: number): Promise<number> {
  const message = new Uint8Array(size).fill(97);
  const perAwait = Math.max(1, Math.floor(64 * 1024 / size));
  const end = performance.now() + duration;
  let messages = 0;
  for (; performance.now() < end; messages += perAwait) {
    for (let i = 1; i < perAwait; i++) connection.send(message);
    await connection.send(message);
  }
  return messages;
}

interface Sending {
  readonly port: number;
  readonly size: number;
  readonly duration: number;
  readonly session?: boolean;
}

const CLIENT = {
  /** Sends, and waits until the server has read everything and closed. */
  async send({ port, size, duration, session }: Sending) {
    const connection = await connect(`tcp://127.0.0.1:${port}`, { session });
    const start = performance.now();
    const messages = await sendFor(connection, size, duration);
    await connection.close();
    return { messages, seconds: (performance.now() - start) / 1000 };
  },

  async roundTrip({ port, size, count }: { port: number; size: number; count: number }) {
    await using connection = await connect(`tcp://127.0.0.1:${port}`);
    const message = new Uint8Array(size).fill(97);
    return await timesOf(count, async () => {
      connection.send(message);
      await connection.receive();
    });
  },
};

const [service, size, duration] = [Deno.args[0], Number(Deno.args[1]), Number(Deno.args[2])];
const session = Deno.args[3] === "session";
const server: Server = await listen("tcp://127.0.0.1:0", { session }, (connection) => {
  tally.opened();
  return HANDLERS[service](connection);
});
answer({ ...tally.commands, ...CLIENT });
say({ port: Number(new URL(server.endpoints[0]).port), session });
