import { assertEquals, assertMatch } from "@std/assert";
import { connect } from "../../../client.ts";
import {
  dotnetString,
  erlang,
  gob,
  javaUtf,
  pythonConnection,
  QT_NULL,
  qtByteArray,
  qtString,
} from "../../../codec.ts";
import { listen } from "../../../server.ts";
import { decodeAll, encodeAll, texts } from "../../support/bytes.ts";
import { be, concat, hex, latin1, utf8 } from "./bytes.ts";
import { engine, PYTHON, run, RunningEngine, temporaryFolder, testWith } from "./engine.ts";
import { ask, ended } from "./talk.ts";

const MULTIPROCESSING = engine("Python's multiprocessing", {
  modules: ["multiprocessing.connection"],
});
const PYQT = engine("PyQt5", { modules: ["PyQt5.QtCore"] });
const JAVA = engine("Java", { commands: ["java", "javac"] });
const GO = engine("Go", { commands: ["go"] });
const ERLANG = engine("Erlang", { commands: ["escript"] });
const MONO = engine("Mono", { commands: ["mcs", "mono"] });

const TEXTS = ["", "hello", "grüße, 漢字", "a\0b", "😀 𝄞", "x".repeat(40_000)];

/** A server that sends each message back, reversed, until it gets an empty one. */
const PYTHON_SERVER = `
from multiprocessing.connection import Listener
with Listener(("127.0.0.1", 0)) as listener:
    print(listener.address[1], flush=True)
    while True:
        with listener.accept() as connection:
            try:
                while message := connection.recv_bytes(100_000):
                    connection.send_bytes(message[::-1])
            except (EOFError, OSError) as error:
                print(type(error).__name__, error, flush=True)
`;

await testWith(MULTIPROCESSING, "pythonConnection() talks with Python's Listener", async () => {
  const command = [PYTHON, "-c", PYTHON_SERVER];
  await using server = await RunningEngine.start(command, { ready: "\n", at: [] });
  const endpoint = `tcp://127.0.0.1:${parseInt(server.greeting)}`;
  await using connection = await connect(endpoint, { framing: pythonConnection() });
  for (const bytes of [1, 5, 16_384, 100_000]) {
    const message = Uint8Array.from({ length: bytes }, (_, i) => i % 251);
    assertEquals(await ask(connection, message), message.toReversed());
  }
  // Above its own limit Python closes.
  await connection.send(new Uint8Array(100_001));
  assertMatch(await server.until("\n"), /^OSError bad message length/);
  await ended(connection);

  // The long form is taken for a short message, too.
  await using long = await connect(endpoint, { framing: "none" });
  await long.send(concat([be(-1), be(5, 8), utf8("HELLO")]));
  assertEquals(await long.receive(), concat([be(5), utf8("OLLEH")]));
  await long.send(be(0));
  await ended(long);
});

await testWith(MULTIPROCESSING, "pythonConnection() serves Python's Client", async () => {
  await using server = await listen(
    "tcp://127.0.0.1:0",
    { framing: pythonConnection() },
    async (connection) => {
      for await (const message of connection) await connection.send(message);
    },
  );
  const { port } = new URL(server.endpoints[0]);
  const told = await run([
    PYTHON,
    "-c",
    `from multiprocessing.connection import Client
with Client(("127.0.0.1", ${port})) as connection:
    for size in (0, 1, 16384, 70000):
        connection.send_bytes(bytes(size))
        print(len(connection.recv_bytes()))
    connection.send({"a": [1, None]})
    print(connection.recv())`,
  ]);
  assertEquals(latin1(told), "0\n1\n16384\n70000\n{'a': [1, None]}\n");
});

const QT_SCRIPT = `
import sys
from PyQt5.QtCore import QByteArray, QDataStream, QIODevice
data = QByteArray(sys.stdin.buffer.read())
reader = QDataStream(data)
out = QByteArray()
writer = QDataStream(out, QIODevice.WriteOnly)
kind = sys.argv[1]
while not reader.atEnd():
    if kind == "bytes":
        value = QByteArray()
        reader >> value
        print("null" if value.isNull() else value.size(), file=sys.stderr)
        writer << value
    else:
        value = reader.readQString()
        print("null" if value is None else len(value), file=sys.stderr)
        writer.writeQString(value)
sys.stdout.buffer.write(bytes(out))
`;

await testWith(PYQT, "qtByteArray() gives Qt byte arrays, of which null is not empty", async () => {
  const messages = [utf8("hello"), QT_NULL, new Uint8Array(0), new Uint8Array(70_000).fill(7)];
  const sent = encodeAll(qtByteArray(), messages);
  const back = await run([PYTHON, "-c", QT_SCRIPT, "bytes"], { input: sent });
  assertEquals(back, sent);
  const received = decodeAll(qtByteArray(), [back]);
  assertEquals(received, messages);
  assertEquals(received.map((message) => message === QT_NULL), [false, true, false, false]);
});

