/** The client's doctor, before real servers, each of which has one fault. */

import { assertEquals, assertMatch } from "@std/assert";
import { listen, type ListenOptions } from "../../mod.ts";
import { testWith } from "../interop/peers.ts";
import { runHere, ServerHere } from "../support/in_process.ts";
import { run } from "../support/program.ts";
import { freePort } from "../support/free_port.ts";
import { HttpProxy } from "../support/proxies.ts";

/** What a look told, as events. */
interface Diagnosis {
  readonly code: number;
  readonly problems: readonly string[];
  readonly advice: readonly string[];
  /** What was seen, by part. */
  readonly saw: Readonly<Record<string, string>>;
}

async function diagnose(
  args: readonly string[],
  env = {},
  runIt: typeof runHere = runHere,
): Promise<Diagnosis> {
  const { code, stdout, stderr } = await runIt("client.ts", ["doctor", ...args, "--json"], {
    env,
  });
  const events = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  const problems = events.filter(({ event }) => event === "problem");
  assertEquals(events.at(-1).problems, problems.length, stderr);
  assertEquals(code, problems.length === 0 ? 0 : 1);
  const saw: Record<string, string> = {};
  for (const { event, check, text } of events) {
    if (event === "check") saw[check] = saw[check] === undefined ? text : `${saw[check]}\n${text}`;
  }
  return {
    code,
    problems: problems.map(({ problem }) => problem),
    advice: problems.map(({ advice }) => advice),
    saw,
  };
}

/** Starts the server program, and looks at its endpoints; each has a problem, an advice, or none. */
async function check(
  server: readonly string[],
  cases: readonly [
    args: (endpoint: string) => readonly string[],
    problem?: RegExp,
    advice?: RegExp,
  ][],
): Promise<void> {
  await using running = await ServerHere.start(server, {
    count: server.filter((word) => /^(\w+:.*)?:0/.test(word)).length,
  });
  // Side by side: most of a look is waiting for what does not come.
  await Promise.all(cases.map(async ([args, problem, advice], index) => {
    const endpoint = running.endpoints[Math.min(index, running.endpoints.length - 1)];
    const { problems, advice: told } = await diagnose(args(endpoint.replace(/\?framing=.*/, "")));
    if (problem === undefined) return assertEquals(problems, [], endpoint);
    assertMatch(problems.join("\n"), problem);
    assertMatch(told.join("\n"), advice!);
  }));
}

const alone = (endpoint: string) => [endpoint];

Deno.test("doctor finds nothing wrong at servers of every kind, and measures round trips", async () => {
  await Promise.all(["echo", "chat", "files"].map(async (service) => {
    const args = service === "files" ? ["--dir", Deno.makeTempDirSync()] : [];
    await using server = await ServerHere.start(
      ["tcp://127.0.0.1:0", "ws://127.0.0.1:0/room", "--service", service, ...args],
      { count: 2 },
    );
    await Promise.all(server.endpoints.map(async (endpoint) => {
      const { problems, saw } = await diagnose([endpoint]);
      assertEquals(problems, [], endpoint);
      assertMatch(saw["round trip"], /^\d+(\.\d)? ms, the median of 5, to its program$/);
      assertMatch(saw.mtu, /^not known: /);
      const large = /\na message of 65536 bytes comes back whole in /;
      if (service === "echo") assertMatch(saw.mtu, large);
    }));
    for (const path of args.slice(1)) await Deno.remove(path, { recursive: true });
  }));
  await check(["udp://127.0.0.1:0", "--service", "echo"], [[alone]]);
});

Deno.test("doctor's page for people ends with what is wrong and what to do, in order", async () => {
  const { code, stdout, stderr } = await runHere("client.ts", ["doctor", ":1"]);
  assertEquals([code, stderr], [1, ""]);
  assertMatch(
    stdout,
    /^endpoint {4}tcp:\/\/127\.0\.0\.1:1\nproxy {7}none\nname {8}127\.0\.0\.1 is an/,
  );
  assertMatch(stdout, /\nconnect {5}127\.0\.0\.1:1 {2}connection refused, nothing listens there\n/);
  assertMatch(
    stdout,
    /\nwhat is wrong, and what to do\n {2}1\. nothing listens at \S+\n {5}start the/,
  );
});

Deno.test("doctor tells names that do not exist, addresses that answer, and those that do not", async () => {
  // In a process of its own, with --allow-net only: that is enough to look names up.
  const none = await diagnose(["no.invalid:1"], {}, run);
  assertMatch(none.problems[0], /there is no address for the name no\.invalid/);
  await using server = await ServerHere.start(["tcp://127.0.0.1:0", "--service", "echo"]);
  const { problems, saw } = await diagnose([`localhost:${server.port()}`], {}, run);
  assertEquals(problems, []);
  assertMatch(saw.name, /^localhost has .*127\.0\.0\.1/);
  assertMatch(saw.connect, /^127\.0\.0\.1:\d+ {2}\d+(\.\d)? ms$/m);
});

