import { assertEquals } from "@std/assert";
import { connect } from "../../../client.ts";
import { bgp, dns, nineP } from "../../../codec.ts";
import { be, concat, counted, hex, latin1, le, utf8 } from "./bytes.ts";
import { engine, freePort, RunningEngine, temporaryFolder, testWith } from "./engine.ts";
import { ask, ended, receiveMany } from "./talk.ts";

const UNBOUND = engine("unbound", { commands: ["unbound"] });
const DIOD = engine("diod", { commands: ["diod", "socat"] });
const GOBGP = engine("GoBGP", { commands: ["gobgpd"] });

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
    { ready: "listening on" },
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
  const command = ["gobgpd", "-f", config, "--api-hosts", `127.0.0.1:${api}`, "-p"];
  await using _server = await RunningEngine.start(command, { ready: "Add a peer" });
  await using connection = await connect(`tcp://127.0.0.1:${port}`, { framing: bgp() });
  const [open, keepAlive] = [1, 4];
  const [hello] = await receiveMany(connection, 1);
  assertEquals([hello[18], hello[19], hello.subarray(20, 22)], [open, 4, be(65001, 2)]);
  await connection.send(message(
    open,
    concat([Uint8Array.of(4), be(65002, 2), be(90, 2), Uint8Array.of(192, 0, 2, 2, 0)]),
  ));
  const [alive] = await receiveMany(connection, 1);
  assertEquals(alive, concat([MARKER, be(19, 2), Uint8Array.of(keepAlive)]));
});