await testWith(
  PYQT,
  "qtString() gives Qt strings in UTF-16, and a null as Qt reads it",
  async () => {
    const messages = [...TEXTS.map(utf8), QT_NULL];
    const sent = encodeAll(qtString(), messages);
    assertEquals(sent.subarray(-4), be(0xffff_ffff));
    const back = await run([PYTHON, "-c", QT_SCRIPT, "string"], { input: sent });
    // Python has no null string, so PyQt sends an empty one back.
    const expected = concat([sent.subarray(0, -4), be(0)]);
    assertEquals(latin1(back) === latin1(expected), true);
    assertEquals(texts(decodeAll(qtString(), [back])), [...TEXTS, ""]);
    assertEquals(decodeAll(qtString(), [sent]).indexOf(QT_NULL), TEXTS.length);
  },
);

const JAVA_SOURCE = `
import java.io.*;
class Utf {
  public static void main(String[] args) throws IOException {
    DataInputStream in = new DataInputStream(new BufferedInputStream(System.in));
    DataOutputStream out = new DataOutputStream(new BufferedOutputStream(System.out));
    try {
      while (true) out.writeUTF(new StringBuilder(in.readUTF()).append("!").toString());
    } catch (EOFException end) {
      out.flush();
    }
  }
}
`;

await testWith(JAVA, "javaUtf() gives Java strings in modified UTF-8", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/Utf.java`;
  await Deno.writeTextFile(file, JAVA_SOURCE);
  const sent = encodeAll(javaUtf(), TEXTS.map(utf8));
  const back = await run(["java", "-XX:TieredStopAtLevel=1", file], { input: sent });
  assertEquals(texts(decodeAll(javaUtf(), [back])), TEXTS.map((text) => `${text}!`));
  assertEquals(back.subarray(0, 3), hex("0001 21"));
  assertEquals(latin1(back).includes("a\xc0\x80b!"), true);
});

const CSHARP_SOURCE = `
using System;
using System.IO;
class Strings {
  static void Main() {
    var reader = new BinaryReader(new BufferedStream(Console.OpenStandardInput()));
    var memory = new MemoryStream();
    var writer = new BinaryWriter(memory);
    try {
      while (true) writer.Write(reader.ReadString() + "!");
    } catch (EndOfStreamException) {}
    using (var output = Console.OpenStandardOutput()) memory.WriteTo(output);
  }
}
`;

await testWith(MONO, "dotnetString() gives .NET strings, also behind a long varint", async () => {
  await using folder = await temporaryFolder();
  const [source, program] = [`${folder.path}/Strings.cs`, `${folder.path}/Strings.exe`];
  await Deno.writeTextFile(source, CSHARP_SOURCE);
  await run(["mcs", `-out:${program}`, source]);
  const overlong = concat([hex("85 8000"), utf8("HELLO")]);
  const sent = concat([encodeAll(dotnetString(), TEXTS.map(utf8)), overlong]);
  assertEquals(texts(decodeAll(dotnetString(), [sent])), [...TEXTS, "HELLO"]);
  const back = await run(["mono", program], { input: sent });
  const expected = [...TEXTS, "HELLO"].map((text) => `${text}!`);
  assertEquals(texts(decodeAll(dotnetString(), [back])), expected);
});

const GO_SOURCE = `
package main

import (
	"encoding/gob"
	"io"
	"os"
	"strings"
)

type Point struct {
	X    int
	Name string
}

func main() {
	encoder := gob.NewEncoder(os.Stdout)
	if os.Args[1] == "write" {
		for _, size := range []int{0, 5, 200, 70000} {
			encoder.Encode(Point{-size, strings.Repeat("x", size)})
		}
		return
	}
	decoder := gob.NewDecoder(os.Stdin)
	for {
		var point Point
		if err := decoder.Decode(&point); err == io.EOF {
			return
		} else if err != nil {
			panic(err)
		}
		os.Stdout.WriteString(point.Name[:min(3, len(point.Name))] + "\\n")
	}
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}
`;

await testWith(GO, "gob() reads what Go's encoding/gob writes, and the reverse", async () => {
  await using folder = await temporaryFolder();
  const [source, program] = [`${folder.path}/main.go`, `${folder.path}/main`];
  await Deno.writeTextFile(source, GO_SOURCE);
  const env = { HOME: folder.path, GOCACHE: Deno.env.get("GOCACHE") ?? "/tmp/lengthwise_go_cache" };
  await run(["go", "build", "-o", program, source], { env });
  const written = await run([program, "write"]);
  const messages = decodeAll(gob(), [written]);
  // The definition of the type, and four values.
  assertEquals(messages.length, 5);
  assertEquals(latin1(messages[0]).includes("Point"), true);
  assertEquals(messages.at(-1)!.length > 70_000, true);
  assertEquals(encodeAll(gob(), messages), written);
  const read = await run([program, "read"], { input: encodeAll(gob(), messages) });
  assertEquals(latin1(read), "\nxxx\nxxx\nxxx\n");
});

/** Sends back each message that a mode gives, behind its length in 4 bytes. */
const ERLANG_SOURCE = `#!/usr/bin/env escript
main([Mode]) ->
    Packet = case Mode of "4" -> 4; "2" -> 2; "1" -> 1; _ -> list_to_atom(Mode) end,
    {ok, Listener} = gen_tcp:listen(0, [binary, {active, false}, {exit_on_close, false}, {packet, Packet}, {ip, {127,0,0,1}}]),
    {ok, Port} = inet:port(Listener),
    io:format("~p~n", [Port]),
    {ok, Socket} = gen_tcp:accept(Listener),
    loop(Socket, <<>>).
loop(Socket, Seen) ->
    case gen_tcp:recv(Socket, 0) of
        {ok, Message} -> loop(Socket, <<Seen/binary, (byte_size(Message)):32, Message/binary>>);
        {error, closed} ->
            ok = inet:setopts(Socket, [{packet, raw}]),
            gen_tcp:send(Socket, Seen),
            gen_tcp:close(Socket)
    end.
`;

/** What Erlang makes of messages that are sent with a framing. */
async function throughErlang(
  mode: string,
  messages: Uint8Array[],
  stream?: Uint8Array,
): Promise<{ ours: Uint8Array[]; theirs: Uint8Array[] }> {
  await using folder = await temporaryFolder();
  const script = `${folder.path}/modes.escript`;
  await Deno.writeTextFile(script, ERLANG_SOURCE);
  await using server = await RunningEngine.start(["escript", script, mode], {
    ready: "\n",
    at: [],
  });
  const framing = erlang({ packet: /^\d$/.test(mode) ? Number(mode) as 1 : mode as "line" });
  const frames = stream ?? encodeAll(framing, messages);
  await using connection = await connect(`tcp://127.0.0.1:${parseInt(server.greeting)}`, {
    framing: "none",
  });
  await connection.send(frames);
  await connection.closeWrite();
  const theirs = decodeAll(erlang({ packet: 4 }), [await ended(connection)]);
  return { ours: decodeAll(framing, [frames]), theirs };
}

