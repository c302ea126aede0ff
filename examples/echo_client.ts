// A client of examples/echo_server.ts: deno run --allow-net examples/echo_client.ts
import { connect, text } from "@lengthwise/lengthwise";

const endpoint = Deno.args[0] ?? "tcp://127.0.0.1:7000?framing=u32be";
await using connection = await connect(endpoint, { format: text() });
await connection.send("hello");
console.log(await connection.receive());
