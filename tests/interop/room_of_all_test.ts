/** One room of request peers, with a client of ours in each runtime and language. */

import { assertEquals } from "@std/assert";
import * as lengthwise from "../../mod.ts";
import { CHROMIUM, SharedBrowser } from "../support/browser.ts";
import { ClientPage, respond } from "../support/client_page.ts";
import { bundled } from "../support/runtimes/bundled.ts";
import { programOf } from "../support/runtimes/packages.ts";
import { CSHARP, GO, PYTHON } from "./clients/languages.ts";
import { compiled, type Peer, Program, testWith } from "./peers.ts";

const { listen, PeerHub, requests } = lengthwise;
const MOD = new URL("../../mod.ts", import.meta.url);
const NAMES = ["Bun", "C#", "Deno", "Go", "Node", "Python", "a page", "a worker"];

/** What is said in the room. */
interface Said {
  readonly name: string;
  readonly text: string;
}

/** What guests are told. */
interface Guest {
  said(params: Said): void;
}

/** What the host of the room answers. */
interface Host {
  enter(name: string): void;
  say(text: string): void;
}

/** Enters the room, says its name, and gives all that is said there. Stands by itself: pages get its text. */
async function guest(
  { connect, requests }: Pick<typeof lengthwise, "connect" | "requests">,
  endpoint: string,
  name: string,
  count: number,
): Promise<Said[]> {
  const heard: Said[] = [];
  const { promise: all, resolve } = Promise.withResolvers<void>();
  const host = requests<Host, Guest>(await connect(endpoint), {
    said(params) {
      if (heard.push(params) === count) resolve();
    },
  });
  await host.request("enter", name);
  await host.notify("say", `I am ${name}`);
  await Promise.race([all, host.closed]);
  await host.close();
  return heard;
}

const IN_NODE_AND_BUN = `
import * as lengthwise from "${MOD}";
${guest}
const [endpoint, name] = process.argv.slice(2);
console.log(JSON.stringify(await guest(lengthwise, endpoint, name, ${NAMES.length})));
`;
const IN_PAGE = `${guest}
return await guest(lengthwise, args.endpoint, args.name, ${NAMES.length});
`;

const browser = new SharedBrowser();

const ALL = {
  name: "one of Chromium, Node, Bun (docs/runtimes.md tells how to install them), Python, Go, mcs",
  probe: [
    ...["sh", "-c", 'for program; do "$program" --version || exit 1; done && go version', "sh"],
    ...[CHROMIUM.probe[0], programOf("Node"), programOf("Bun"), PYTHON.probe[0], CSHARP.probe[0]],
  ],
};

/** What a program prints, as JSON. */
async function printed(command: string[]): Promise<unknown> {
  await using program = new Program(command);
  const { code, stdout, stderr } = await program.ended;
  assertEquals([code, stderr], [0, ""], stdout);
  return JSON.parse(stdout);
}

/** What a driver prints, as JSON. */
async function driven(client: Peer, endpoint: string): Promise<unknown> {
  const command = client.command(await compiled(client));
  return await printed([...command, "room", endpoint, client.name, `${NAMES.length}`]);
}

await testWith(
  ALL,
  "Clients of all runtimes and languages hear each other in one room of a PeerHub",
  async () => {
    using hub = new PeerHub<Guest>();
    const said: Said[] = [];
    const all = Promise.withResolvers<string[]>();
    await using server = await listen(
      ["tcp://127.0.0.1:0?session=1", "ws://127.0.0.1:0?session=1"],
      { web: { respond } },
      async (connection) => {
        let own = "";
        const peer = requests<Guest, Host>(connection, {
          async enter(name) {
            own = name;
            hub.join("room", peer, { data: name });
            const present = Array.from(hub.presence<string>("room"), ({ data }) => data);
            if (present.length === NAMES.length) all.resolve(present);
            await all.promise;
          },
          say(text) {
            said.push({ name: own, text });
            hub.notify("room", "said", { name: own, text });
          },
        });
        await peer.closed;
      },
    );
    const [tcp, ws] = server.endpoints;
    const script = await bundled(IN_NODE_AND_BUN);
    await using window = await browser.connect();
    const page = await ClientPage.open(window, Number(/:(\d+)/.exec(ws)![1]));
    const heard = await Promise.all([
      guest(lengthwise, tcp, "Deno", NAMES.length),
      printed([programOf("Node"), script, tcp, "Node"]),
      printed([programOf("Bun"), script, ws, "Bun"]),
      page.run(IN_PAGE, { endpoint: ws, name: "a page" }, "page"),
      page.run(IN_PAGE, { endpoint: ws, name: "a worker" }, "worker"),
      ...[PYTHON, GO, CSHARP].map((client) => driven(client, tcp)),
    ]);
    assertEquals((await all.promise).toSorted(), NAMES);
    for (const each of heard) assertEquals(each, said);
    assertEquals(
      said.toSorted((a, b) => a.name < b.name ? -1 : 1),
      NAMES.map((name) => ({ name, text: `I am ${name}` })),
    );
    assertEquals(page.problems, []);
  },
);