await testWith(ERLANG, "erlang() makes of a stream what Erlang's modes make of it", async () => {
  const texts = [utf8("hello"), utf8("x".repeat(200))];
  for (const mode of ["1", "2", "4"]) {
    const { ours, theirs } = await throughErlang(mode, [...texts, new Uint8Array(0)]);
    assertEquals(theirs, ours);
  }
  const tpkt = [hex("0300 0007 02f080"), hex("0300 0005 61")];
  const cdr = [hex("47494f50 01020100 02000000 6162"), hex("47494f50 01020000 00000001 61")];
  const asn1 = [hex("30 03 020107"), hex("0402 6869")];
  for (const [mode, messages] of [["tpkt", tpkt], ["cdr", cdr], ["asn1", asn1]] as const) {
    const { ours, theirs } = await throughErlang(mode, [...messages]);
    assertEquals(ours, messages);
    assertEquals(theirs, messages);
  }
});

await testWith(ERLANG, "erlang() differs from Erlang where it says so", async () => {
  // Erlang keeps the newline.
  const line = await throughErlang("line", [utf8("hello")]);
  assertEquals([line.ours, line.theirs], [[utf8("hello")], [utf8("hello\n")]]);
  // Erlang keeps the header of a fragment.
  const sunrm = await throughErlang("sunrm", [utf8("hello")]);
  assertEquals(sunrm.ours, [utf8("hello")]);
  assertEquals(sunrm.theirs, [concat([hex("80000005"), utf8("hello")])]);
  // Erlang hands over the pieces of a value of indefinite length.
  const indefinite = hex("3080 020107 0000");
  const asn1 = await throughErlang("asn1", [], indefinite);
  assertEquals(asn1.ours, [indefinite]);
  assertEquals(asn1.theirs, [hex("3080"), hex("020107"), hex("0000")]);
  // Erlang drops the padding, and leaves its length in the header.
  const fcgi = await throughErlang("fcgi", [], hex("01060001 0002 03 00 6869 000000"));
  assertEquals(fcgi.ours, [hex("01060001 0002 00 00 6869")]);
  assertEquals(fcgi.theirs, [hex("01060001 0002 03 00 6869")]);
});
