// Under an app that is there already: its pages by Deno.serve, and connections of ours at /live.
// deno run --allow-net examples/deno_serve.ts [PORT]
import { listen, text } from "@lengthwise/lengthwise";

const PAGE = `<!DOCTYPE html><title>Shout</title><input id="line" autofocus><ul id="said"></ul>
<script>
  const socket = new WebSocket("/live", ["shout.v1"]);
  socket.onmessage = ({ data }) => {
    said.append(Object.assign(document.createElement("li"), { textContent: data }));
  };
  line.onchange = () => {
    socket.send(line.value);
    line.value = "";
  };
</script>`;

const server = await listen([], { format: text() }, async (connection) => {
  await connection.send(`You speak ${connection.subprotocol}.`);
  for await (const message of connection) server.broadcast(message.toUpperCase());
});

Deno.serve({ hostname: "127.0.0.1", port: Number(Deno.args[0] ?? 8000) }, (request, info) => {
  if (new URL(request.url).pathname === "/live") return server.upgrade(request, info);
  return new Response(PAGE, { headers: { "Content-Type": "text/html; charset=utf-8" } });
});
