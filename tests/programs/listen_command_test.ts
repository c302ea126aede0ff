import { assert, assertEquals, assertMatch } from "@std/assert";
import { wordsOf } from "../../programs/shared/words.ts";
import { connect, type Connection } from "../../mod.ts";
import { runHere, ServerHere } from "../support/in_process.ts";
import { run } from "../support/program.ts";

const decoder = new TextDecoder();
const HERE = "tcp://127.0.0.1:0";

async function listener(args: readonly string[], stdin: string | Uint8Array = "") {
  return await ServerHere.start(["listen", ...args], { script: "client.ts", stdin });
}

async function texts(connection: Connection): Promise<string[]> {
  return (await connection.receiveAll()).map((message) => decoder.decode(message));
}

/** What a listener has printed behind its first line. */
function printed({ stdout }: ServerHere): string {
  return stdout.slice(stdout.indexOf("\n") + 1);
}

Deno.test("listen prints what comes, sends its input, and ends when all is said", async () => {
  const server = await listener([HERE, "--linger", "50"], "one\ntwo\n");
  await using client = await connect(server.endpoints[0]);
  await client.send("hello\x1b");
  assertEquals(await texts(client), ["one", "two"]);
  await client.close();
  assertEquals(await server.ended(), 0);
  assertEquals(printed(server), "hello\x1b\n");
});

Deno.test("listen with an empty input waits for what comes, byte for byte with framing none", async () => {
  const server = await listener([`${HERE}?framing=none`]);
  await using client = await connect(server.endpoints[0]);
  for (const text of ["a\n", "\r\nb"]) await client.send(text);
  await client.close();
  assertEquals(await server.ended(), 0);
  assertEquals(printed(server), "a\n\r\nb");
});

Deno.test("listen sends the same to everybody, and goes on after the input with --keep", async () => {
  await using server = await listener([HERE, "--keep", "--json"]);
  for (const text of ["first", "second"]) {
    await using client = await connect(server.endpoints[0]);
    await client.send(text);
    await client.close();
    const events = [];
    while (events.at(-1)?.event !== "closed") events.push(JSON.parse(await server.nextLine()));
    assertEquals(events.map(({ event }) => event), ["connected", "message", "closed"]);
    assertEquals(events[1].text, text);
  }
  assertEquals(await server.stop(), 0);
});

Deno.test("listen --once serves one connection, and its end is the exit code", async () => {
  const server = await listener([HERE, "--once"]);
  await using client = await connect(server.endpoints[0]);
  await client.send("x");
  await client.close();
  assertEquals(await server.ended(), 0);

  const broken = await listener([HERE, "--once"]);
  const { hostname, port } = { hostname: "127.0.0.1", port: broken.port() };
  const raw = await Deno.connect({ hostname, port });
  await raw.write(new Uint8Array([255, 255, 255, 255]));
  assertEquals(await broken.ended(), 3);
  raw.close();
});

Deno.test("listen takes and prints other forms, and copies what comes to --tee", async () => {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, "before\n");
  const args = [HERE, "--in", "hex", "--out", "json", "--tee", file, "--linger", "20"];
  const server = await listener(args, "00ff\n");
  await using client = await connect(server.endpoints[0]);
  await client.send("two\nlines");
  assertEquals((await client.receive())?.toHex(), "00ff");
  await client.close();
  assertEquals(await server.ended(), 0);
  assertEquals(printed(server), '"two\\nlines"\n');
  assertEquals(await Deno.readTextFile(file), 'before\n"two\\nlines"\n');
  await Deno.remove(file);
});

Deno.test("listen --exec runs a program per connection, and tells its end", async () => {
  await using server = await listener([HERE, "--exec", "tr a-z A-Z"]);
  const clients = await Promise.all([1, 2].map(() => connect(server.endpoints[0])));
  for (const [i, client] of clients.entries()) {
    await client.send(`client ${i}`);
    await client.closeWrite();
    assertEquals(await texts(client), [`CLIENT ${i}`]);
  }
  await server.logLine(/tr ended with 0$/);
  await server.stop();
});

