import { assertEquals } from "@std/assert";
import { createServer } from "smpp";
import { connect } from "../../../client.ts";
import { bgp, diameter, dns, nineP, smpp } from "../../../codec.ts";
import { be, concat, counted, hex, latin1, le, utf8 } from "./bytes.ts";
import { engine, freePort, RunningEngine, temporaryFolder, testWith } from "./engine.ts";
import { ask, ended, receiveMany } from "./talk.ts";

const UNBOUND = engine("unbound", { commands: ["unbound"] });
const DIOD = engine("diod", { commands: ["diod", "socat"] });
const GOBGP = engine("GoBGP", { commands: ["gobgpd"] });

const FREE_DIAMETER = engine("freeDiameter", { commands: ["freeDiameterd"] });

const le16 = (value: number) => le(value, 2);

/** A question for an address of IPv4. */
function question(id: number, name: string): Uint8Array {
  const labels = name.split(".").map((label) => counted(label, (bytes) => Uint8Array.of(bytes)));
  return concat([be(id, 2), hex("0100 0001 0000 0000 0000"), ...labels, hex("00 0001 0001")]);
}

await testWith(UNBOUND, "dns() asks unbound for names, several at once", async () => {
  await using folder = await temporaryFolder();
  const port = freePort();
  const config = `${folder.path}/unbound.conf`;
  await Deno.writeTextFile(
    config,
    `server:
  interface: 127.0.0.1@${port}
  chroot: ""
  username: ""
  directory: "${folder.path}"
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  do-udp: no
  local-zone: "test." static
  local-data: "one.test. IN A 192.0.2.1"
  local-data: "two.test. IN A 192.0.2.2"
remote-control:
  control-enable: no
`,
  );
  await using _server = await RunningEngine.start(["unbound", "-d", "-c", config], {
    ready: "start of service",
    at: [`tcp://127.0.0.1:${port}`],
  });
  const endpoint = `tcp://127.0.0.1:${port}`;
  await using connection = await connect(endpoint, { framing: dns() });
  connection.send(question(1, "one.test"));
  connection.send(question(2, "two.test"));
  const answers = await receiveMany(connection, 2);
  const addresses = answers.map((answer) => [answer[1], answer.subarray(-4).join(".")]);
  assertEquals(addresses, [[1, "192.0.2.1"], [2, "192.0.2.2"]]);
  // What stands behind the question is not looked at.
  const long = concat([question(3, "one.test"), new Uint8Array(65_535 - 26)]);
  assertEquals(long.length, dns().maxMessageBytes);
  assertEquals((await ask(connection, long)).subarray(-4), Uint8Array.of(192, 0, 2, 1));

  await connection.send(new Uint8Array(0));
  assertEquals(await ended(connection), new Uint8Array(0));
});

await testWith(DIOD, "nineP() attaches to a folder of diod's", async () => {
  await using folder = await temporaryFolder();
  const socket = `${folder.path}/socket`;
  // diod does not tell when it listens; socat does.
  const diod = `diod --foreground --no-auth --no-userdb -r 0 -w 1 --export ${folder.path}`;
  await using _server = await RunningEngine.start(
    ["socat", "-d", "-d", `UNIX-LISTEN:${socket},fork`, `EXEC:${diod}`],
    { ready: "listening on", at: [`unix:${socket}`] },
  );
  await using connection = await connect(`unix:${socket}`, { framing: nineP() });
  const call = (type: number, tag: number, content: Uint8Array) =>
    ask(connection, concat([new Uint8Array(4), Uint8Array.of(type), le16(tag), content]));
  const [noTag, maxSize, protocol] = [0xffff, le(65_536), counted("9P2000.L", le16)];
  const version = await call(100, noTag, concat([maxSize, protocol]));
  assertEquals(version, concat([le(21), Uint8Array.of(101), le16(noTag), maxSize, protocol]));
  const [file, noFile, user] = [le(1), le(0xffff_ffff), counted("root", le16)];
  const attached = await call(
    104,
    5,
    concat([file, noFile, user, counted(folder.path, le16), le(0)]),
  );
  assertEquals(attached.subarray(0, 8), concat([le(20), Uint8Array.of(105), le16(5), hex("80")]));

  await using short = await connect(`unix:${socket}`, { framing: "none" });
  await short.send(concat([le(3), utf8("xyz")]));
  assertEquals(latin1(await ended(short)), "");
});

const MARKER = new Uint8Array(16).fill(0xff);

/** A BGP message, whose length the framing writes. */
function message(type: number, content: Uint8Array): Uint8Array {
  return concat([MARKER, new Uint8Array(2), Uint8Array.of(type), content]);
}

