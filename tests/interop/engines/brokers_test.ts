import { assert, assertEquals } from "@std/assert";
import { connect } from "../../../client.ts";
import { kafka, mqtt } from "../../../codec.ts";
import { listen } from "../../../server.ts";
import { be, concat, counted, hex, latin1 } from "./bytes.ts";
import { engine, run, RunningEngine, temporaryFolder, testWith } from "./engine.ts";
import { ask, ended, receiveMany } from "./talk.ts";

const MOSQUITTO = engine("Mosquitto", { commands: ["mosquitto"] });
const KCAT = engine("kcat", { commands: ["kcat"] });

const be16 = (value: number) => be(value, 2);

/** An MQTT packet with less than 128 bytes behind its length. */
function packet(type: number, content: Uint8Array): Uint8Array {
  return concat([Uint8Array.of(type, content.length), content]);
}

function mqttConnect(client: string): Uint8Array {
  const [level, cleanSession, keepAlive] = [4, 2, be16(60)];
  return packet(
    0x10,
    concat([
      ...[counted("MQTT", be16), Uint8Array.of(level, cleanSession), keepAlive],
      counted(client, be16),
    ]),
  );
}

await testWith(
  MOSQUITTO,
  "mqtt() publishes to Mosquitto, which hands it to a subscriber",
  async () => {
    await using folder = await temporaryFolder();
    const socket = `${folder.path}/socket`;
    const config = `${folder.path}/mosquitto.conf`;
    await Deno.writeTextFile(config, `listener 0 ${socket}\nallow_anonymous true\n`);
    await using _broker = await RunningEngine.start(["mosquitto", "-c", config], {
      unprivileged: true,
      ready: "running",
    });
    const join = async (client: string) => {
      const connection = await connect(`unix:${socket}`, { framing: mqtt() });
      assertEquals(await ask(connection, mqttConnect(client)), hex("2002 0000"));
      return connection;
    };
    await using subscriber = await join("subscriber");
    const topic = counted("a/b", be16);
    const subscribe = packet(0x82, concat([be16(7), topic, Uint8Array.of(0)]));
    assertEquals(await ask(subscriber, subscribe), hex("9003 0007 00"));

    await using publisher = await join("publisher");
    for (const bytes of [0, 10, 200, 20_000, 2_100_000]) {
      const content = concat([topic, new Uint8Array(bytes).fill(0x78)]);
      const header = Uint8Array.of(0x30, ...base128(content.length));
      const publish = concat([header, content]);
      await publisher.send(publish);
      const [received] = await receiveMany(subscriber, 1);
      assertEquals(received, publish);
    }

    // A length that is longer than need be is taken; one of five bytes is not.
    await using overlong = await connect(`unix:${socket}`, { framing: "none" });
    await overlong.send(mqttConnect("overlong"));
    assertEquals(await overlong.receive(), hex("2002 0000"));
    await overlong.send(hex("c0 8000"));
    assertEquals(await overlong.receive(), hex("d000"));
    await overlong.send(hex("c0 8080808000"));
    assertEquals(await ended(overlong), new Uint8Array(0));
  },
);

function base128(value: number): number[] {
  return value < 0x80 ? [value] : [value & 0x7f | 0x80, ...base128(value >> 7)];
}

await testWith(KCAT, "kafka() answers kcat, which asks for the brokers and topics", async () => {
  const requests: Uint8Array[] = [];
  let port = 0;
  await using server = await listen(
    "tcp://127.0.0.1:0",
    { framing: kafka() },
    async (connection) => {
      for await (const request of connection) {
        requests.push(request);
        const correlation = request.subarray(4, 8);
        const broker = concat([be(7), counted("127.0.0.1", be16), be(port)]);
        const topic = concat([be16(0), counted("lengthwise", be16), be(0)]);
        await connection.send(concat([correlation, be(1), broker, be(1), topic]));
      }
    },
  );
  port = Number(new URL(server.endpoints[0]).port);
  const told = await run([
    ...["kcat", "-L", "-J", "-b", `127.0.0.1:${port}`],
    ...["-X", "api.version.request=false", "-X", "broker.version.fallback=0.9.0"],
  ]);
  const { brokers, topics } = JSON.parse(latin1(told));
  assertEquals(brokers, [{ id: 7, name: `127.0.0.1:${port}` }]);
  assertEquals(topics.map(({ topic }: { topic: string }) => topic), ["lengthwise"]);
  assert(requests.length > 0);
  const [metadata, version] = [3, 0];
  assertEquals(requests[0].subarray(0, 4), concat([be16(metadata), be16(version)]));
  assertEquals(requests[0].subarray(8), concat([counted("rdkafka", be16), be(0)]));
});
