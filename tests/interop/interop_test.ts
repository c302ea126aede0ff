import { assertEquals } from "@std/assert";
import { equals } from "@std/bytes";
import { connect } from "../../client.ts";
import type { Connection } from "../../connection.ts";
import { line } from "../../codec.ts";
import { listen } from "../../server.ts";
import { NC, PEERS, Program, startClient, startServer, TELNET, testWith } from "./peers.ts";
import { messages } from "./peers/messages.ts";

const COUNT = 2000;
const SEED = 20_090_317;

for (const peer of PEERS) {
  for (const framing of peer.framings) {
    await testWith(
      peer,
      `listen() echoes what a client in ${peer.name} sends with framing ${framing}`,
      async () => {
        const received = new Comparison(framing);
        await using server = await listen(
          `tcp://127.0.0.1:0?framing=${framing}`,
          async (connection) => {
            for await (const message of connection) {
              received.check(message);
              await connection.send(message);
            }
            received.end();
          },
        );
        await using client = await startClient(peer, {
          framing,
          port: portOf(server),
          seed: SEED,
          count: COUNT,
        });
        assertEquals(await client.ended, { code: 0, stdout: `ok ${COUNT}\n`, stderr: "" });
        assertEquals(received.result, `all ${COUNT} messages are equal`);
      },
    );

    await testWith(
      peer,
      `connect() gets back what it sends to a server in ${peer.name} with framing ${framing}`,
      async () => {
        await using server = await startServer(peer, framing);
        await using connection = await connect(
          `tcp://127.0.0.1:${server.port}?framing=${framing}`,
        );
        const [received] = await Promise.all([receiveAll(connection), sendAll(connection)]);
        assertEquals(received.result, `all ${COUNT} messages are equal`);

        async function sendAll(connection: Connection) {
          for (const message of messages(framing, SEED, COUNT)) await connection.send(message);
          await connection.closeWrite();
        }

        async function receiveAll(connection: Connection) {
          const comparison = new Comparison(framing);
          for await (const message of connection) comparison.check(message);
          comparison.end();
          return comparison;
        }
      },
    );
  }
}

/** Holds what was received against what was sent. */
class Comparison {
  readonly #expected: Iterator<Uint8Array>;
  #index = 0;
  #difference: string | undefined;
  #state: "receiving" | "ended" = "receiving";

  constructor(framing: string) {
    this.#expected = messages(framing, SEED, COUNT);
  }

  check(message: Uint8Array): void {
    const { value, done } = this.#expected.next();
    if (done) this.#difference ??= `more than ${COUNT} messages`;
    else if (!equals(message, value)) {
      this.#difference ??=
        `message ${this.#index} differs: ${value.length} bytes sent, ${message.length} received`;
    }
    this.#index++;
  }

  end(): void {
    this.#state = "ended";
  }

