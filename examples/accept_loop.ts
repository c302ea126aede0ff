// An accept loop of your own, with a task for each connection:
// deno run --allow-net examples/accept_loop.ts
import { connect, type Connection, listen } from "@lengthwise/lengthwise";

async function count(connection: Connection): Promise<void> {
  await using _closing = connection;
  for await (const _message of connection);
  const { messagesReceived, bytesReceived } = connection.stats;
  console.log(`#${connection.id} sent ${messagesReceived} messages in ${bytesReceived} bytes`);
}

await using server = await listen(["tcp://127.0.0.1:0", "tcp://127.0.0.1:0?framing=line"]);
const clients = server.endpoints.map(async (endpoint) => {
  await using connection = await connect(endpoint);
  for (let i = 0; i < 1000; i++) await connection.send(`message ${i}`);
});

const tasks: Promise<void>[] = [];
for await (const connection of server) {
  tasks.push(count(connection));
  if (tasks.length === clients.length) break;
}
await Promise.all([...tasks, ...clients]);
