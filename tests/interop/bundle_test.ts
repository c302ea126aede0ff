/** Programs that import the module and are bundled into one file are themselves, and nothing else. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { run, RunningServer } from "../support/program.ts";
import { temporaryFolder } from "./engines/engine.ts";

const BUNDLE = new URL("../support/fixtures/bundle.ts", import.meta.url).pathname;

/** The bundlers that there are. */
const BUNDLERS = ["esbuild", "rollup", "deno"];

/** What only our own programs have: their help, their options, their first words. */
const COMMAND_LINE = ["Exit codes:", "parseArgs", "listening on "];

/** A program for each entry point. */
const APPS: Record<string, string> = {
  ".": `
    import { connect, listen, text } from "@lengthwise/lengthwise";
    await using server = await listen("tcp://127.0.0.1:0", async (connection) => {
      for await (const message of connection) await connection.send(message);
    });
    await using connection = await connect(server.endpoints[0], { format: text() });
    await connection.send("hello");
    console.log(await connection.receive());`,
  "./codec": `
    import { lengthPrefix } from "@lengthwise/lengthwise/codec";
    const framing = lengthPrefix({ bytes: 2 });
    const [message] = framing.decoder().decode(framing.encode(new TextEncoder().encode("hello")));
    console.log(new TextDecoder().decode(message));`,
  "./connection": `
    import { Connection } from "@lengthwise/lengthwise/connection";
    import { memoryPair } from "@lengthwise/lengthwise/testing";
    const [near, far] = memoryPair().map((transport) => new Connection(transport));
    near.send("hello");
    console.log(new TextDecoder().decode(await far.receive()));
    await Promise.all([near.close(), far.close()]);`,
  "./request": `
    import { Connection } from "@lengthwise/lengthwise/connection";
    import { requests } from "@lengthwise/lengthwise/request";
    import { memoryPair } from "@lengthwise/lengthwise/testing";
    const [near, far] = memoryPair().map((transport) => new Connection(transport));
    requests(far, { greet: (name) => "hello " + name });
    await using peer = requests(near);
    console.log(await peer.request("greet", "Ada"));`,
  "./session": `
    import { Connection } from "@lengthwise/lengthwise/connection";
    import { openSession, Session, SessionAcceptor } from "@lengthwise/lengthwise/session";
    import { memoryPair } from "@lengthwise/lengthwise/testing";
    const acceptor = new SessionAcceptor();
    let carrier;
    const served = [];
    const serve = async (far) => {
      const transport = await acceptor.accept(far);
      if (transport === undefined) return;
      await using session = new Session(transport);
      for await (const message of session) await session.send(message);
    };
    const dial = () => {
      const [near, far] = memoryPair().map((transport) => new Connection(transport));
      served.push(serve(far));
      return Promise.resolve(carrier = near);
    };
    const session = await openSession({ dial, session: { retry: () => 1 } });
    carrier.abort();
    session.send("hello");
    console.log(new TextDecoder().decode(await session.receive()));
    await session.close();
    await Promise.all(served);`,
  "./hub": `
    import { Connection } from "@lengthwise/lengthwise/connection";
    import { Hub } from "@lengthwise/lengthwise/hub";
    import { memoryPair } from "@lengthwise/lengthwise/testing";
    const hub = new Hub();
    const [near, far] = memoryPair().map((transport) => new Connection(transport));
    hub.join("room", near);
    hub.broadcast("room", "hello");
    console.log(new TextDecoder().decode(await far.receive()));
    await Promise.all([near.close(), far.close()]);`,
  "./server": `
    import { connect } from "@lengthwise/lengthwise/client";
    import { listen } from "@lengthwise/lengthwise/server";
    await using server = await listen("tcp://127.0.0.1:0", async (connection) => {
      for await (const message of connection) await connection.send(message);
    });
    await using connection = await connect(server.endpoints[0]);
    await connection.send("hello");
    console.log(new TextDecoder().decode(await connection.receive()));`,
};

/** An entry point that is a program of ours as well: bundlers may keep that, but it must not start. */
const IS_PROGRAM = "./server";

/** How a bundle is run. */
const RUN = ["run", "--quiet", "--no-prompt", "--no-lock", "-N"];

/** What a program prints, if it is not "hello". */
const PRINTED: Record<string, string> = { "./request": "hello Ada\n" };

