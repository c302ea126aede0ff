/**
 * What 8000 idle connections weigh in bare Deno, before anybody has added anything: the object alone, and
 * with the read that waits for the first byte.
 *
 * ```
 * deno run -A bench/ceilings/idle.ts object|read
 * ```
 */

const COUNT = 8000;
const CALM = 500;

const [kind] = Deno.args;
if (kind !== "object" && kind !== "read") {
  console.error("usage: deno run -A bench/ceilings/idle.ts object|read");
  Deno.exit(2);
}
const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 4096 });
const before = Deno.memoryUsage().rss;
const holder = `
  const held = [];
  for (let n = 0; n < ${COUNT}; n++) {
    held.push(await Deno.connect({ hostname: "127.0.0.1", port: ${listener.addr.port} }));
  }
  setInterval(() => held, 1_000);
`;
const child = new Deno.Command(Deno.execPath(), { args: ["eval", holder], stdin: "null" }).spawn();
const connections: Deno.TcpConn[] = [];
// All read into one buffer: nothing is sent here.
const chunk = new Uint8Array(256);
while (connections.length < COUNT) {
  const conn = await listener.accept();
  connections.push(conn);
  if (kind === "read") conn.read(chunk).catch(() => {});
}
await new Promise((resolve) => setTimeout(resolve, CALM));
console.log(`${kind}: ${Math.round((Deno.memoryUsage().rss - before) / COUNT)} B per connection`);
child.kill("SIGKILL");
Deno.exit();
