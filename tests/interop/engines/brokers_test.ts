import { assert, assertEquals } from "@std/assert";
import { connect } from "../../../client.ts";
import { kafka, mqtt } from "../../../codec.ts";
import { listen } from "../../../server.ts";
import { be, concat, counted, hex, latin1, utf8 } from "./bytes.ts";
import { engine, freePort, run, RunningEngine, temporaryFolder, testWith } from "./engine.ts";
import { ask, ended, receiveMany } from "./talk.ts";

const MOSQUITTO = engine("Mosquitto", { commands: ["mosquitto"] });
const RABBITMQ = engine("RabbitMQ", {
  commands: ["/usr/lib/rabbitmq/bin/rabbitmq-server", "epmd"],
});
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
      at: [`unix:${socket}`],
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

/** An AMQP frame, whose length the framing writes. */
function frame(type: number, channel: number, content: Uint8Array): Uint8Array {
  return concat([Uint8Array.of(type), be16(channel), be(0), content, hex("ce")]);
}

/** The frame of a method: its class, its number, its arguments. */
function method(channel: number, [of, number]: number[], ...content: Uint8Array[]): Uint8Array {
  return frame(1, channel, concat([be16(of), be16(number), ...content]));
}

const short = (text: string) => counted(text, (bytes) => Uint8Array.of(bytes));
const long = (text: string) => counted(text, be);

/** What RabbitMQ needs to run beside others of its kind, in a folder of its own. */
async function startRabbitMq(folder: string, port: number): Promise<RunningEngine> {
  const files = {
    "rabbitmq.conf": `listeners.tcp.1 = 127.0.0.1:${port}\nlog.console = true\nlog.file = false\n`,
    "enabled_plugins": "[].\n",
    "environment": "",
  };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${folder}/${name}`, text);
  }
  const names = { ERL_EPMD_PORT: `${freePort()}`, ERL_EPMD_ADDRESS: "127.0.0.1" };
  return await RunningEngine.start(["/usr/lib/rabbitmq/bin/rabbitmq-server"], {
    unprivileged: true,
    ready: "started TCP listener",
    at: [`tcp://127.0.0.1:${port}`],
    env: {
      ...names,
      HOME: folder,
      RABBITMQ_NODENAME: `lengthwise${port}@localhost`,
      RABBITMQ_DIST_PORT: `${freePort()}`,
      RABBITMQ_MNESIA_BASE: `${folder}/data`,
      RABBITMQ_LOG_BASE: `${folder}/log`,
      RABBITMQ_PID_FILE: `${folder}/pid`,
      RABBITMQ_CONFIG_FILE: `${folder}/rabbitmq.conf`,
      RABBITMQ_CONF_ENV_FILE: `${folder}/environment`,
      RABBITMQ_ENABLED_PLUGINS_FILE: `${folder}/enabled_plugins`,
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "+sbwt none",
    },
    pidFile: `${folder}/pid`,
    // The list of names that it started on a port of its own, and left.
    atEnd: async () => void await run(["epmd", "-kill"], { env: names }),
  });
}

await testWith(
  RABBITMQ,
  "amqp091 publishes to RabbitMQ and gets it back, and meets what it refuses",
  async () => {
    await using folder = await temporaryFolder();
    const port = freePort();
    await using _server = await startRabbitMq(folder.path, port);
    const endpoint = `tcp://127.0.0.1:${port}`;
    const header = concat([utf8("AMQP"), hex("00 00 09 01")]);
    /** Opens a connection, up to its first channel. */
    const open = async () => {
      const connection = await connect(`${endpoint}?framing=amqp091`);
      const start = await ask(connection, header);
      assertEquals(start.subarray(7, 13), hex("000a 000a 00 09"));
      const login = [be(0), short("PLAIN"), long("\0guest\0guest"), short("en_US")];
      const tune = await ask(connection, method(0, [10, 11], ...login));
      assertEquals(tune.subarray(7, 11), hex("000a 001e"));
      await connection.send(method(0, [10, 31], be16(2047), be(131_072), be16(0)));
      const ok = await ask(connection, method(0, [10, 40], short("/"), hex("00 00")));
      assertEquals(ok.subarray(7, 11), hex("000a 0029"));
      return connection;
    };
    const connection = await open();
    assertEquals(
      (await ask(connection, method(1, [20, 10], hex("00")))).subarray(7, 11),
      hex("0014 000b"),
    );
    const declared = await ask(
      connection,
      method(1, [50, 10], be16(0), short("q"), hex("00"), be(0)),
    );
    assertEquals(declared.subarray(7, 11), hex("0032 000b"));
    const content = new Uint8Array(200_000).map((_, i) => i);
    await connection.send(method(1, [60, 40], be16(0), short(""), short("q"), hex("00")));
    await connection.send(frame(2, 1, concat([be16(60), be16(0), be(content.length, 8), be16(0)])));
    const most = 131_072 - 8;
    await connection.send(frame(3, 1, content.subarray(0, most)));
    await connection.send(frame(3, 1, content.subarray(most)));
    const got = await ask(connection, method(1, [60, 70], be16(0), short("q"), hex("01")));
    assertEquals(got.subarray(7, 11), hex("003c 0047"));
    const [, ...bodies] = await receiveMany(connection, 3);
    assertEquals(bodies.map((body) => body.length), [131_072, 200_000 - most + 8]);
    assertEquals(
      latin1(concat(bodies.map((body) => body.subarray(7, -1)))) === latin1(content),
      true,
    );
    const closed = await ask(connection, method(0, [10, 50], be16(200), short(""), be(0)));
    assertEquals(closed.subarray(7, 11), hex("000a 0033"));
    await connection.close();

    // Once open, it tells what is wrong with a frame.
    await using wrong = await open();
    wrong.switchFraming("none", { direction: "out" });
    await wrong.send(concat([hex("01 0000 00000004 000a000b"), utf8("X")]));
    assertEquals(latin1((await receiveMany(wrong, 1))[0]).includes("FRAME_ERROR"), true);
    // Before that, it is silent for 3 seconds, and resets.
    await using early = await connect(`${endpoint}?framing=amqp091`);
    await ask(early, header);
    early.switchFraming("none", { direction: "out" });
    await early.send(concat([hex("01 0000 00000004 000a000b"), utf8("X")]));
    assertEquals(await ended(early), new Uint8Array(0));
    // Another protocol is answered with the right one.
    await using other = await connect(endpoint, { framing: "none" });
    await other.send(concat([utf8("HTTP"), hex("00 00 09 01")]));
    assertEquals(await ended(other), header);
  },
);

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
