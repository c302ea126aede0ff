// Under Hono: who is logged in at the app is known to the connection, too.
// deno run --allow-net examples/hono.ts [PORT]
import { listen, RefusedError, text } from "@lengthwise/lengthwise";
import { Hono } from "hono";
import { setCookie } from "hono/cookie";

const users = new Map<string, { id: string }>();

const server = await listen([], {
  format: text(),
  authorize: ({ cookies }) =>
    users.get(cookies.get("sid") ?? "") ?? new RefusedError("log in first", { status: 401 }),
}, async (connection) => {
  for await (const message of connection) {
    server.broadcast(`${connection.user.id}: ${message}`);
  }
});

const app = new Hono();
app.get("/", (c) => c.html(`<!DOCTYPE html><title>Log in as /login/NAME</title><p id="said"></p>`));
app.get("/login/:name", (c) => {
  const sid = crypto.randomUUID();
  users.set(sid, { id: c.req.param("name") });
  setCookie(c, "sid", sid, { httpOnly: true, sameSite: "Strict" });
  return c.html(`<!DOCTYPE html><title>Talk</title><input id="line" autofocus><p id="said"></p>
<script>
  const socket = new WebSocket("/live");
  socket.onmessage = ({ data }) => said.textContent += data + " ";
  line.onchange = () => socket.send(line.value);
</script>`);
});
app.get("/live", (c) => server.upgrade(c.req.raw, c.env as Deno.ServeHandlerInfo));

Deno.serve({ hostname: "127.0.0.1", port: Number(Deno.args[0] ?? 8000) }, app.fetch);
