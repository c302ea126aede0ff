/** Rooms through requests, in a page of Chromium and in its worker: who is there, and what is said. */

import { assertEquals } from "@std/assert";
import { listen, PeerHub, type RequestPeer, requests } from "../../mod.ts";
import { CHROMIUM, SharedBrowser } from "../support/browser.ts";
import { ClientPage, type Place, respond } from "../support/client_page.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";
import { testWith } from "./peers.ts";

/** What members are told. */
interface Member {
  moved(params: { name: string; x: number }): void;
}

/** What the arena answers. */
interface Arena {
  enter(name: string): void;
  move(x: number): void;
  changes(): AsyncIterable<[kind: string, name: string]>;
}

const chromium = new SharedBrowser();

/** A server with one room. */
async function arena(hub: PeerHub<Member>) {
  return await listen(
    "ws://127.0.0.1:0?session=1",
    { web: { respond, origins: ["*"] } },
    async (connection) => {
      let name = "";
      const member: RequestPeer<Member> = requests<Member, Arena>(connection, {
        enter(own) {
          name = own;
          hub.join("arena", member, { data: name });
        },
        move(x) {
          hub.notify("arena", "moved", { name, x }, { except: member });
        },
        async *changes() {
          const room = hub.presence<string>("arena");
          for await (const { kind, member } of room.changes()) yield [kind, member.data];
        },
      });
      await member.closed;
    },
  );
}

const ENTER = `
  const { connect, requests } = lengthwise;
  globalThis.moves = [];
  globalThis.seen = [];
  globalThis.session = await connect(args.endpoint, { session: { retry: () => 20 } });
  globalThis.arena = requests(session, { moved: ({ name, x }) => moves.push(name + " " + x) });
  await arena.request("enter", args.name);
  globalThis.watching = (async () => {
    for await (const change of arena.stream("changes")) seen.push(change.join(" "));
  })();
  watching.catch(() => {});`;

const UNTIL_LOST = `
  if (session.status.state === "reconnecting") return;
  for await (const { state } of session.states()) if (state === "reconnecting") return;`;

/** Waits until so much was seen or heard; nothing else tells a page's code. */
const UNTIL = `
  while (globalThis[args.what].length < args.count) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return globalThis[args.what].slice(0, args.count);`;

async function list(page: ClientPage, place: Place, what: "seen" | "moves", count: number) {
  return await page.run<string[]>(UNTIL, { what, count }, place);
}

await testWith(
  CHROMIUM,
  "A page and a worker enter a room, see who comes and goes, and hear each other",
  async () => {
    using hub = new PeerHub<Member>();
    await using server = await arena(hub);
    const [endpoint] = server.endpoints;
    await using browser = await chromium.connect();
    const page = await ClientPage.open(browser, Number(/:(\d+)/.exec(endpoint)![1]));

    await page.run(ENTER, { endpoint, name: "Ada" }, "page");
    assertEquals(await list(page, "page", "seen", 1), ["join Ada"]);
    await page.run(ENTER, { endpoint, name: "Bob" }, "worker");
    assertEquals((await list(page, "worker", "seen", 2)).toSorted(), ["join Ada", "join Bob"]);
    assertEquals(await list(page, "page", "seen", 2), ["join Ada", "join Bob"]);

    const move = `for (let x = 0; x < 500; x++) arena.notify("move", x);`;
    await Promise.all([page.run(move, {}, "page"), page.run(move, {}, "worker")]);
    const numbers = Array.from({ length: 500 }, (_, x) => x);
    assertEquals(await list(page, "page", "moves", 500), numbers.map((x) => `Bob ${x}`));
    assertEquals(await list(page, "worker", "moves", 500), numbers.map((x) => `Ada ${x}`));

    await page.run(`await arena.close();`, {}, "worker");
    assertEquals(await list(page, "page", "seen", 3), ["join Ada", "join Bob", "leave Bob"]);
    assertEquals(hub.stats.members, 1);
    assertEquals(page.problems, []);
  },
);

for (const place of ["page", "worker"] as const) {
  await testWith(
    CHROMIUM,
    `A ${place} without network stays in its room, and hears afterwards what was said meanwhile`,
    async () => {
      using hub = new PeerHub<Member>();
      await using server = await arena(hub);
      const port = Number(/:(\d+)/.exec(server.endpoints[0])![1]);
      await using proxy = new CuttingProxy({ port, seed: 1, cuts: 0, meanBytes: Infinity });
      await using browser = await chromium.connect();
      const page = await ClientPage.open(browser, port);
      await page.run(ENTER, { endpoint: `ws://127.0.0.1:${proxy.port}/`, name: "Ada" }, place);
      await list(page, place, "seen", 1);

      await page.offline(true);
      proxy.cut();
      await page.run(UNTIL_LOST, {}, place);
      for (let x = 0; x < 500; x++) hub.notify("arena", "moved", { name: "Bob", x });
      assertEquals(Array.from(hub.presence("arena"), ({ data }) => data), ["Ada"]);
      await page.offline(false);

      const moves = await list(page, place, "moves", 500);
      assertEquals(moves, Array.from({ length: 500 }, (_, x) => `Bob ${x}`));
      assertEquals(await page.run(`return session.stats.resumes;`, {}, place), 1);
      assertEquals(await page.run(`return seen;`, {}, place), ["join Ada"]);
      await page.run(`await arena.close();`, {}, place);
    },
  );
}
