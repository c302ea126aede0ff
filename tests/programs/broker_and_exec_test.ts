import { assertEquals, assertMatch } from "@std/assert";
import { isText } from "../../connection.ts";
import { connect, type Connection } from "../../mod.ts";
import { runHere, ServerHere } from "../support/in_process.ts";

const decoder = new TextDecoder();

async function receiveText(connection: Connection): Promise<string> {
  return decoder.decode(await connection.receive());
}

Deno.test("--service broker sends what one says to all others, as it is, over any transport", async () => {
  await using server = await ServerHere.start(
    [
      "tcp://127.0.0.1:0",
      "ws://127.0.0.1:0",
      "tcp://127.0.0.1:0?framing=line",
      "--service",
      "broker",
    ],
    { count: 3 },
  );
  const [one, two, three] = await Promise.all(
    server.endpoints.map((endpoint) => connect(endpoint)),
  );
  // Each is there when its first word has reached the others.
  for (const [i, connection] of [one, two, three].entries()) {
    const others = [one, two, three].filter((other) => other !== connection);
    for (let isKnown = false; !isKnown;) {
      await connection.send(`here ${i}`);
      isKnown = (await Promise.all(others.map(receiveText))).every((text) => text === `here ${i}`);
    }
  }
  await one.send("* not a chat");
  assertEquals(await receiveText(two), "* not a chat");
  assertEquals(await receiveText(three), "* not a chat");
  await two.send("words");
  assertEquals(await receiveText(one), "words");
  await two.send(new Uint8Array([1, 0, 255]));
  const bytes = (await one.receive())!;
  assertEquals([bytes.toHex(), isText(bytes)], ["0100ff", false]);
  for (const connection of [one, two, three]) await connection.close();
});

Deno.test("--service broker goes on for the others when one goes or breaks the rules", async () => {
  await using server = await ServerHere.start(["tcp://127.0.0.1:0", "--service", "broker"]);
  const [one, two] = await Promise.all([1, 2].map(() => connect(server.endpoints[0])));
  const raw = await Deno.connect({ hostname: "127.0.0.1", port: server.port() });
  await raw.write(new Uint8Array([255, 255, 255, 255]));
  await server.logLine(/closed: Cannot receive message/);
  raw.close();
  await one.send("still here");
  assertEquals(await receiveText(two), "still here");
  for (const connection of [one, two]) await connection.close();
});

Deno.test("--service exec runs a program per connection, and reports its end", async () => {
  await using server = await ServerHere.start([
    ...["tcp://127.0.0.1:0?framing=line", "--service", "exec", "--exec", "tr a-z A-Z", "--json"],
  ]);
  await using client = await connect(server.endpoints[0]);
  await client.send("hello");
  await client.closeWrite();
  assertEquals(await receiveText(client), "HELLO");
  assertEquals(await client.receive(), undefined);
  for (;;) {
    const event = JSON.parse(await server.nextLine());
    if (event.event !== "exited") continue;
    assertEquals([event.command, event.code], ["tr", 0]);
    break;
  }
});

Deno.test("--service exec says what is wrong with its options", async () => {
  const cases: [args: string[], code: number, message: RegExp][] = [
    [["--service", "exec"], 2, /--service exec needs --exec COMMAND or --shell LINE/],
    [["--exec", "cat"], 2, /--exec is for the service exec, not for chat/],
    [["--service", "echo", "--in", "hex"], 2, /--in is for the service exec, not for echo/],
    [["--service", "exec", "--exec", "'"], 2, /a quote does not end/],
  ];
  for (const [args, code, message] of cases) {
    const result = await runHere("server.ts", [":0", ...args]);
    assertMatch(result.stderr, message);
    assertEquals(result.code, code);
  }
});
