import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "../../../client.ts";
import { capnp, grpcMessage, InvalidLengthError, ros1, thriftFramed } from "../../../codec.ts";
import { decodeAll, encodeAll } from "../../support/bytes.ts";
import { be, concat, counted, hex, latin1, le, utf8 } from "./bytes.ts";
import { engine, PYTHON, run, RunningEngine, temporaryFolder, testWith } from "./engine.ts";
import { ask } from "./talk.ts";
import { listen } from "../../../server.ts";

const THRIFT = engine("Python's Thrift", { modules: ["thrift.transport.TSocket"] });
const ROSPY = engine("rospy", { modules: ["rospy.msg", "std_msgs.msg"] });
const HL7 = engine("Python's hl7", { modules: ["hl7.mllp"] });
const CAPNP = engine("Cap'n Proto", { commands: ["capnp"] });
const GRPC = engine("Python's gRPC", { modules: ["grpc"] });

/** A server that adds the two numbers of a call, on a port that it prints. */
const THRIFT_SERVER = `
import socket
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.Thrift import TMessageType, TType
from thrift.transport.TSocket import TSocket
from thrift.transport.TTransport import TFramedTransport
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
peer = TSocket()
peer.setHandle(listener.accept()[0])
transport = TFramedTransport(peer)
protocol = TBinaryProtocol(transport)
while True:
    name, kind, number = protocol.readMessageBegin()
    total = 0
    protocol.readStructBegin()
    while True:
        _, type, _ = protocol.readFieldBegin()
        if type == TType.STOP: break
        total += protocol.readI32()
    protocol.readMessageEnd()
    protocol.writeMessageBegin(name, TMessageType.REPLY, number)
    protocol.writeFieldBegin("", TType.I32, 0)
    protocol.writeI32(total)
    protocol.writeFieldStop()
    protocol.writeMessageEnd()
    transport.flush()
`;

await testWith(THRIFT, "thriftFramed() calls a service in Thrift's Python", async () => {
  const command = [PYTHON, "-c", THRIFT_SERVER];
  await using server = await RunningEngine.start(command, { ready: "\n", at: [] });
  const endpoint = `tcp://127.0.0.1:${parseInt(server.greeting)}`;
  await using connection = await connect(endpoint, { framing: thriftFramed() });
  const [call, reply] = [1, 2];
  const head = (type: number, number: number) =>
    concat([hex("8001 00"), Uint8Array.of(type), counted("add", be), be(number)]);
  const field = (id: number, value: number) => concat([hex("08"), be(id, 2), be(value)]);
  const stop = hex("00");
  for (const [number, a, b] of [[1, 2, 40], [2, -1, 1]]) {
    const answer = await ask(
      connection,
      concat([head(call, number), field(1, a), field(2, b), stop]),
    );
    assertEquals(answer, concat([head(reply, number), field(0, a + b), stop]));
  }
});

await testWith(
  THRIFT,
  "thriftFramed() refuses the negative length that Thrift's Python takes",
  async () => {
    const told = await run([
      PYTHON,
      "-c",
      `from thrift.transport.TTransport import TFramedTransport, TMemoryBuffer
transport = TFramedTransport(TMemoryBuffer(bytes.fromhex("ffffffff") + bytes.fromhex("0000000161")))
transport.readFrame()
print(transport.read(0), transport.read(1))`,
    ]);
    assertEquals(latin1(told), "b'' b'a'\n");
    assertThrows(() => decodeAll(thriftFramed(), [be(-1)]));
  },
);

await testWith(ROSPY, "ros1() reads what rospy writes, and the reverse", async () => {
  const script = `
import io, sys
from rospy.msg import deserialize_messages, serialize_message
from std_msgs.msg import String
received = []
buffer = io.BytesIO()
buffer.write(sys.stdin.buffer.read())
deserialize_messages(buffer, received, String)
out = io.BytesIO()
for number, message in enumerate(received):
    serialize_message(out, number, String(message.data + "!"))
sys.stdout.buffer.write(out.getvalue())
`;
  const strings = ["", "hello", "x".repeat(70_000)];
  const messages = strings.map((text) => counted(text, le));
  const back = await run([PYTHON, "-c", script], { input: encodeAll(ros1(), messages) });
  assertEquals(decodeAll(ros1(), [back]), strings.map((text) => counted(`${text}!`, le)));
});

