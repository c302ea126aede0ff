/** The table of docs/programs.md: its commands are run by bash as they stand there, with other ports. */

import { delay } from "@std/async/delay";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { ConnectionLostError } from "../../errors.ts";
import { concat } from "@std/bytes/concat";
import { connect, type Connection, listen, type ListenOptions, type Server } from "../../mod.ts";
import { issue } from "../support/certificates.ts";
import { freePort } from "../support/free_port.ts";
import { Shell } from "../support/shell.ts";
import { within } from "../../programs/shared/within.ts";
import { testWith } from "./peers.ts";

/** What the table has: the commands of a row by tool. */
type Row = Readonly<Record<string, string>>;

const TOOLS = ["ours", "ncat", "socat"];
const DOCS = await Deno.readTextFile(new URL("../../docs/programs.md", import.meta.url));

function tableRows(): Map<string, Row> {
  const lines = DOCS.split("## Side by side")[1].split("\n## ")[0].split("\n")
    .filter((line) => line.startsWith("|"));
  const [head, _, ...rows] = lines.map((line) =>
    line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim().replaceAll("\\|", "|"))
  );
  return new Map(rows.map(([what, ...cells]) => [
    what,
    Object.fromEntries(
      cells.flatMap((cell, index) => cell === "—" ? [] : [[head[index + 1], cell.slice(1, -1)]]),
    ),
  ]));
}