Deno.test("doctor names the framing that a peer speaks, whether it talks or listens", async () => {
  // A short message is the same in varint and u8; behind an echo, u16be is the same as u32be.
  const framings = { chat: ["line", "u32le", "u16be"], echo: ["line", "u32le"] };
  await Promise.all(
    Object.entries(framings).map(([service, names]) =>
      check(
        [...names.map((name) => `tcp://127.0.0.1:0?framing=${name}`), "--service", service],
        names.map((name) => [
          alone,
          new RegExp(`^it does not speak in u32be, but in ${name}$`),
          new RegExp(`^say \\?framing=${name} `),
        ]),
      )
    ),
  );
});

Deno.test("doctor does not see a framing in noise, and ends at a peer that floods", async () => {
  const noise = new Uint8Array(64 * 1024);
  let state = 1;
  for (let at = 0; at < noise.length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    noise[at] = state;
  }
  await using server = await listen("tcp://127.0.0.1:0?framing=none", async (peer) => {
    for (;;) await peer.send(noise);
  });
  const { problems, advice } = await diagnose([server.endpoints[0].replace(/\?.*/, "")]);
  assertEquals(problems, ["what it says does not fit to u32be"]);
  assertMatch(advice[0], /^client\.ts guess ENDPOINT looks closer/);
});

Deno.test("doctor tells sessions, where they are needed and where there are none", async () => {
  await Promise.all([
    check([":0?session=1", "--service", "echo"], [
      [(endpoint) => [endpoint], /^it has sessions only$/, /^say --session/],
      [(endpoint) => [endpoint, "--session"]],
    ]),
    check([":0", "--service", "echo"], [
      [(endpoint) => [endpoint, "--session"], /, and has no sessions$/, /^leave out --session/],
    ]),
  ]);
});