const SCHEMA = `@0xb4d6b2f1c3a59e87;
struct Point { x @0 :Int32; name @1 :Text; }
`;

await testWith(CAPNP, "capnp() reads what Cap'n Proto writes, and the reverse", async () => {
  await using folder = await temporaryFolder();
  const schema = `${folder.path}/point.capnp`;
  await Deno.writeTextFile(schema, SCHEMA);
  const convert = (kind: string, input: Uint8Array | string) =>
    run(["capnp", "convert", kind, schema, "Point"], { input });
  const text = `( x = 1, name = "one" )\n( x = -2, name = "${"x".repeat(9000)}" )\n`;
  const bytes = await convert("text:binary", text);
  const messages = decodeAll(capnp(), [bytes]);
  assertEquals(messages.length, 2);
  assertEquals(latin1(messages[0]).includes("one\0"), true);
  const back = latin1(await convert("binary:text", encodeAll(capnp(), messages.toReversed())));
  assertEquals([...back.matchAll(/x = (-?\d)/g)].map(([_, x]) => x), ["-2", "1"]);
});

await testWith(
  CAPNP,
  "capnp() takes as many segments as Cap'n Proto, and refuses one more",
  async () => {
    await using folder = await temporaryFolder();
    const schema = `${folder.path}/point.capnp`;
    await Deno.writeTextFile(schema, SCHEMA);
    const convert = (input: Uint8Array) =>
      run(["capnp", "convert", "binary:text", schema, "Point"], { input });
    // A point in the first segment, and nothing in the others.
    const message = (segments: number) =>
      concat([
        ...[le(segments - 1), le(3), new Uint8Array(4 * (segments - 1))],
        ...[new Uint8Array(segments % 2 === 0 ? 4 : 0), hex("0000000001000100")],
        ...[le(7), le(0), le(0, 8)],
      ]);
    assertEquals(latin1(await convert(message(511))).includes("x = 7"), true);
    assertEquals(decodeAll(capnp(), [message(511)]), [message(511)]);
    await assertRejects(() => convert(message(512)), Error, "too many segments");
    assertThrows(() => decodeAll(capnp(), [message(512)]), InvalidLengthError, "512 segments");
  },
);

/** A server that sends each request back, reversed. */
const GRPC_SERVER = `
import grpc
from concurrent.futures import ThreadPoolExecutor
class Handler(grpc.GenericRpcHandler):
    def service(self, details):
        return grpc.stream_stream_rpc_method_handler(
            lambda requests, context: (request[::-1] for request in requests))
server = grpc.server(ThreadPoolExecutor(2), handlers=[Handler()])
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(port, flush=True)
server.wait_for_termination()
`;

await testWith(GRPC, "grpcMessage() calls gRPC's Python, message by message", async () => {
  const command = [PYTHON, "-c", GRPC_SERVER];
  await using server = await RunningEngine.start(command, { ready: "\n", at: [] });
  const messages = [utf8("HELLO"), new Uint8Array(0), new Uint8Array(70_000).fill(7), utf8("hi")];
  const { bytes, status } = await callGrpc(
    parseInt(server.greeting),
    encodeAll(grpcMessage(), messages),
  );
  assertEquals(status, "0");
  assertEquals(decodeAll(grpcMessage(), [bytes]), messages.map((message) => message.toReversed()));
  // Above the limit: RESOURCE_EXHAUSTED.
  const port = parseInt(server.greeting);
  const most = grpcMessage().maxMessageBytes;
  const fits = await callGrpc(port, grpcMessage().encode(new Uint8Array(most)));
  assertEquals([fits.status, fits.bytes.length], ["0", 5 + most]);
  const above = await callGrpc(port, grpcMessage().encode(new Uint8Array(most + 1)));
  assertEquals([above.status, above.bytes.length], ["8", 0]);
  // A message that is cut is no error for gRPC's Python: it is dropped.
  const cut = await callGrpc(port, concat([hex("00"), be(10), utf8("cut")]));
  assertEquals([cut.status, cut.bytes.length], ["0", 0]);
});

