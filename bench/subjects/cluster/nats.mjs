/** NATS alone: what one connection publishes comes to another one. */

import process from "node:process";
import { answer, say, timesOf } from "../answer.mjs";
import { peer } from "../peer.mjs";

const { connect } = await peer("@nats-io/transport-node", "lib/mod.js");
const servers = `127.0.0.1:${process.argv[2]}`;
const publisher = await connect({ servers });
const subscriber = await connect({ servers });
let received = () => {};
subscriber.subscribe("hop", { callback: () => received() });
await subscriber.flush();
answer({
  /** @param {{ size: number, count: number }} args How large the messages are, and how many. */
  hop: ({ size, count }) => {
    const message = new Uint8Array(size);
    return timesOf(count, () => {
      const coming = /** @type {Promise<void>} */ (new Promise((resolve) => received = resolve));
      publisher.publish("hop", message);
      return coming;
    });
  },
});
say({ ready: true });
