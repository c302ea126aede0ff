import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { connect } from "../../../client.ts";
import type { Connection } from "../../../connection.ts";
import { bson, mysql, zookeeper } from "../../../codec.ts";
import { be, concat, counted, hex, latin1, le, terminated, utf8 } from "./bytes.ts";
import {
  engine,
  freePort,
  PYTHON,
  run,
  RunningEngine,
  temporaryFolder,
  testWith,
} from "./engine.ts";
import { ask, ended, receiveMany } from "./talk.ts";

const MARIADB = engine("MariaDB", { commands: ["mariadbd"] });
const ZOOKEEPER = engine("ZooKeeper", {
  commands: ["java"],
  files: ["/usr/share/java/zookeeper.jar", "/usr/share/java/slf4j-simple.jar"],
});
const BSON = engine("Python's bson", { modules: ["bson"] });

/** A MariaDB in a folder, without any table. */
async function startMariaDb(folder: string): Promise<RunningEngine> {
  const data = `${folder}/data`;
  await run(["mkdir", data], { unprivileged: true });
  return await RunningEngine.start([
    ...["mariadbd", "--no-defaults", `--datadir=${data}`, `--socket=${folder}/socket`],
    ...["--skip-grant-tables", "--skip-networking", `--pid-file=${folder}/pid`],
    ...["--innodb=OFF", "--default-storage-engine=MyISAM", `--aria-log-dir-path=${data}`],
  ], { unprivileged: true, ready: "ready for connections" });
}

/** A packet of MySQL, whose length the framing writes. */
function packet(number: number, content: Uint8Array): Uint8Array {
  return concat([Uint8Array.of(0, 0, 0, number), content]);
}

/** Answers MariaDB's greeting. The flags: long password, protocol 4.1, secure, authentication. */
async function logIn(connection: Connection): Promise<void> {
  const [greeting] = await receiveMany(connection, 1);
  assertEquals(greeting[3], 0);
  assertEquals(greeting[4], 10);
  assertMatch(latin1(greeting.subarray(5)), /^5\.5\.5-10\.\d+\.\d+-MariaDB/);
  const login = concat([
    ...[le(0x1 | 0x200 | 0x8000 | 0x80000), le(2 ** 24), Uint8Array.of(33), new Uint8Array(23)],
    ...[terminated("root"), Uint8Array.of(0), terminated("mysql_native_password")],
  ]);
  const ok = await ask(connection, packet(1, login));
  assertEquals(ok.subarray(3, 5), hex("02 00"));
}

await testWith(MARIADB, "mysql() asks MariaDB, which numbers the packets", async () => {
  await using folder = await temporaryFolder();
  await using _server = await startMariaDb(folder.path);
  await using connection = await connect(`unix:${folder.path}/socket`, { framing: mysql() });
  await logIn(connection);
  await connection.send(packet(0, utf8("\x03SELECT 6*7")));
  const answer = await receiveMany(connection, 5);
  assertEquals(answer.map((one) => one[3]), [1, 2, 3, 4, 5]);
  assertEquals(answer[3].subarray(4), utf8("\x0242"));

  const outOfOrder = await ask(connection, packet(7, utf8("\x03SELECT 6*7")));
  assertStringIncludes(latin1(outOfOrder), "Got packets out of order");
  await ended(connection);
});

await testWith(MARIADB, "mysql() fills a packet and sends the rest in another", async () => {
  await using folder = await temporaryFolder();
  await using _server = await startMariaDb(folder.path);
  for (const [above, answers] of [[0, true], [1, false]] as const) {
    const framing = mysql();
    await using connection = await connect(`unix:${folder.path}/socket`, { framing });
    await logIn(connection);
    const most = 2 ** 24 - 1;
    const query = utf8(`\x03SELECT length("${"x".repeat(most + above - 18)}")`);
    await connection.send(packet(0, query.subarray(0, most)));
    await connection.send(packet(1, query.subarray(most)));
    if (answers) {
      // The empty second packet was counted: the answers begin with number 2.
      const result = await receiveMany(connection, 5);
      assertEquals(result.map((one) => one[3]), [2, 3, 4, 5, 6]);
      assertEquals(result[3].subarray(4), utf8("\x0816777197"));
    } else {
      const [error] = await receiveMany(connection, 1);
      assertEquals(error.subarray(4, 7), hex("ff 8104"));
      assertStringIncludes(latin1(error), "bigger than 'max_allowed_packet'");
      await ended(connection);
    }
  }
});

await testWith(
  ZOOKEEPER,
  "zookeeper() asks for ZooKeeper's children, and meets its limit",
  async () => {
    await using folder = await temporaryFolder();
    const port = freePort();
    const config = `${folder.path}/zoo.cfg`;
    await Deno.writeTextFile(
      config,
      `dataDir=${folder.path}/data\nclientPortAddress=127.0.0.1\nclientPort=${port}\ntickTime=500\n` +
        "maxClientCnxns=0\n",
    );
    await using _server = await RunningEngine.start([
      ...["java", "-XX:TieredStopAtLevel=1", "-Dzookeeper.admin.enableServer=false"],
      ...["-cp", "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar"],
      ...["org.apache.zookeeper.server.ZooKeeperServerMain", config],
    ], { ready: "ContainerManager" });

    const endpoint = `tcp://127.0.0.1:${port}`;
    await using connection = await connect(endpoint, { framing: zookeeper() });
    await connection.send(
      concat([be(0), be(0, 8), be(10_000), be(0, 8), be(16), new Uint8Array(17)]),
    );
    assertEquals((await connection.receive())?.length, 37);
    const [number, getChildren] = [1, 8];
    await connection.send(
      concat([be(number), be(getChildren), counted("/", be), Uint8Array.of(0)]),
    );
    const answer = await connection.receive();
    assertEquals(answer?.subarray(0, 4), be(number));
    assertEquals(answer?.subarray(16), concat([be(1), counted("zookeeper", be)]));

    // The four-letter words are looked for before a length.
    await using word = await connect(endpoint, { framing: "none" });
    await word.send("srvr");
    assertMatch(latin1(await ended(word)), /^Zookeeper version: 3\.8\./);

    // A length is refused from its header alone.
    await using long = await connect(endpoint, { framing: "none" });
    await long.send(
      concat([be(45), be(0), be(0, 8), be(10_000), be(0, 8), be(16), new Uint8Array(17)]),
    );
    assertEquals((await long.receive())?.length, 41);
    await long.send(be(zookeeper().maxMessageBytes + 1));
    await ended(long);
  },
);

await testWith(BSON, "bson() reads what Python's bson writes, and the reverse", async () => {
  const documents = await run([
    PYTHON,
    "-c",
    `import bson, sys
sys.stdout.buffer.write(bson.encode({}) + bson.encode({"a": 1, "b": "grüße\\0"}))`,
  ]);
  const [empty, full, ...rest] = bson().decoder().decode(documents);
  assertEquals(rest, []);
  assertEquals(empty, hex("05000000 00"));
  assertStringIncludes(latin1(full), "gr\xc3\xbc\xc3\x9fe\0");
  const read = await run(
    [PYTHON, "-c", "import bson, sys; print(bson.decode_all(sys.stdin.buffer.read()))"],
    { input: concat([bson().encode(empty), bson().encode(full)]) },
  );
  assertEquals(latin1(read).trim(), `[{}, {'a': 1, 'b': 'gr\xc3\xbc\xc3\x9fe\\x00'}]`);
});