/** A call with this body: the body of the answer, and the status in the trailers. */
async function callGrpc(
  port: number,
  body: Uint8Array,
): Promise<{ bytes: Uint8Array; status: unknown }> {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  try {
    const call = session.request({
      ":method": "POST",
      ":path": "/lengthwise.Test/Reverse",
      "content-type": "application/grpc",
      te: "trailers",
    });
    const chunks: Uint8Array[] = [];
    const status = new Promise((resolve, reject) => {
      for (const event of ["response", "trailers"]) {
        call.on(event, (headers: Record<string, unknown>) => {
          if (headers["grpc-status"] !== undefined) resolve(headers["grpc-status"]);
        });
      }
      call.on("data", (chunk: Uint8Array) => chunks.push(chunk));
      call.on("error", reject);
    });
    call.end(body);
    return { status: await status, bytes: concat(chunks) };
  } finally {
    const closed = new Promise((resolve) => session.once("close", resolve));
    session.destroy();
    await closed;
  }
}

const HL7_MESSAGE = "MSH|^~\\&|A|B|C|D|20240101||ADT^A01|1|P|2.3\rPID|1||grüße\r";

/** A server that answers a message with an acknowledgment. */
const HL7_SERVER = `
import asyncio, hl7
from hl7.mllp import start_hl7_server
async def answer(reader, writer):
    while not reader.at_eof():
        try:
            message = await reader.readmessage()
        except asyncio.IncompleteReadError:
            break
        writer.writemessage(message.create_ack())
        await writer.drain()
    writer.close()
async def main():
    async with await start_hl7_server(answer, host="127.0.0.1", port=0, encoding="utf-8") as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()
asyncio.run(main())
`;

await testWith(HL7, "hl7 is acknowledged by Python's hl7", async () => {
  const command = [PYTHON, "-c", HL7_SERVER];
  await using server = await RunningEngine.start(command, { ready: "\n", at: [] });
  const endpoint = `tcp://127.0.0.1:${parseInt(server.greeting)}?framing=hl7`;
  await using connection = await connect(endpoint);
  for (let i = 0; i < 2; i++) {
    const answer = latin1(await ask(connection, utf8(HL7_MESSAGE)));
    assertEquals(
      answer.split("\r")[0].split("|").slice(0, 9).join("|").startsWith("MSH|^~\\&|C|D|A|B|"),
      true,
    );
    assertEquals(answer.split("\r")[1], "MSA|AA|1");
  }
});

await testWith(HL7, "hl7 takes a message of Python's hl7", async () => {
  await using server = await listen("tcp://127.0.0.1:0?framing=hl7", async (connection) => {
    for await (const message of connection) await connection.send(message);
  });
  const { port } = new URL(server.endpoints[0]);
  const told = await run([
    PYTHON,
    "-c",
    `import asyncio, hl7
from hl7.mllp import open_hl7_connection
async def main():
    reader, writer = await open_hl7_connection("127.0.0.1", ${port}, encoding="utf-8")
    writer.writemessage(hl7.parse("MSH|^~\\\\&|A|B|C|D|20240101||ADT^A01|7|P|2.3\\rPID|1"))
    await writer.drain()
    message = await reader.readmessage()
    print(message.segment("MSH")[10], message.segment("PID")[1])
    writer.close()
asyncio.run(main())`,
  ]);
  assertEquals(latin1(told), "7 1\n");
});
