import { assert, assertEquals, assertMatch } from "@std/assert";
import { connect } from "../../../client.ts";
import { json } from "../../../format.ts";
import { dbusMessage, delimiter, journalExport, sshAgent } from "../../../codec.ts";
import { decodeAll, encodeAll, texts } from "../../support/bytes.ts";
import { be, concat, hex, latin1, le, utf8 } from "./bytes.ts";
import { engine, run, RunningEngine, temporaryFolder, testWith } from "./engine.ts";
import { listen } from "../../../server.ts";
import { ask, ended, receiveMany } from "./talk.ts";

const SSH_AGENT = engine("ssh-agent", { commands: ["ssh-agent", "ssh-keygen", "ssh-add"] });
const DBUS = engine("dbus-daemon", { commands: ["dbus-daemon"] });
const XVFB = engine("Xvfb", { commands: ["Xvfb"] });
const RSYSLOG = engine("rsyslog", { commands: ["rsyslogd"] });
const CLANGD = engine("clangd", { commands: ["clangd", "socat"] });
const JOURNAL = engine("systemd's journal", {
  commands: ["journalctl"],
  files: ["/lib/systemd/systemd-journal-remote"],
});

await testWith(
  SSH_AGENT,
  "sshAgent() asks ssh-agent for its keys, and meets its limit",
  async () => {
    await using folder = await temporaryFolder();
    const [socket, key] = [`${folder.path}/socket`, `${folder.path}/key`];
    await using _agent = await RunningEngine.start(["ssh-agent", "-D", "-a", socket], {
      ready: "export SSH_AUTH_SOCK;",
      at: [`unix:${socket}`],
    });
    await run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lengthwise", "-f", key]);
    const env = { SSH_AUTH_SOCK: socket };
    await run(["ssh-add", "-q", key], { env });

    const endpoint = `unix:${socket}`;
    const [requestIdentities, identities] = [11, 12];
    await using connection = await connect(endpoint, { framing: sshAgent() });
    const answer = await ask(connection, Uint8Array.of(requestIdentities));
    assertEquals(answer.subarray(0, 5), concat([Uint8Array.of(identities), be(1)]));
    assertMatch(latin1(answer), /ssh-ed25519.*lengthwise$/s);

    // What stands behind a request is not looked at.
    const { maxMessageBytes } = sshAgent();
    const longest = new Uint8Array(maxMessageBytes);
    longest[0] = requestIdentities;
    assertEquals(await ask(connection, longest), answer);

    // It looks at a length when a fifth byte has come, and closes if it is too large, or 0.
    for (const length of [maxMessageBytes + 1, 0]) {
      await using refused = await connect(endpoint, { framing: "none" });
      await refused.send(be(length));
      await refused.send(hex("0b"));
      assertEquals(await ended(refused), new Uint8Array(0));
    }
  },
);