Deno.test("doctor tells that a token is wanted, that it is wrong, and nothing where it is right", async () => {
  await Promise.all([
    check([":0", "--token", "secret"], [
      [alone, /first message must be the token/, /^give the token with --token/],
      [(endpoint) => [endpoint, "--token", "other"], /token/, /is not the server's$/],
      [(endpoint) => [endpoint, "--token", "secret"]],
    ]),
    check([":0", "--token", "secret", "--service", "echo"], [
      [alone, /first message must be the token/, /^give the token with --token/],
    ]),
    check([":0?session=1", "--token", "secret"], [
      [alone, /it wants a token/, /^give the token with --token/],
    ]),
  ]);
});

Deno.test("doctor tells a server that turns it away: full, or denied", async () => {
  const words = [/^it ends at once, without a word$/, /^it may be full, deny this/] as const;
  await check([":0", "--deny", "127.0.0.1", "--service", "echo"], [[alone, ...words]]);
  const options: ListenOptions = { maxConnections: 1 };
  await using full = await listen("tcp://127.0.0.1:0", options, async (peer) => {
    await peer.receiveAll();
  });
  using _guest = await Deno.connect({ port: Number(/:(\d+)\?/.exec(full.endpoints[0])![1]) });
  const { problems } = await diagnose([full.endpoints[0]]);
  assertMatch(problems.join(), words[0]);
});

Deno.test("doctor tells a silent peer apart from one that is not there, and says nothing with --passive", async () => {
  const heard: number[] = [];
  await using server = await listen("tcp://127.0.0.1:0?framing=none", async (peer) => {
    for await (const chunk of peer) heard.push(chunk.length);
  });
  const args = [server.endpoints[0], "--framing", "none", "--timeout", "400"];
  const passive = await diagnose([...args, "--passive"]);
  assertEquals([passive.problems, passive.saw.peer], [[], "it is there, and says nothing"]);
  assertEquals(heard, []);
  assertEquals((await diagnose(args)).problems, []);
  assertEquals(heard.length > 0, true);
  const udp = await diagnose([`udp://127.0.0.1:${freePort()}`, "--timeout", "100"]);
  assertMatch(udp.problems[0], /^nothing comes back, and UDP does not tell/);
});

Deno.test("doctor tells the wrong path of a WebSocket, a web server, and a peer without HTTP", async () => {
  await using server = await ServerHere.start(["ws://127.0.0.1:0/room", "--service", "echo"]);
  const [right] = server.endpoints;
  const [wrong, offered] = await Promise.all([
    diagnose([right.replace("/room", "/rom")]),
    diagnose([right, "--subprotocol", "a,b"]),
  ]);
  assertMatch(wrong.problems[0], /answers 404 Not Found to the request for a WebSocket at \/rom/);
  assertMatch(wrong.advice[0], /^check the path/);
  assertMatch(offered.saw.upgrade, /^101 Switching Protocols, subprotocol a /);

  await using web = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response("hello"),
  );
  const plain = await diagnose([`:${web.addr.port}`]);
  assertMatch(plain.problems[0], /^it speaks HTTP: "HTTP\/1\.1 .*, and not messages in u32be$/);
  const page = await diagnose([`ws://127.0.0.1:${web.addr.port}/`]);
  assertMatch(page.problems[0], /^the server answers 200 OK to the request for a WebSocket/);
  assertMatch(page.saw.clock, /^this machine is \d+ s (ahead|behind)$/);

  await using lines = await listen("tcp://127.0.0.1:0?framing=line", (peer) => peer.send("* Hi"));
  const other = await diagnose([lines.endpoints[0].replace(/tcp(.*)\?.*/, "ws$1")]);
  assertMatch(other.problems[0], /^there is no WebSocket: the peer does not answer as HTTP does$/);
});

Deno.test("doctor tells plain peers at tls:, and TLS at tcp:", async () => {
  await using plain = await ServerHere.start([":0", "--service", "echo"]);
  const asTls = await diagnose([`tls://127.0.0.1:${plain.port()}`]);
  assertMatch(asTls.problems[0], /^there is no TLS handshake: /);
  assertMatch(asTls.advice[0], /^use tcp:\/\/ or ws:\/\//);
  assertEquals(asTls.saw.peer, "without TLS, it sends back what it gets");
  await using secure = await ServerHere.start([
    "tls://:0",
    "--tls-self-signed",
    "--service",
    "echo",
  ]);
  const asTcp = await diagnose([`:${secure.port()}`, "--timeout", "2000"]);
  assertMatch(asTcp.problems[0], /^it speaks TLS, and tcp:\/\/ does not$/);
  assertEquals(asTcp.advice[0], "use tls:// or wss:// in the endpoint");
});

Deno.test("doctor goes through a proxy, and tells what is wrong with it", async () => {
  await using server = await ServerHere.start(["127.0.0.1:0", "--service", "echo"]);
  const [endpoint] = server.endpoints;
  await using proxy = new HttpProxy();
  const fine = await diagnose([endpoint, "--proxy", proxy.url]);
  assertEquals(fine.problems, []);
  assertMatch(fine.saw.proxy, /^http:\/\/127\.0\.0\.1:\d+, of --proxy; it looks up the name$/);
  await using refusing = new HttpProxy({ refuse: 403 });
  const refused = await diagnose([endpoint, "--proxy", refusing.url]);
  assertMatch(refused.problems[0], /^there is no way through the proxy: .*403/);
  const gone = await diagnose(["192.0.2.7:1"], { all_proxy: `http://127.0.0.1:${freePort()}` });
  assertMatch(gone.saw.proxy, /, of the environment; /);
  assertMatch(gone.advice[0], /NO_PROXY=192\.0\.2\.7 goes without one$/);
});

Deno.test("doctor takes one endpoint that one can connect to", async () => {
  for (const args of [[], [":1", ":2"], ["memory:x"], ["nonsense"]]) {
    const { code, stderr } = await runHere("client.ts", ["doctor", ...args]);
    assertEquals(code, 2, args.join());
    assertMatch(stderr, /^error: .*\n$/);
  }
  const unix = await diagnose(["unix:/no/such/socket"]);
  assertMatch(unix.advice[0], /^start the server, or check the path/);
});

/** Makes a certificate as an operator would, in a folder. */
async function openssl(folder: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args, cwd: folder }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

await testWith(
  { name: "openssl", probe: ["openssl", "version"] },
  "doctor tells what is wrong with certificates that openssl made",
  async () => {
    const folder = await Deno.makeTempDir();
    const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    await openssl(
      folder,
      ..."req -x509 -keyout ca.key -out ca.pem -subj /CN=Authority".split(" "),
      ...ec,
    );
    await Deno.writeTextFile(`${folder}/here`, "subjectAltName=IP:127.0.0.1\n");
    await Deno.writeTextFile(`${folder}/there`, "subjectAltName=DNS:there.example\n");
    const issue = async (name: string, ext: string, ...dates: string[]) => {
      const request = `req -keyout ${name}.key -out ${name}.csr -subj /CN=${name}`.split(" ");
      await openssl(folder, ...request, ...ec);
      await openssl(
        folder,
        ..."x509 -req -CA ca.pem -CAkey ca.key -CAcreateserial".split(" "),
        ...["-in", `${name}.csr`, "-out", `${name}.pem`, "-extfile", ext, ...dates],
      );
    };
    await issue("good", "here", "-days", "30");
    await issue("expired", "here", "-days", "-1");
    await issue("elsewhere", "there", "-days", "30");
    await openssl(
      folder,
      ..."req -x509 -keyout self.key -out self.pem -subj /CN=self".split(" "),
      ...ec,
    );
    const faults: [string, RegExp?, RegExp?][] = [
      ["good"],
      ["expired", /"expired" expired on /, /^renew the certificate, or set this machine's clock/],
      [
        "elsewhere",
        /it is for DNS:there\.example, and not for "127\.0\.0\.1"/,
        /^connect by a name/,
      ],
      ["self", /"self" was issued by "self"/, /--fingerprint [0-9A-F:]{95} trusts it alone/],
    ];
    const ca = ["--ca", `${folder}/ca.pem`];
    await Promise.all(faults.map(([name, problem, advice]) => {
      const files = ["--cert", `${folder}/${name}.pem`, "--key", `${folder}/${name}.key`];
      return check(["tls://127.0.0.1:0", ...files, "--service", "echo"], [
        [(endpoint) => [endpoint, ...ca], problem, advice],
      ]);
    }));
    await Deno.remove(folder, { recursive: true });
  },
);