/** Where a command runs: a folder, ports of its own in the place of 7000 to 7003, and its peers. */
class World implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync();
  readonly port = freePort();
  readonly other = freePort();
  readonly #stack = new AsyncDisposableStack();

  constructor(readonly command: string) {
    this.#stack.defer(() => Deno.removeSync(this.folder, { recursive: true }));
  }

  /** The command with the ports of this world; of a row with several commands, one of them. */
  text(part?: number): string {
    const command = part === undefined ? this.command : this.command.split("; ")[part];
    return command.replace(/\b7000\b/g, `${this.port}`).replace(/\b7001\b/g, `${this.other}`);
  }

  /** Runs the command to its end. */
  async run(part?: number) {
    return await new Shell(this.text(part), this.folder).output();
  }

  /** Starts it. */
  start(part?: number): Shell {
    return this.#stack.use(new Shell(this.text(part), this.folder));
  }

  /** A server where the command goes. */
  async serve(
    handler: (connection: Connection) => Promise<void>,
    { endpoint = `tcp://127.0.0.1:${this.port}?framing=line`, ...options }:
      & ListenOptions
      & { endpoint?: string } = {},
  ): Promise<Server> {
    return this.#stack.use(await listen(endpoint, options, handler));
  }

  /** A peer that comes to where the command listens, as soon as it does. */
  async dial(port = this.port, framing = "line"): Promise<Connection> {
    for (let knocks = 0;; knocks++) {
      try {
        const endpoint = `tcp://127.0.0.1:${port}?framing=${framing}`;
        return this.#stack.use(await connect(endpoint as string));
      } catch (error) {
        if (knocks === 5_000) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

const decoder = new TextDecoder();
const BYTES = new Uint8Array(Array.from({ length: 50_000 }, (_, i) => (i * 7919 >> 3) & 255));

/** Collects what each peer says, up to its end. */
function collector() {
  const all = Promise.withResolvers<string[]>();
  const handler = async (connection: Connection) => {
    const messages: string[] = [];
    try {
      for await (const message of connection) messages.push(decoder.decode(message));
    } catch (error) {
      // Programs that end TLS without saying so are told apart by others.
      if (!(error instanceof ConnectionLostError)) throw error;
    }
    all.resolve([connection.remote, ...messages]);
  };
  return { handler, all: all.promise };
}

/** Two peers, one after the other, say a word; the command prints both. */
async function prints(world: World): Promise<void> {
  const shell = world.start();
  for (const word of ["first", "second"]) {
    const peer = await world.dial();
    await peer.send(word);
    await shell.until(word);
    await peer.close();
  }
}

/** The command says hello to a server; resolves to where it came from. */
async function greets(world: World, options: Parameters<World["serve"]>[1] = {}): Promise<string> {
  const { handler, all } = collector();
  await world.serve(handler, options);
  const { code, stderr } = await world.run();
  assertEquals(code, 0, stderr);
  const [remote, ...messages] = await all;
  assertEquals(messages, ["hello"]);
  return remote;
}

/** A server with a certificate, and its authority in a file. */
async function secure(world: World): Promise<ListenOptions & { endpoint: string }> {
  const ca = await issue("Authority", { isAuthority: true });
  await Deno.writeTextFile(`${world.folder}/ca.pem`, ca.cert);
  const tls = await issue("localhost", { names: ["localhost"], by: ca });
  return { tls, endpoint: `tls://127.0.0.1:${world.port}?framing=line` };
}

async function echo(connection: Connection): Promise<void> {
  for await (const message of connection) await connection.send(message);
}

const endpointOf = (world: World, framing: string) =>
  `tcp://127.0.0.1:${world.port}?framing=${framing}`;

/** What each row shows, for each tool that has a way. */
const SCENES: Record<string, (world: World, tool: string) => Promise<void>> = {
  "listen and print": prints,
  "keep open": prints,
  async "pipe a file"(world) {
    await Deno.writeFile(`${world.folder}/file`, BYTES);
    const got = Promise.withResolvers<Uint8Array[]>();
    await world.serve(async (connection) => got.resolve(await Array.fromAsync(connection)), {
      endpoint: endpointOf(world, "none"),
    });
    assertEquals((await world.run()).code, 0);
    assertEquals(concat(await got.promise), BYTES);
  },
  async "a file as one message"(world) {
    await Deno.writeFile(`${world.folder}/file`, BYTES);
    const got = Promise.withResolvers<Uint8Array[]>();
    await world.serve(async (connection) => got.resolve(await Array.fromAsync(connection)), {
      endpoint: endpointOf(world, "u32be"),
    });
    assertEquals((await world.run()).code, 0);
    assertEquals(await got.promise, [BYTES]);
  },
  async "request with time-out"(world, tool) {
    await world.serve(async (connection) => {
      assertEquals(decoder.decode(await connection.receive()), "status");
      await connection.send("fine");
    });
    const { code, stdout } = await world.run();
    // With -i, ncat waits on when it has its answer, and then fails.
    assertEquals([code, stdout], [tool === "ncat" ? 1 : 0, "fine\n"]);
  },
  async "private CA"(world) {
    await greets(world, await secure(world));
  },
  async "look at a certificate"(world) {
    const { endpoint, ...options } = await secure(world);
    await world.serve(async (connection) => void await connection.receive().catch(() => {}), {
      ...options,
      endpoint,
    });
    const { stdout, stderr } = await world.run();
    assertMatch(stdout + stderr, /localhost|CN=Authority/);
    assertMatch(stdout + stderr, /[0-9A-F:]{40}|issuer|Authority/);
  },
  async "wire as hex"(world, tool) {
    await world.serve(echo, { endpoint: endpointOf(world, "none") });
    const shell = world.start();
    if (tool === "ncat") {
      await shell.type("hello\n");
      await shell.until("hello");
      const dump = await Deno.readTextFile(`${world.folder}/wire.hex`);
      return assertStringIncludes(dump, "68 65 6c 6c 6f");
    }
    const peer = await world.dial(world.other);
    await peer.send("hello");
    await shell.until("68 65 6c 6c 6f", tool === "socat" ? "stderr" : "stdout");
  },
  async "record and replay"(world) {
    await world.serve(echo);
    const shell = world.start(0);
    const peer = await world.dial(world.other);
    await peer.send("hello");
    assertEquals(decoder.decode(await peer.receive()), "hello");
    await peer.close();
    await shell.until("hello");
    assertEquals(await shell.stop("INT"), 0);
    const { code, stderr } = await world.run(1);
    assertEquals(code, 0, stderr);
  },
  async throttle(world) {
    const { handler, all } = collector();
    await world.serve(handler, { endpoint: endpointOf(world, "none") });
    world.start();
    const peer = await world.dial(world.other, "none");
    const startedAt = performance.now();
    await peer.send(new Uint8Array(12_000).fill(0x61));
    await peer.closeWrite();
    const [_, ...chunks] = await all;
    assertEquals(chunks.join("").length, 12_000);
    assert(performance.now() - startedAt > 200, "12 kB at 20 kB/s take their time");
  },
  async broker(world) {
    world.start();
    const [one, other] = [await world.dial(), await world.dial()];
    // Who has come only just may miss what is said before.
    const heard = other.receive();
    for (;;) {
      await one.send("hello");
      await within(50, heard);
      if (other.stats.messagesReceived > 0) {
        return assertEquals(decoder.decode(await heard), "hello");
      }
    }
  },
  async exec(world) {
    world.start();
    const peer = await world.dial();
    await peer.send("hello");
    // Only now, because ncat ends its program, with what that has not said, when its peer half-closes.
    assertEquals(decoder.decode(await peer.receive()), "=hello");
  },
  async once(world) {
    const shell = world.start();
    const peer = await world.dial();
    await peer.send("hello");
    await peer.close();
    assertEquals(await shell.ended(), 0);
    assertStringIncludes(shell.stdout, "hello\n");
  },
  async "listener that answers"(world) {
    world.start();
    assertEquals(decoder.decode(await (await world.dial()).receive()), "welcome");
  },
  async "port range"(world) {
    await using server = await listen("tcp://127.0.0.1:0", () => {});
    const open = Number(/:(\d+)\?/.exec(server.endpoints[0])![1]);
    const near = [open, open + 1, open + 2, open + 3];
    const text = world.command.replace(/7000-7003/, `${open}-${open + 3}`)
      .replace("7000 7001 7002 7003", near.join(" "));
    const { stdout } = await new Shell(text, world.folder).output();
    assertMatch(stdout, new RegExp(`^${open} open`, "m"));
  },
  async source(world) {
    assertMatch(await greets(world), /^127\.0\.0\.2:/);
  },
  async IPv6(world) {
    assertMatch(
      await greets(world, { endpoint: `tcp://[::1]:${world.port}?framing=line` }),
      /^\[::1/,
    );
  },
  async Unix(world) {
    await greets(world, { endpoint: `unix:${world.folder}/lw.sock?framing=line` });
  },
  async timestamps(world, tool) {
    const shell = world.start();
    await (await world.dial()).send("hello");
    const stream = tool === "socat" ? "stderr" : "stdout";
    await shell.until("hello", stream);
    assertMatch(shell[stream], new RegExp(`${new Date().getUTCFullYear()}[-/]\\d\\d[-/]\\d\\d`));
  },
  async latency(world) {
    await world.serve(echo, { endpoint: endpointOf(world, "u32be") });
    const { code, stdout } = await world.run();
    assertEquals(code, 0);
    assertMatch(stdout, /3 of 3 answered, min\/mean\/max/);
  },
  async load(world) {
    const server = await world.serve(echo, { endpoint: endpointOf(world, "u32be") });
    const { code, stderr } = await world.run();
    assertEquals(code, 0, stderr);
    assert(server.stats.accepted >= 5);
  },
  async jq(world) {
    await world.serve(async (connection) => {
      await connection.send('{"name":"Ada"}');
      await connection.close();
    });
    assertEquals((await world.run()).stdout, '"Ada"\n');
  },
  async "framing bridge"(world) {
    await world.serve(echo, { endpoint: endpointOf(world, "u32be") });
    world.start();
    const peer = await world.dial(world.other);
    await peer.send("hello");
    assertEquals(decoder.decode(await peer.receive()), "hello");
  },
  async tee(world) {
    const shell = world.start();
    await (await world.dial()).send("hello");
    await shell.until("hello");
    // What is shown is not always in the file at that moment.
    const log = () => Deno.readTextFile(`${world.folder}/log`);
    while (await log() !== "hello\n") await delay(10);
  },
  async "port open and retry"(world, tool) {
    const { handler, all } = collector();
    const shell = world.start();
    // socat says nothing of its attempts.
    if (tool !== "socat") await shell.until(/refused/, "stderr");
    await world.serve(handler);
    assertEquals((await all).slice(1), ["hello"]);
  },
  async "raw bytes"(world) {
    await Deno.writeFile(`${world.folder}/file`, BYTES);
    await world.serve(echo, { endpoint: endpointOf(world, "none") });
    assertEquals((await world.run()).code, 0);
    assertEquals(await Deno.readFile(`${world.folder}/answer`), BYTES);
  },
};

const ENGINES = {
  name: "ncat, socat or jq",
  probe: ["sh", "-c", "ncat --version && socat -V && jq -V"],
};

Deno.test("the table of docs/programs.md has 26 rows, each of which has a way of ours and a test", () => {
  const rows = tableRows();
  assertEquals(rows.size, 26);
  assertEquals([...rows.keys()].toSorted(), Object.keys(SCENES).toSorted());
  for (const [what, row] of rows) assert(row.ours !== undefined, what);
});

for (const [what, row] of tableRows()) {
  const tools = TOOLS.filter((tool) => row[tool] !== undefined);
  await testWith(ENGINES, `docs/programs.md, ${what}: ${tools.join(", ")}`, async () => {
    const ways = await Promise.allSettled(tools.map(async (tool) => {
      await using world = new World(row[tool]);
      try {
        await SCENES[what](world, tool);
      } catch (cause) {
        throw new Error(`${tool}: ${world.text()}`, { cause });
      }
    }));
    for (const way of ways) if (way.status === "rejected") throw way.reason;
  });
}