await testWith(JOURNAL, "journalExport() writes and reads systemd's journal", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/test.journal`;
  const entry = (message: Uint8Array, number: number) =>
    concat([
      ...[utf8(`__REALTIME_TIMESTAMP=170000000000000${number}\nPRIORITY=6\n`)],
      ...[utf8("MESSAGE\n"), le(message.length, 8), message, utf8("\n")],
    ]);
  const messages = [utf8("hello"), utf8("two\n\nlines"), hex("00ff0a0a41")];
  const entries = messages.map(entry);
  const remote = "/lib/systemd/systemd-journal-remote";
  await run([remote, "-o", file, "-"], { input: encodeAll(journalExport(), entries) });

  const exported = await run(["journalctl", `--file=${file}`, "-o", "export", "--all"]);
  const back = decodeAll(journalExport(), [exported]);
  assertEquals(back.length, 3);
  assertMatch(texts(back)[0], /^MESSAGE=hello$/m);
  for (const [i, message] of messages.entries()) {
    if (i === 0) continue; // journalctl writes what is text in one line.
    const field = concat([utf8("MESSAGE\n"), le(message.length, 8), message, utf8("\n")]);
    assertEquals(latin1(back[i]).includes(latin1(field)), true);
  }
});

/** A string of D-Bus. */
function dbusString(text: string, number: (value: number) => Uint8Array): Uint8Array {
  return concat([number(utf8(text).length), utf8(`${text}\0`)]);
}

/** A call of a method of the bus without arguments, in either byte order. */
function dbusCall(name: string, serial: number, order: "little" | "big"): Uint8Array {
  const number = order === "little" ? le : be;
  const fields: [number, string, string][] = [
    [1, "o", "/org/freedesktop/DBus"],
    [2, "s", "org.freedesktop.DBus"],
    [3, "s", name],
    [6, "s", "org.freedesktop.DBus"],
  ];
  let all = new Uint8Array(0);
  for (const [code, type, value] of fields) {
    const padding = new Uint8Array(-all.length & 7);
    const head = [Uint8Array.of(code, 1), utf8(`${type}\0`)];
    all = concat([all, padding, ...head, dbusString(value, number)]);
  }
  const start = concat([
    utf8(order === "little" ? "l" : "B"),
    hex("01 00 01"),
    number(0),
    number(serial),
  ]);
  return concat([start, number(all.length), all, new Uint8Array(-all.length & 7)]);
}

await testWith(
  DBUS,
  "dbus says hello to dbus-daemon, in lines and then in both byte orders",
  async () => {
    await using folder = await temporaryFolder();
    const socket = `${folder.path}/bus`;
    await using _bus = await RunningEngine.start([
      ...["dbus-daemon", "--session", `--address=unix:path=${socket}`],
      ...["--nofork", "--nopidfile", "--print-address"],
    ], { ready: "\n", at: [`unix:${socket}`] });
    const user = utf8(String(Deno.uid())).toHex();
    for (const order of ["little", "big"] as const) {
      await using connection = await connect(`unix:${socket}?framing=dbus`);
      assertMatch(
        latin1(await ask(connection, utf8(`\0AUTH EXTERNAL ${user}`))),
        /^OK [0-9a-f]{32}$/,
      );
      await connection.send("BEGIN");
      const [answer, signal] = [
        await ask(connection, dbusCall("Hello", 1, order)),
        (await receiveMany(connection, 1))[0],
      ];
      assertEquals([answer[1], signal[1]], [2, 4]);
      assertMatch(latin1(answer), /:1\.\d+\0$/);
      const names = await ask(connection, dbusCall("ListNames", 2, order));
      assertMatch(latin1(names), /org\.freedesktop\.DBus\0/);
    }
    // A longer talk: the framing is switched when it is over.
    await using connection = await connect(`unix:${socket}`, { framing: delimiter("\r\n") });
    assertMatch(latin1(await ask(connection, utf8(`\0AUTH EXTERNAL ${user}`))), /^OK /);
    assertEquals(latin1(await ask(connection, utf8("NEGOTIATE_UNIX_FD"))), "AGREE_UNIX_FD");
    await connection.send("BEGIN");
    connection.switchFraming(dbusMessage());
    assertMatch(latin1(await ask(connection, dbusCall("Hello", 1, "little"))), /:1\.\d+\0$/);
    await receiveMany(connection, 1);
    // It closes above the limit of the specification.
    connection.switchFraming("none", { direction: "out" });
    const tooLarge = dbusCall("Hello", 2, "little");
    tooLarge.set(le(dbusMessage().maxMessageBytes), 4);
    await connection.send(tooLarge);
    assertEquals(await ended(connection), new Uint8Array(0));
  },
);

await testWith(XVFB, "x11 asks an X server, in both byte orders", async () => {
  await using server = await RunningEngine.start([
    ...["Xvfb", "-displayfd", "1", "-nolisten", "tcp", "-screen", "0", "64x64x8"],
  ], { ready: "\n", at: [] });
  const socket = `unix:/tmp/.X11-unix/X${parseInt(server.greeting)}`;
  await server.listensAt(socket);
  for (const endian of ["little", "big"] as const) {
    const number = endian === "little" ? le : be;
    const two = (value: number) => number(value, 2);
    await using connection = await connect(`${socket}?framing=x11(endian:${endian})`);
    const setup = [utf8(endian === "little" ? "l" : "B"), hex("00"), two(11), new Uint8Array(8)];
    const success = await ask(connection, concat(setup));
    assertEquals(success.subarray(0, 4), concat([hex("01 00"), two(11)]));
    assert(success.length > 100);
    const internAtom = (name: string) =>
      ask(
        connection,
        concat([hex("10 00"), two(2 + name.length / 4), two(name.length), hex("0000"), utf8(name)]),
      );
    const answer = await internAtom("ATOM");
    assertEquals(answer.subarray(0, 12), concat([hex("01 00"), two(1), number(0), number(4)]));
    // An answer that is longer than 32 bytes: the name of the atom, which is not.
    const named = await ask(connection, concat([hex("11 00"), two(2), number(4)]));
    assertEquals([named.length, latin1(named.subarray(32))], [36, "ATOM"]);
    // An error is an answer of 32 bytes.
    const error = await ask(connection, concat([hex("11 00"), two(2), number(0xffff)]));
    assertEquals([error.length, error[0], error[1]], [32, 0, 5]);
  }
});

/** Starts rsyslog with a configuration, as one process in the foreground, and gives the port that it writes to a file. */
async function startRsyslog(
  folder: string,
  config: string,
): Promise<{ port: number } & AsyncDisposable> {
  await Deno.writeTextFile(
    `${folder}/rsyslog.conf`,
    `global(workDirectory="${folder}")\n${config}`,
  );
  const command = ["rsyslogd", "-n", "-i", `${folder}/pid`, "-f", `${folder}/rsyslog.conf`];
  const daemon = await RunningEngine.start(command, { ready: { file: `${folder}/port` }, at: [] });
  const port = parseInt(await Deno.readTextFile(`${folder}/port`));
  await daemon.listensAt(`tcp://127.0.0.1:${port}`);
  return { port, [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose]() };
}

