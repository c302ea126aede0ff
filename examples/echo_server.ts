// An echo server: deno run --allow-net examples/echo_server.ts
import { listen } from "@lengthwise/lengthwise";

const endpoint = Deno.args[0] ?? "tcp://127.0.0.1:7000?framing=u32be";
const server = await listen(endpoint, async (connection) => {
  for await (const message of connection) await connection.send(message);
});
console.log(`listening on ${server.endpoints[0]}`);
await server.closed;