  get result(): string {
    if (this.#difference) return this.#difference;
    if (this.#index < COUNT) return `only ${this.#index} messages, ${this.#state}`;
    return this.#state === "ended" ? `all ${COUNT} messages are equal` : "the stream did not end";
  }
}

await testWith(
  TELNET,
  "line() erases what is erased in telnet's character mode",
  async () => {
    // It never refuses that mode, so that the keys come one by one, as from telnets that insist on it.
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using telnet = onTerminal(["telnet", "127.0.0.1", `${listener.addr.port}`]);
    using conn = await listener.accept();
    // Before it shows what comes, it may not take keys yet.
    await conn.write(new TextEncoder().encode("ready\r\n"));
    await telnet.until("ready");
    await telnet.type("\x1d");
    await telnet.until("telnet> ");
    await telnet.type("mode character\r");
    const decoder = line().decoder();
    const chunk = new Uint8Array(1024);
    const next = async () => decoder.decode(chunk.slice(0, await conn.read(chunk) ?? 0));
    // Telnet asks for the mode first.
    assertEquals(await next(), []);
    await telnet.type("hex\x7fy you\x17\x08, grü\x7f\x7früße\r");
    const lines: Uint8Array[] = [];
    while (lines.length === 0) lines.push(...await next());
    assertEquals(lines.map((line) => new TextDecoder().decode(line)), ["hey, grüße"]);
  },
);

await testWith(
  TELNET,
  "listen() talks in lines with telnet, whose negotiation is no part of any message",
  async () => {
    await using lines = await lineServer();
    // A minus before the port makes telnet negotiate as soon as it is connected.
    await using telnet = onTerminal(["telnet", "--", "127.0.0.1", `-${lines.port}`]);
    await telnet.until("Escape character is");
    for (const line of ["hello", "grüße, 漢字 and 😀", "", "  two spaces"]) {
      await telnet.type(`${line}\r`);
      await telnet.until(`you said [${line}]`);
    }
    // After ^C telnet is mute until its question for a timing mark is answered.
    await telnet.type("\x03");
    await telnet.type("after ^C\r");
    await telnet.until("you said [after ^C]");
    // ^D sends what was typed so far, so that the line comes in two parts.
    await telnet.type("in two \x04");
    await telnet.until("in two ");
    await telnet.type("parts\r");
    await telnet.until("you said [in two parts]");
    await telnet.type("\x1d");
    await telnet.until("telnet> ");
    await telnet.type("quit\r");
    assertEquals((await telnet.ended).code, 0);
    assertEquals(await lines.received, [
      "hello",
      "grüße, 漢字 and 😀",
      "",
      "  two spaces",
      "after ^C",
      "in two parts",
    ]);
  },
);

for (const [option, newline] of [["-N", "LF"], ["-NC", "CRLF"]]) {
  await testWith(
    NC,
    `listen() talks in lines that end with ${newline} with nc, and takes a last line without`,
    async () => {
      await using lines = await lineServer();
      await using nc = new Program(["nc", option, "127.0.0.1", `${lines.port}`]);
      await nc.type("hello\ngrüße, 漢字 and 😀\n\nno newline");
      await nc.endInput();
      const received = ["hello", "grüße, 漢字 and 😀", "", "no newline"];
      const stdout = received.map((line) => `you said [${line}]\n`).join("");
      assertEquals(await nc.ended, { code: 0, stdout, stderr: "" });
      assertEquals(await lines.received, received);
    },
  );
}

await testWith(
  NC,
  "connect() talks in lines with a listening nc, and takes a last line without newline",
  async () => {
    await using nc = new Program(["sh", "-c", "exec nc -lnvN 127.0.0.1 0 2>&1"]);
    const port = (await nc.until("\n")).match(/(\d+)\n/)?.[1];
    await using connection = await connect(`tcp://127.0.0.1:${port}?framing=line`);
    await nc.until("\n"); // "Connection received on 127.0.0.1"
    await connection.send("hello");
    await connection.send("grüße, 漢字 and 😀");
    assertEquals(await nc.until("😀\n"), "hello\ngrüße, 漢字 and 😀\n");
    await nc.type("ok\nno newline");
    await nc.endInput();
    assertEquals(await receiveText(connection), ["ok", "no newline"]);
    await connection.close();
    assertEquals((await nc.ended).code, 0);
  },
);

/** A server that answers each line, so that the answer differs from what a terminal echoes. */
async function lineServer(): Promise<
  { port: number; received: Promise<string[]> } & AsyncDisposable
> {
  const received = Promise.withResolvers<string[]>();
  const server = await listen("tcp://127.0.0.1:0?framing=line", async (connection) => {
    const lines: string[] = [];
    try {
      for await (const message of connection) {
        const line = new TextDecoder().decode(message);
        lines.push(line);
        await connection.send(`you said [${line}]`);
      }
    } finally {
      received.resolve(lines);
    }
  });
  return {
    port: portOf(server),
    received: received.promise,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function receiveText(connection: Connection): Promise<string[]> {
  const lines: string[] = [];
  for await (const message of connection) lines.push(new TextDecoder().decode(message));
  return lines;
}

function onTerminal(command: string[]): Program {
  return new Program(["python3", "-c", "import pty, sys; pty.spawn(sys.argv[1:])", ...command]);
}

function portOf(server: { endpoints: readonly string[] }): number {
  return Number(new URL(server.endpoints[0]).port);
}