await testWith(RSYSLOG, "syslog sends to rsyslog, whose answer comes back by TCP", async () => {
  await using folder = await temporaryFolder();
  const received: string[] = [];
  const all = Promise.withResolvers<void>();
  await using server = await listen(
    "tcp://127.0.0.1:0?framing=syslog",
    async (connection) => {
      for await (const message of connection) {
        received.push(latin1(message));
        if (received.length === 6) all.resolve();
      }
    },
  );
  const out = new URL(server.endpoints[0]).port;
  const forward = (framing: string) =>
    `action(type="omfwd" target="127.0.0.1" port="${out}" protocol="tcp" template="t"
            TCP_Framing="${framing}")`;
  await using daemon = await startRsyslog(
    folder.path,
    `module(load="imtcp")
template(name="t" type="string" string="<14>%rawmsg-after-pri%")
input(type="imtcp" port="0" address="127.0.0.1" ruleset="r"
      listenPortFileName="${folder.path}/port")
ruleset(name="r") { ${forward("octet-counted")} ${forward("traditional")} }
`,
  );
  await using connection = await connect(`tcp://127.0.0.1:${daemon.port}?framing=syslog`);
  for (const text of ["<14>one", "<14>two 2", "<14>three"]) await connection.send(text);
  await all.promise;
  assertEquals(received.toSorted(), [
    ...["<14>one", "<14>one", "<14>three", "<14>three", "<14>two 2", "<14>two 2"],
  ]);
});

await testWith(CLANGD, "lsp asks clangd about a document", async () => {
  await using folder = await temporaryFolder();
  const socket = `${folder.path}/socket`;
  await using _server = await RunningEngine.start([
    ...["socat", "-d", "-d", `UNIX-LISTEN:${socket},fork`, "EXEC:clangd --log=error"],
  ], { ready: "listening on", at: [`unix:${socket}`] });
  const format = json<Record<string, unknown>>();
  await using connection = await connect(`unix:${socket}?framing=lsp`, { format });
  const answerTo = async (id: number) => {
    for await (const message of connection) if (message.id === id) return message;
    throw new Error(`clangd did not answer ${id}`);
  };
  const call = (id: number, method: string, params: unknown) => {
    connection.send({ jsonrpc: "2.0", id, method, params });
    return answerTo(id);
  };
  const capabilities = await call(1, "initialize", {
    processId: null,
    rootUri: null,
    capabilities: {},
  });
  assertEquals((capabilities.result as { serverInfo: { name: string } }).serverInfo.name, "clangd");
  const uri = `file://${folder.path}/a.c`;
  const text = "/* grüße 😀 */ int answer = 42;";
  const textDocument = { uri, languageId: "c", version: 1, text };
  connection.send({ jsonrpc: "2.0", method: "textDocument/didOpen", params: { textDocument } });
  const symbols = await call(2, "textDocument/documentSymbol", { textDocument: { uri } });
  assertEquals((symbols.result as { name: string }[]).map(({ name }) => name), ["answer"]);
});