async function deno(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const command = new Deno.Command(Deno.execPath(), { args, env: { NO_COLOR: "1" } });
  const { stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Our programs, as who bundles them writes them. */
const OWN = Object.fromEntries(["server", "client"].map((name) => [
  `${name}.ts`,
  `import { main } from "@lengthwise/lengthwise/${name}";
  main(Deno.args);`,
]));

/** A program whose parts are loaded when they are needed. */
const IN_PARTS = {
  "app.ts": `
    import { listen } from "@lengthwise/lengthwise/server";
    await using server = await listen("tcp://127.0.0.1:0", async (connection) => {
      for await (const message of connection) await connection.send(message);
    });
    const { ask } = await import("./later.ts");
    console.log(await ask(server.endpoints[0]));`,
  "later.ts": `
    import { connect } from "@lengthwise/lengthwise/client";
    export async function ask(endpoint) {
      await using connection = await connect(endpoint);
      await connection.send("hello");
      return new TextDecoder().decode(await connection.receive());
    }`,
};

/** Bundles programs of a folder, as the fixture does it with these arguments. */
async function bundle(bundler: string, folder: string, ...args: string[]): Promise<string[]> {
  const flags = ["run", "-A", "--quiet", "--no-lock"];
  const files = args.map((arg) => arg.startsWith("-") ? arg : `${folder}/${arg}`);
  const { stdout, stderr } = await deno(...flags, BUNDLE, bundler, ...files);
  assert(stdout !== "", stderr);
  return JSON.parse(stdout);
}

/** What one bundler makes of each program. */
async function bundles(bundler: string): Promise<Record<string, string>> {
  await using folder = await temporaryFolder();
  const sources = Object.entries({ ...APPS, ...OWN });
  const files = sources.map((_, n) => `app${n}.ts`);
  for (const [n, [_, source]] of sources.entries()) {
    await Deno.writeTextFile(`${folder.path}/${files[n]}`, source);
  }
  const codes = await bundle(bundler, folder.path, ...files);
  return Object.fromEntries(sources.map(([name], n) => [name, codes[n]]));
}

const BUNDLES = new Map(
  await Promise.all(BUNDLERS.map(async (name) => [name, await bundles(name)] as const)),
);

for (const [bundler, codes] of BUNDLES) {
  for (const entry of Object.keys(APPS)) {
    Deno.test(`What ${bundler} bundles of a program on "${entry}" is just that program`, async () => {
      assert(codes[entry].includes("Cannot receive message"), "the module is not in the bundle");
      if (entry !== IS_PROGRAM) {
        assertEquals(COMMAND_LINE.filter((words) => codes[entry].includes(words)), []);
      }
      await using folder = await temporaryFolder();
      await Deno.writeTextFile(`${folder.path}/app.js`, codes[entry]);
      const printed = await deno(...RUN, `${folder.path}/app.js`);
      assertEquals(printed, { stdout: PRINTED[entry] ?? "hello\n", stderr: "" });
    });
  }

  Deno.test(`What ${bundler} bundles into several files is just that program, too`, async () => {
    await using folder = await temporaryFolder();
    for (const [name, source] of Object.entries(IN_PARTS)) {
      await Deno.writeTextFile(`${folder.path}/${name}`, source);
    }
    await bundle(bundler, folder.path, `--parts=${folder.path}/parts`, "app.ts");
    // A program of ours would print its version, and end.
    const printed = await deno(...RUN, `${folder.path}/parts/app.js`, "--version");
    assertEquals(printed, { stdout: "hello\n", stderr: "" });
  });

  Deno.test(`What ${bundler} bundles of main() is our program, in one file`, async () => {
    await using folder = await temporaryFolder();
    const [server, client] = Object.keys(OWN).map((name) => `${folder.path}/${name}.js`);
    await Deno.writeTextFile(server, codes["server.ts"]);
    await Deno.writeTextFile(client, codes["client.ts"]);
    await using running = await RunningServer.start([":0", "--service", "echo"], {
      script: server,
    });
    const sent = await run(client, [running.endpoints[0], "send", "hello", "--expect", "1"]);
    assertEquals(sent, { code: 0, stdout: "hello\n", stderr: "" });
    assertEquals(await running.stop(), 0);
    // What it tells others to start is there.
    const { stdout } = await run(client, ["--help"]);
    assertStringIncludes(stdout, "-N jsr:@lengthwise/lengthwise/client ");
  });
}

/** What only the catalog of framings has, and the parser. */
const CATALOG = ["The length counts the whole frame", "is unknown", "FramingTextError", "telnet"];

for (const [bundler, codes] of BUNDLES) {
  Deno.test(`What ${bundler} bundles of a program with one framing has no other, and no catalog`, () => {
    const { "./codec": one, ".": all } = codes;
    assertEquals(CATALOG.filter((words) => one.includes(words)), []);
    assertEquals(CATALOG.filter((words) => !all.includes(words)), []);
    assert(one.length < 32_000, `${one.length} characters`);
  });
}

Deno.test("The words that tell a command line are in one that is bundled", () => {
  const code = BUNDLES.get("esbuild")![IS_PROGRAM];
  assertEquals(COMMAND_LINE.filter((words) => !code.includes(words)), []);
});