Deno.test("listen --exec gives messages in other forms, and bytes as they are", async () => {
  await using hex = await listener([HERE, "--exec", "cat", "--in", "hex", "--out", "hex"]);
  await using client = await connect(hex.endpoints[0]);
  await client.send("a\nb");
  await client.closeWrite();
  assertEquals(await texts(client), ["a\nb"]);
  await using none = await listener([`${HERE}?framing=none`, "--exec", "cat"]);
  await using other = await connect(none.endpoints[0]);
  const bytes = crypto.getRandomValues(new Uint8Array(60_000));
  await other.send(bytes);
  await other.closeWrite();
  const got = await other.receiveAll();
  assertEquals(new Uint8Array(await new Blob(got as BlobPart[]).arrayBuffer()), bytes);
});

Deno.test("listen --shell asks a shell, --exec does not", async () => {
  await using server = await listener([HERE, "--shell", "echo $((1+1)); exit 7", "--json"]);
  await using client = await connect(server.endpoints[0]);
  assertEquals(await texts(client), ["2"]);
  for (;;) {
    const event = JSON.parse(await server.nextLine());
    if (event.event !== "exited") continue;
    assertEquals([event.command, event.code, event.signal], ["sh", 7, null]);
    break;
  }
  await using plain = await listener([HERE, "--exec", "echo '$((1+1))' a\\ b"]);
  await using other = await connect(plain.endpoints[0]);
  assertEquals(await texts(other), ["$((1+1)) a b"]);
});

Deno.test("listen --exec: a program that is not there, ends at once, floods, or never ends", async () => {
  const missing = await listener([HERE, "--exec", "/no/such/program", "--once"]);
  await using one = await connect(missing.endpoints[0]);
  await one.receive().catch(() => {});
  assertEquals(await missing.ended(), 1);
  assertMatch(missing.stderr, /closed: Cannot run \/no\/such\/program: there is no such program$/m);

  const short = await listener([HERE, "--exec", "false", "--once"]);
  await using two = await connect(short.endpoints[0]);
  two.send("nobody reads this");
  assertEquals(await two.receive().catch(() => undefined), undefined);
  await two.close();
  assertEquals(await short.ended(), 1);
  assertMatch(short.stderr, /false ended with 1$/m);

  // It is held back by a peer that reads little, and ended by its going.
  const flood = await listener([HERE, "--exec", "yes", "--once"]);
  const three = await connect(flood.endpoints[0]);
  for (let i = 0; i < 1_000; i++) assertEquals(decoder.decode(await three.receive()), "y");
  three.abort();
  assertEquals(await flood.ended(), 1);

  const deaf = await listener([
    HERE,
    "--exec",
    "sleep 60",
    "--once",
    "--limit",
    "halfOpenTimeout=100",
  ]);
  const four = await connect(deaf.endpoints[0]);
  four.abort();
  assertEquals(await deaf.ended(), 1);
  assertMatch(deaf.stderr, /sleep ended by SIGTERM$/m);
});

Deno.test("listen tells what is wrong in one line, and asks for no permission", async () => {
  const cases: [args: string[], code: number, message: RegExp][] = [
    [[], 2, /"listen" takes one ENDPOINT/],
    [[":0", ":1"], 2, /"listen" takes one ENDPOINT/],
    [[":0", "--once", "--keep"], 2, /--once and --keep: give one of them/],
    [[":0", "--exec", "a", "--shell", "b"], 2, /--exec and --shell: give one of them/],
    [[":0", "--exec", "a 'b"], 2, /--exec a 'b: a quote does not end/],
    [[":0", "--exec", "cat", "--out", "pretty"], 2, /--out pretty is for people/],
    [[":0", "--tee", "/no/where/x"], 1, /--tee \/no\/where\/x: /],
  ];
  for (const [args, code, message] of cases) {
    const result = await runHere("client.ts", ["listen", ...args]);
    assertMatch(result.stderr, message, args.join(" "));
    assertEquals(
      [result.code, result.stderr.trimEnd().split("\n").length],
      [code, 1],
      result.stderr,
    );
  }
  const { code, stderr } = await run("client.ts", ["listen", ":0", "--exec", "cat -n"]);
  assertEquals([code, stderr], [1, "error: --exec: no permission; run with --allow-run=cat\n"]);
});

Deno.test("wordsOf() splits as a shell does, and replaces nothing", () => {
  assertEquals(wordsOf(`a  'b c' "d \\" e" f\\ g ''`, "exec"), ["a", "b c", 'd " e', "f g", ""]);
  assertEquals(wordsOf("echo $HOME *", "exec"), ["echo", "$HOME", "*"]);
  assert(wordsOf("x", "exec").length === 1);
});
