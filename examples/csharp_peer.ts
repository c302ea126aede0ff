// A server for the classic C# sample: 4 bytes of little-endian length, then UTF-8. It tells every
// client how many are there: deno run --allow-net examples/csharp_peer.ts
import { listen, text } from "@lengthwise/lengthwise";

const endpoint = Deno.args[0] ?? "tcp://127.0.0.1:9000?framing=u32le";
await using server = await listen(endpoint, { format: text() }, async (connection) => {
  server.broadcast(`${server.connections.size} clients`);
  for await (const message of connection) {
    server.broadcast(`#${connection.id}: ${message}`, { except: connection });
  }
});
console.log(`listening on ${server.endpoints[0]}`);
await server.closed;