await testWith(GOBGP, "bgp() opens with GoBGP", async () => {
  await using folder = await temporaryFolder();
  const [port, api] = [freePort(), freePort()];
  const config = `${folder.path}/gobgpd.conf`;
  await Deno.writeTextFile(
    config,
    `[global.config]
  as = 65001
  router-id = "192.0.2.1"
  port = ${port}
  local-address-list = ["127.0.0.1"]
[[neighbors]]
  [neighbors.config]
    neighbor-address = "127.0.0.1"
    peer-as = 65002
  [neighbors.transport.config]
    passive-mode = true
`,
  );
  const command = [
    ...["gobgpd", "-f", config, "--api-hosts", `127.0.0.1:${api}`, "-p", "-l", "debug"],
  ];
  // Before that it turns away the neighbour.
  await using _server = await RunningEngine.start(command, {
    ready: "new=BGP_FSM_ACTIVE",
    at: [`tcp://127.0.0.1:${port}`],
  });
  await using connection = await connect(`tcp://127.0.0.1:${port}`, { framing: bgp() });
  const [hello] = await receiveMany(connection, 1);
  const [open, keepAlive] = [1, 4];
  assertEquals([hello[18], hello[19], hello.subarray(20, 22)], [open, 4, be(65001, 2)]);
  await connection.send(message(
    open,
    concat([Uint8Array.of(4), be(65002, 2), be(90, 2), Uint8Array.of(192, 0, 2, 2, 0)]),
  ));
  const [alive] = await receiveMany(connection, 1);
  assertEquals(alive, concat([MARKER, be(19, 2), Uint8Array.of(keepAlive)]));
});

/** An attribute of Diameter that must be understood. */
function attribute(code: number, content: Uint8Array | string): Uint8Array {
  const bytes = typeof content === "string" ? utf8(content) : content;
  const padding = new Uint8Array(-bytes.length & 3);
  return concat([be(code), hex("40"), be(8 + bytes.length, 3), bytes, padding]);
}

await testWith(FREE_DIAMETER, "diameter() exchanges capabilities with freeDiameter", async () => {
  await using folder = await temporaryFolder();
  const [port, unused] = [freePort(), freePort()];
  const config = `${folder.path}/freeDiameter.conf`;
  await Deno.writeTextFile(
    config,
    `Identity = "one.test"; Realm = "test"; Port = ${port}; SecPort = 0;
No_SCTP; No_IPv6; AppServThreads = 1;
ConnectPeer = "two.test" { ConnectTo = "127.0.0.1"; Port = ${unused}; No_TLS; };
`,
  );
  // Asked to end in order, it waits for its peers.
  await using _server = await RunningEngine.start(["freeDiameterd", "-c", config], {
    ready: "daemon initialized",
    at: [`tcp://127.0.0.1:${port}`],
    endBy: "SIGKILL",
  });
  await using connection = await connect(`tcp://127.0.0.1:${port}`, { framing: diameter() });
  const [request, capabilities] = [0x80, 257];
  const ids = concat([be(7), be(9)]);
  const answer = await ask(
    connection,
    concat([
      ...[hex("01 000000"), Uint8Array.of(request), be(capabilities, 3), be(0), ids],
      ...[attribute(264, "two.test"), attribute(296, "test")],
      ...[attribute(257, hex("0001 7f000001")), attribute(266, be(0)), attribute(269, "test")],
      ...[attribute(258, be(0xffff_ffff)), attribute(299, be(0))],
    ]),
  );
  assertEquals(answer.subarray(1, 4), be(answer.length, 3));
  assertEquals(answer.subarray(4, 8), concat([hex("00"), be(capabilities, 3)]));
  assertEquals(answer.subarray(12, 20), ids);
  const success = attribute(268, be(2001));
  assertEquals(latin1(answer).includes(latin1(success)), true);
  assertEquals(latin1(answer).includes("one.test"), true);
});

Deno.test("smpp() binds to a server of npm's smpp, and sends a short message", async () => {
  const texts: string[] = [];
  // deno-lint-ignore no-explicit-any
  const server = createServer((session: any) => {
    // deno-lint-ignore no-explicit-any
    const answer = (pdu: any) => session.send(pdu.response({ message_id: "m1" }));
    session.on("bind_transceiver", answer);
    // deno-lint-ignore no-explicit-any
    session.on("submit_sm", (pdu: any) => {
      texts.push(pdu.short_message.message);
      answer(pdu);
      session.deliver_sm({ short_message: `${pdu.short_message.message}!` });
    });
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", () => listening.resolve());
  await listening.promise;
  try {
    const endpoint = `tcp://127.0.0.1:${server.address().port}`;
    await using connection = await connect(endpoint, { framing: smpp() });
    const call = (command: number, number: number, body: Uint8Array) =>
      ask(connection, concat([be(0), be(command), be(0), be(number), body]));
    const bind = concat([utf8("user\0secret\0\0"), hex("34 00 00"), utf8("\0")]);
    const bound = await call(0x9, 1, bind);
    assertEquals(bound.subarray(4, 16), concat([be(0x8000_0009), be(0), be(1)]));
    const text = "hello";
    const submit = concat([
      ...[utf8("\0"), hex("0000"), utf8("1\0"), hex("0000"), utf8("2\0"), hex("000000")],
      ...[utf8("\0\0"), hex("00000000"), Uint8Array.of(text.length), utf8(text)],
    ]);
    const submitted = await call(0x4, 2, submit);
    assertEquals(submitted.subarray(4, 16), concat([be(0x8000_0004), be(0), be(2)]));
    assertEquals(submitted.subarray(16), utf8("m1\0"));
    const [delivered] = await receiveMany(connection, 1);
    assertEquals(delivered.subarray(4, 8), be(5));
    assertEquals(latin1(delivered).endsWith("hello!"), true);
    assertEquals(texts, ["hello"]);
  } finally {
    server.close();
  }
});
