/** One room with a client in each runtime that a client of ours is for. */

import { assertEquals } from "@std/assert";
import { connect, Hub, listen, text } from "../../mod.ts";
import { CHROMIUM, SharedBrowser } from "../support/browser.ts";
import { ClientPage, respond } from "../support/client_page.ts";
import { bundled } from "../support/runtimes/bundled.ts";
import { programOf } from "../support/runtimes/packages.ts";
import { testWith } from "./peers.ts";

const ROOT = new URL("../../", import.meta.url);
const NAMES = ["Bun", "Chromium", "Deno", "Node", "Python"];

/** Says its name, and gives what all have said. */
const CLIENT = `
import { connect, text } from "${ROOT}mod.ts";
const [endpoint, name] = process.argv.slice(2);
const connection = await connect(endpoint, { format: text() });
await connection.send(name);
const heard: unknown[] = [];
while (heard.length < ${NAMES.length}) heard.push(await connection.receive());
console.log(JSON.stringify(heard));
await connection.close();
`;

const IN_PAGE = `
const connection = await lengthwise.connect(args.endpoint, { format: lengthwise.text() });
await connection.send("Chromium");
const heard = [];
while (heard.length < args.count) heard.push(await connection.receive());
await connection.close();
return heard;
`;

const IN_PYTHON = `
import asyncio, json, sys
import lengthwise

async def main():
    async with await lengthwise.connect(sys.argv[1]) as session:
        await session.send("Python")
        print(json.dumps([(await session.receive()).decode() for _ in range(${NAMES.length})]))

asyncio.run(main())
`;

const browser = new SharedBrowser();

const ALL = {
  name: "one of Chromium, Node, Bun (docs/runtimes.md tells how to install them) and Python",
  probe: [
    "sh",
    "-c",
    `"$0" --version && "$1" --version && "$2" --version && /usr/bin/python3 --version`,
    CHROMIUM.probe[0],
    programOf("Node"),
    programOf("Bun"),
  ],
};

/** What a program prints, as JSON. */
async function printed(program: string, args: string[], env = {}): Promise<unknown> {
  const { stdout, stderr } = await new Deno.Command(program, { args, env }).output();
  const [line, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assertEquals(errors, "");
  return JSON.parse(line);
}

await testWith(
  ALL,
  "Deno, Node, Bun, Chromium and Python hear each other in one room",
  async () => {
    const hub = new Hub();
    const said: string[] = [];
    await using server = await listen(
      ["tcp://127.0.0.1:0?session=1", "ws://127.0.0.1:0"],
      { web: { respond } },
      async (connection) => {
        for (const name of said) connection.send(name);
        hub.join("room", connection);
        for await (const message of connection) {
          const name = new TextDecoder().decode(message);
          said.push(name);
          hub.broadcast("room", name);
        }
      },
    );
    const [tcp, ws] = server.endpoints;
    const script = await bundled(CLIENT);
    const inDeno = async () => {
      await using connection = await connect(tcp, { format: text() });
      await connection.send("Deno");
      const heard: unknown[] = [];
      while (heard.length < NAMES.length) heard.push(await connection.receive());
      return heard;
    };
    await using window = await browser.connect();
    const page = await ClientPage.open(window, Number(/:(\d+)/.exec(ws)![1]));
    const heard = await Promise.all([
      inDeno(),
      printed(programOf("Node"), [script, tcp, "Node"]),
      printed(programOf("Bun"), [script, ws, "Bun"]),
      page.run(IN_PAGE, { endpoint: ws, count: NAMES.length }),
      printed("/usr/bin/python3", ["-c", IN_PYTHON, tcp], {
        PYTHONPATH: new URL("clients/python", ROOT).pathname,
      }),
    ]);
    for (const names of heard) assertEquals(names, said);
    assertEquals(said.toSorted(), NAMES);
    assertEquals(page.problems, []);
  },
);
