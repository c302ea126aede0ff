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

const POSTGRES = engine("PostgreSQL 15", {
  commands: ["/usr/lib/postgresql/15/bin/postgres", "/usr/lib/postgresql/15/bin/initdb"],
});
const REDIS = engine("Redis", { commands: ["redis-server"] });
const MARIADB = engine("MariaDB", { commands: ["mariadbd"] });
const ZOOKEEPER = engine("ZooKeeper", {
  commands: ["java"],
  files: ["/usr/share/java/zookeeper.jar", "/usr/share/java/slf4j-simple.jar"],
});
const BSON = engine("Python's bson", { modules: ["bson"] });

await testWith(POSTGRES, "postgres asks PostgreSQL, and meets what it refuses", async () => {
  await using folder = await temporaryFolder();
  const [programs, data] = ["/usr/lib/postgresql/15/bin", `${folder.path}/data`];
  const options = ["-A", "trust", "-U", "postgres", "--no-sync", "--no-instructions"];
  await run([`${programs}/initdb`, "-D", data, "--locale=C", ...options], {
    unprivileged: true,
    env: { HOME: folder.path },
  });
  const endpoint = `unix:${folder.path}/.s.PGSQL.5432`;
  await using _server = await RunningEngine.start([
    ...[`${programs}/postgres`, "-D", data, "-k", folder.path],
    ...["-c", "listen_addresses=", "-c", "fsync=off"],
  ], {
    unprivileged: true,
    ready: "ready to accept connections",
    at: [endpoint],
    endBy: "SIGINT",
  });

  const protocol = be(196_608);
  const startup = concat([
    new Uint8Array(4),
    protocol,
    terminated("user"),
    terminated("postgres"),
    be(0, 1),
  ]);
  const types = (messages: Uint8Array[]) =>
    messages.map(([type]) => String.fromCharCode(type)).join("");
  const untilReady = async (connection: Connection) => {
    const messages: Uint8Array[] = [];
    do messages.push(...await receiveMany(connection, 1)); while (messages.at(-1)![0] !== 0x5a);
    return messages;
  };
  const query = (text: string) => concat([utf8("Q"), new Uint8Array(4), terminated(text)]);
  {
    await using connection = await connect(`${endpoint}?framing=postgres`);
    await connection.send(startup);
    assertMatch(types(await untilReady(connection)), /^RS+KZ$/);
    await connection.send(query("SELECT 6*7 AS answer"));
    const [description, row, complete, ready] = await untilReady(connection);
    assertStringIncludes(latin1(description), "Tanswer".slice(1));
    assertEquals(row, concat([utf8("D"), be(12), be(1, 2), be(2), utf8("42")]));
    assertEquals(complete.subarray(5), terminated("SELECT 1"));
    assertEquals(ready, concat([utf8("Z"), be(5), utf8("I")]));
    await connection.send(query("SELECT repeat('x', 1000000)"));
    assertEquals((await untilReady(connection))[1].length, 1_000_011);
    await connection.send(concat([utf8("X"), be(4)]));
    await ended(connection);
  }
  // A length that cannot be is no error that is told: PostgreSQL closes.
  for (const wrong of [be(3), be(0x4000_0000), be(-1)]) {
    await using connection = await connect(endpoint, { framing: "none" });
    await connection.send(concat([be(startup.length), startup.subarray(4)]));
    while (!latin1(await connection.receive()).endsWith("Z\0\0\0\x05I"));
    await connection.send(concat([utf8("Q"), wrong]));
    assertEquals(await ended(connection), new Uint8Array(0));
  }
  for (const [length, closes] of [[10_004, false], [10_005, true]] as const) {
    await using connection = await connect(endpoint, { framing: "none" });
    await connection.send(be(length));
    if (closes) assertEquals(await ended(connection), new Uint8Array(0));
    else {
      const named = [protocol, terminated("user"), terminated("nobody"), terminated("options")];
      const fixed = concat(named).length + 2;
      const filled = " ".repeat(length - 4 - fixed);
      await connection.send(concat([...named, terminated(filled), be(0, 1)]));
      assertStringIncludes(latin1(await connection.receive()), 'role "nobody" does not exist');
    }
  }
});

await testWith(REDIS, "redis asks Redis in both versions, and is told of pushes", async () => {
  await using folder = await temporaryFolder();
  const socket = `${folder.path}/socket`;
  await using _server = await RunningEngine.start([
    ...["redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder.path],
  ], { ready: "eady to accept connections", at: [`unix:${socket}`] });
  const command = (...words: string[]) =>
    utf8(`*${words.length}\r\n${words.map((w) => `$${utf8(w).length}\r\n${w}\r\n`).join("")}`);
  const askText = async (connection: Connection, ...words: string[]) =>
    new TextDecoder().decode(await ask(connection, command(...words)));

  await using two = await connect(`unix:${socket}?framing=redis`);
  assertEquals(await askText(two, "SET", "a", "grüße\r\n"), "+OK\r\n");
  assertEquals(await askText(two, "MGET", "a", "b"), "*2\r\n$9\r\ngrüße\r\n\r\n$-1\r\n");
  const long = "x".repeat(300_000);
  assertEquals(await askText(two, "ECHO", long), `$300000\r\n${long}\r\n`);

  await using three = await connect(`unix:${socket}?framing=redis(version:3)`);
  assertMatch(await askText(three, "HELLO", "3"), /^%7\r\n\$6\r\nserver\r\n/);
  assertEquals(await askText(three, "GET", "b"), "_\r\n");
  assertMatch(await askText(three, "SUBSCRIBE", "news"), /^>3\r\n/);
  assertEquals(await askText(two, "PUBLISH", "news", "hi"), ":1\r\n");
  const [push] = await receiveMany(three, 1);
  assertEquals(latin1(push), ">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n");

  // Redis does not look at the two bytes behind a string.
  await using careless = await connect(`unix:${socket}?framing=none`);
  await careless.send("*1\r\n$4\r\nPING!!*1\r\n$4\r\nPING\r\n");
  let answers = "";
  while (answers.length < 14) answers += latin1((await careless.receive())!);
  assertEquals(answers, "+PONG\r\n+PONG\r\n");
});

/** A MariaDB in a folder, without any table. */
async function startMariaDb(folder: string): Promise<RunningEngine> {
  const data = `${folder}/data`;
  await run(["mkdir", data], { unprivileged: true });
  return await RunningEngine.start([
    ...["mariadbd", "--no-defaults", `--datadir=${data}`, `--socket=${folder}/socket`],
    ...["--skip-grant-tables", "--skip-networking", `--pid-file=${folder}/pid`],
    ...["--innodb=OFF", "--default-storage-engine=MyISAM", `--aria-log-dir-path=${data}`],
  ], { unprivileged: true, ready: "ready for connections", at: [`unix:${folder}/socket`] });
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
    const endpoint = `tcp://127.0.0.1:${port}`;
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
    ], { ready: "ContainerManager", at: [endpoint] });

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
