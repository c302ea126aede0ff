/** Everyone in one room: each kind of client that people have, each by its own transport and framing. */

import { assertEquals } from "@std/assert";
import { SharedBrowser } from "../support/browser.ts";
import { certificates } from "../support/certificates.ts";
import {
  byBrowser,
  byDatagrams,
  byLittleEndian,
  byProgram,
  byTelnet,
  Guest,
} from "../support/mixed.ts";
import { RunningServer } from "../support/program.ts";
import { type Engine, testWith } from "./peers.ts";

const NEEDED = ["telnet", "python3", "ncat", "openssl", "chromium"];
const ENGINES: Engine = {
  name: `one of ${NEEDED.join(", ")}`,
  probe: ["sh", "-c", `for it in ${NEEDED.join(" ")}; do command -v $it || exit 1; done`],
};

const { good, ca } = await certificates;
const chromium = new SharedBrowser();

/** The chat program on every transport, in a folder for its files. */
async function openChat() {
  const folder = await Deno.makeTempDir({ prefix: "lengthwise_mixed_" });
  const file = async (name: string, text = "") => {
    await Deno.writeTextFile(`${folder}/${name}`, text);
    return `${folder}/${name}`;
  };
  const [cert, key, authority] = await Promise.all([
    file("cert.pem", good.cert),
    file("key.pem", good.key),
    file("ca.pem", ca.cert),
  ]);
  const path = `${folder}/chat.sock`;
  const endpoints = [
    "tcp://127.0.0.1:0",
    "tcp://127.0.0.1:0?framing=line",
    "tcp://127.0.0.1:0?framing=u32le",
    "tls://127.0.0.1:0?framing=line",
    "ws://127.0.0.1:0",
    "udp://127.0.0.1:0?framing=line",
    `unix:${path}?framing=line`,
  ];
  const server = await RunningServer.start([...endpoints, "--cert", cert, "--key", key], {
    count: endpoints.length,
    flags: ["--allow-net", `--allow-read=${folder}`, `--allow-write=${folder}`],
  });
  return {
    endpoints: server.endpoints,
    ports: server.endpoints.map((endpoint) => Number(/:(\d+)/.exec(endpoint)?.[1])),
    path,
    authority,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

await testWith(
  ENGINES,
  "server.ts tells the same in the same order to telnet, ncat, C#, openssl, browsers and whoever else",
  async () => {
    await using stack = new AsyncDisposableStack();
    const [chat, browser] = await Promise.all([openChat(), chromium.connect()]);
    stack.use(chat);
    stack.use(browser);
    const [, line, littleEndian, tls, ws, udp] = chat.ports;
    const { endpoints: [framed], authority, path } = chat;
    const openssl = ["openssl", "s_client", "-quiet", "-verify_return_error"];
    const ours = [Deno.execPath(), "run", "--quiet", "--no-prompt", "--allow-net", "client.ts"];
    const guests = [
      new Guest("telnet", byTelnet("telnet", line)),
      new Guest("ncat", byProgram(["ncat", "127.0.0.1", `${line}`])),
      new Guest("csharp", byLittleEndian(littleEndian)),
      new Guest(
        "openssl",
        byProgram([...openssl, "-CAfile", authority, "-connect", `127.0.0.1:${tls}`]),
      ),
      new Guest("file", byProgram(["ncat", "-U", path])),
      new Guest("datagrams", byDatagrams(udp)),
      new Guest("ours", byProgram([...ours, framed])),
      // Last, so that the page has the time that starting it takes.
      new Guest("browser", byBrowser(await browser.open(`http://127.0.0.1:${ws}/health`), ws)),
    ];
    const transcripts = await meet(guests, stack);
    const [first, ...others] = transcripts;
    for (const [i, transcript] of others.entries()) {
      assertEquals(transcript, first, `${guests[i + 1].name} and ${guests[0].name}`);
    }
    const expected = guests.flatMap(({ name }) => words(name).map((word) => `${name}: ${word}`));
    assertEquals(first.toSorted(), expected.toSorted());
    for (const { name } of guests) {
      const own = first.filter((told) => told.startsWith(`${name}: `));
      assertEquals(own, words(name).map((word) => `${name}: ${word}`));
    }
  },
);

/** What someone says: at first in turn, then at once with all others. Five is what the chat allows. */
function words(name: string): string[] {
  return [
    `in turn, ${name}`,
    ...["grüße", "漢字 and 😀", "good bye"].map((word) => `${word} from ${name}`),
  ];
}

/** All join a room and talk; resolves to what each was told since the last one had joined. */
async function meet(guests: readonly Guest[], stack: AsyncDisposableStack): Promise<string[][]> {
  for (const guest of guests) {
    stack.use(guest);
    await guest.come();
    await guest.say(`/nick ${guest.name}`);
    await guest.hears(new RegExp(`^\\* guest-\\d+ is now ${guest.name}\\.$`));
  }
  const last = guests.at(-1)!;
  for (const [i, guest] of guests.entries()) {
    await guest.say("/join company");
    await guest.hears(`* You are in company. ${i + 1} here.`);
  }
  const all = (line: string) => Promise.all(guests.map((guest) => guest.hears(line)));
  const joined = `* ${last.name} joined. ${guests.length} here.`;
  const begin = await Promise.all(
    guests.map((guest) =>
      guest.hears(guest === last ? `* You are in company. ${guests.length} here.` : joined)
    ),
  );
  for (const guest of guests) {
    const [first] = words(guest.name);
    await guest.say(first);
    await all(`${guest.name}: ${first}`);
  }
  await Promise.all(guests.map((guest) => guest.say(...words(guest.name).slice(1))));
  for (const { name } of guests) await all(`${name}: ${words(name).at(-1)}`);
  // Whatever else was told, twice perhaps, comes before the answer to this.
  return await Promise.all(guests.map(async (guest, i) => {
    await guest.say(`/ping ${guest.name} has heard all`);
    const end = await guest.hears(`* pong ${guest.name} has heard all`);
    return guest.lines.slice(begin[i] + 1, end);
  }));
}
