/** As many bytes as the file has, in messages of 1 MiB, without files and hashes. */

import { connect } from "../../../client.ts";
import type { Connection } from "../../../connection.ts";
import { listen } from "../../../server.ts";
import { bytes, ready, timed } from "./transfer.ts";

const message = new Uint8Array(1024 * 1024).fill(97);

async function give(connection: Connection): Promise<void> {
  for (let sent = 0; sent < bytes; sent += message.length) await connection.send(message);
}

async function take(connection: Connection): Promise<void> {
  let taken = 0;
  for await (const batch of connection.batches()) {
    for (const { length } of batch) taken += length;
    if (taken >= bytes) break;
  }
  if (taken !== bytes) throw new Error(`Cannot count: ${taken} of ${bytes} bytes came`);
}

const taking = await listen("tcp://127.0.0.1:0", async (connection) => {
  await take(connection);
  await connection.send("taken");
});
const giving = await listen("tcp://127.0.0.1:0", async (connection) => {
  await connection.receive();
  await give(connection);
});

ready({ put: taking.endpoints[0], get: giving.endpoints[0] }, {
  async put(to) {
    await using connection = await connect(to);
    return await timed(async () => {
      await give(connection);
      if (await connection.receive() === undefined) {
        throw new Error("Cannot send: it was not taken");
      }
    });
  },

  async get(to) {
    await using connection = await connect(to);
    return await timed(async () => {
      await connection.send("give");
      await take(connection);
    });
  },
});
