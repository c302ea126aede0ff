import { assertEquals } from "@std/assert";
import { connect, listen } from "../../mod.ts";

Deno.test("udp: with ?framing=line a message is a datagram that ends in a newline", async () => {
  await using server = await listen(
    "udp://127.0.0.1:0?framing=line",
    { udp: { idleTimeout: 500 } },
    async (c) => {
      for await (const message of c) await c.send(message);
    },
  );
  assertEquals(server.endpoints[0].endsWith("?framing=line"), true);
  await using client = await connect(server.endpoints[0].replace("?framing=line", ""));
  for (
    const [sent, got] of [["a", "a\n"], ["b\n", "b\n"], ["c\r\n", "c\n"], ["", "\n"], [
      "d\n\n",
      "d\n\n",
    ]]
  ) {
    client.send(sent);
    assertEquals(new TextDecoder().decode(await client.receive()), got);
  }
  await using person = await connect(server.endpoints[0]);
  person.send("typed");
  assertEquals(new TextDecoder().decode(await person.receive()), "typed");
});
