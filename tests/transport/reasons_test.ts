import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { connect, ConnectError, listen, ListenError } from "../../mod.ts";
import { runHere } from "../support/in_process.ts";

/** What is wrong with an address is an error of the network, and named with the endpoint. */
const CASES: [verb: "connect" | "listen", endpoint: string, message: RegExp][] = [
  ["connect", "tcp://[fe80::1]:9", /^Cannot connect to tcp:\/\/\[fe80::1\]:9: .*\[fe80::1%eth0\]$/],
  ["connect", "ws://[fe80::2]:9/a", /^Cannot connect to ws:\/\/\[fe80::2\]:9\/a: .*needs its zone/],
  ["connect", "tcp://[fe80::1%nope]:9", /this machine has no network interface "nope"/],
  ["connect", "tcp://224.0.0.1:9", /; a multicast address is for udp:\/\/ only$/],
  ["connect", "tcp://[ff02::1]:9", /; a multicast address is for udp:\/\/ only$/],
  ["listen", "tcp://[fe80::1]:0", /^Cannot listen on tcp:\/\/\[fe80::1\]:0: .*needs its zone/],
  ["listen", "udp://[fe80::1]:0", /^Cannot listen on udp:\/\/\[fe80::1\]:0: .*needs its zone/],
  ["listen", "tcp://[ff02::1]:0", /; a multicast address is for udp:\/\/ only$/],
  ["listen", "unix:/etc/hosts/a", /: a part of its path is not a folder$/],
];

for (const [verb, endpoint, message] of CASES) {
  Deno.test(`${verb}() at ${endpoint} says what is wrong with it`, async () => {
    const error = verb === "connect"
      ? await assertRejects(() => connect(endpoint), ConnectError)
      : await assertRejects(() => listen(endpoint), ListenError);
    assertMatch(error.message, message);
  });
}

Deno.test("listen() on all addresses of both families at one port says that [::] takes both", async () => {
  await using first = await listen("tcp://0.0.0.0:0");
  const port = Number(/:(\d+)\?/.exec(first.endpoints[0])![1]);
  const error = await assertRejects(() => listen(`ws://[::]:${port}`), ListenError);
  assertEquals(
    error.message,
    `Cannot listen on ws://[::]:${port}/: the port is in use; choose another one, or 0 for any. ` +
      "[::] takes the addresses of IPv4 too, as 0.0.0.0 does: give one of them",
  );
});

Deno.test("send() over UDP to an address with a zone that is not there asks for it", async () => {
  const connection = await connect("udp://[fe80::1%nope]:9");
  connection.send("hi");
  const { error } = await connection.close();
  assertMatch(`${error}`, /is there a network interface "nope"\?/);
});

Deno.test("the programs end with code 1 where the system cannot use an address or a file", async () => {
  const cases: [string, string[], RegExp][] = [
    ["client.ts", ["tcp://[fe80::1]:9", "send", "hi"], /\[fe80::1\]:9: .*needs its zone/],
    ["client.ts", [":9", "send", "hi", "--proxy", "socks5://[fe80::1]:9"], /fe80::1.*its zone/],
    ["server.ts", ["[fe80::1]:0"], /Cannot listen on tcp:\/\/\[fe80::1\]:0: .*needs its zone/],
    [
      "server.ts",
      ["tls://:0", "--cert", "/etc", "--key", "/etc"],
      /--cert \/etc: it is a folder$/m,
    ],
  ];
  for (const [script, args, message] of cases) {
    const { code, stderr } = await runHere(script, args);
    assertMatch(stderr, message);
    assertEquals(code, 1);
  }
});
