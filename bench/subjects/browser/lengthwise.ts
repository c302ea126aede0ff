/** Lengthwise's WebSockets, echoing. */

import { listen } from "../../../server.ts";
import { answer, say } from "../answer.mjs";

const server = await listen("ws://127.0.0.1:0", async (connection) => {
  for await (const message of connection) await connection.send(message);
});
answer({});
say({ port: Number(new URL(server.endpoints[0]).port) });
