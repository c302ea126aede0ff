// A subscriber that comes back when its server does: deno run --allow-net examples/reconnect.ts
import { backoff, listen, reconnect, text } from "@lengthwise/lengthwise";

// This server greets and closes, so the subscriber has to come back.
let visits = 0;
await using server = await listen("tcp://127.0.0.1:0", { format: text() }, (connection) => {
  connection.send(`this is visit ${++visits}`);
});

const retry = backoff({ minDelay: 100, maxDelay: 5_000, maxAttempts: 20 });
for await (const connection of reconnect(server.endpoints[0], { format: text(), retry })) {
  for await (const message of connection) console.log(message);
  if (visits === 3) break;
}
