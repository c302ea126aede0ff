/** Lengthwise over any road, as server and as client, with all limits at their defaults. */

import { connect } from "../../../client.ts";
import type { Connection } from "../../../connection.ts";
import { listen } from "../../../server.ts";
import {
  arrivals,
  directory,
  medianTime,
  readTls,
  ready,
  repeatFor,
  road,
  type Run,
  service,
} from "./road.ts";

const ENDPOINTS: Record<string, string> = {
  unix: `unix:${directory}/${service}`,
  memory: "memory:bench",
};

const HANDLERS = {
  async sink(connection: Connection) {
    if (road === "udp") await connection.send(await connection.receive() ?? "");
    for await (const batch of connection.batches()) arrivals.add(batch.length);
  },

  async echo(connection: Connection) {
    for await (const message of connection) await connection.send(message);
  },
};

const tls = readTls();

function open(to: string): Promise<Connection> {
  return connect(to, { tls: tls && { ca: tls.ca } });
}

const client = {
  /** Sends, and waits until the server has read everything and closed. */
  async send({ to, size, duration }: Run) {
    const connection = await open(to);
    const message = new Uint8Array(size).fill(97);
    if (road === "udp") {
      // Before a server has accepted a peer, it takes little from it.
      await connection.send(message);
      await connection.receive();
    }
    const perAwait = 64 * 1024 / size;
    const start = performance.now();
    const times = await repeatFor(duration, () => {
      for (let i = 1; i < perAwait; i++) connection.send(message);
      return connection.send(message);
    });
    await connection.close();
    return { messages: times * perAwait, seconds: (performance.now() - start) / 1000 };
  },

  async roundTrip({ to, size, count }: Run) {
    await using connection = await open(to);
    const message = new Uint8Array(size).fill(97);
    return await medianTime(count, async () => {
      connection.send(message);
      await connection.receive();
    });
  },
};

const server = await listen(
  ENDPOINTS[road] ?? `${road}://127.0.0.1:0`,
  { tls: tls && { cert: tls.cert, key: tls.key } },
  (connection) => HANDLERS[service](connection),
);
ready(server.endpoints[0], client);
