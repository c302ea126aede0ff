import {
  assert,
  assertEquals,
  assertLess,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  connect,
  ConnectError,
  ConnectionLostError,
  listen,
  type ListenOptions,
  MessageTooLargeError,
  reconnect,
  TruncatedMessageError,
} from "../../mod.ts";
import { selfSigned } from "../../programs/server/self_signed.ts";
import {
  parseEndpoint,
  type TlsConnectOptions,
  type TlsEndpoint,
  type TlsListenOptions,
  type Transport,
} from "../../transport.ts";
import { fingerprintOf, tls, TlsError, type TlsListener } from "../../transport/tls.ts";
import { type Engine, testWith } from "../interop/peers.ts";
import { certificates, forgedKey } from "../support/certificates.ts";
import { connectResettable } from "../support/raw.ts";
import { receiveText } from "../support/texts.ts";

const {
  ca,
  chain,
  client,
  elsewhere,
  expired,
  good,
  next,
  oldClient,
  otherCa,
  stranger,
} = await certificates;
const OPENSSL: Engine = { name: "openssl", probe: ["openssl", "version"] };
const trusting = { ca: ca.cert };
const utf8 = (text: string) => new TextEncoder().encode(text);

/** A listener of the kind alone, on a free port. */
async function open(options: TlsListenOptions = good) {
  const endpoint = parseEndpoint("tls://127.0.0.1:0") as TlsEndpoint;
  const listener = await tls.listen(endpoint, { backlog: 64, tls: options }) as TlsListener;
  return {
    listener,
    endpoint: listener.endpoint as TlsEndpoint,
    /** Accepts one peer and does its handshake. */
    async one(signal = AbortSignal.timeout(60_000)): Promise<Transport> {
      return (await (await listener.accept()).open({ signal }))!;
    },
    [Symbol.dispose]: () => listener.close(),
  };
}

function dial(endpoint: TlsEndpoint, options: TlsConnectOptions = trusting) {
  return tls.connect(endpoint, { signal: AbortSignal.timeout(60_000), tls: options });
}

/** What both ends say of a handshake: an error's message, or whom they see. */
async function handshake(
  server: TlsListenOptions,
  options: TlsConnectOptions = trusting,
): Promise<{ server: string; client: string }> {
  using at = await open(server);
  const outcome = async (opening: Promise<Transport>) => {
    try {
      const transport = await opening;
      return { transport, text: transport.abilities.peer?.name ?? "nobody" };
    } catch (error) {
      assert(error instanceof TlsError, `${error}`);
      return { text: error.message };
    }
  };
  const [a, b] = await Promise.all([outcome(at.one()), outcome(dial(at.endpoint, options))]);
  a.transport?.close();
  b.transport?.close();
  return { server: a.text, client: b.text };
}

function echo(options: ListenOptions, endpoint = "tls://127.0.0.1:0") {
  return listen(endpoint, options, async (connection) => {
    for await (const message of connection) await connection.send(message);
  });
}

Deno.test("tls: listening without a certificate names the options that give one", async () => {
  for (const options of [{}, { cert: good.cert }, { key: good.key }] as unknown[]) {
    await assertRejects(
      () => open(options as TlsListenOptions),
      TypeError,
      "give tls: { cert, key } (--cert, --key)",
    );
  }
});

Deno.test("tls: listening refuses what is no certificate, no key, or not the certificate's key", async () => {
  const encrypted =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----";
  const cases: [Partial<TlsListenOptions>, string][] = [
    [{ cert: "nothing" }, "Cannot use tls.cert: it has no certificate in PEM"],
    [{ cert: good.key }, "Cannot use tls.cert: it has no certificate in PEM"],
    [{ cert: good.cert.replace("MII", "MIA") }, "Cannot use tls.cert: certificate 1 in it cannot"],
    [{ key: "nothing" }, "Cannot use tls.key: it has no key in PEM"],
    [{ key: good.cert }, "Cannot use tls.key: it has no key in PEM"],
    [{ key: encrypted }, "Cannot use tls.key: it is encrypted"],
    [{ key: good.key.replace("MIG", "MIA") }, "Cannot use tls.key: the key in it cannot be read"],
    [{ key: next.key }, "Cannot use tls.key: it is not the key of the certificate in tls.cert"],
    [{ clientCa: "nothing" }, "Cannot use tls.clientCa: it has no certificate in PEM"],
    [{ alpn: [""] }, 'Cannot use tls.alpn "": it has 0 bytes, 1 to 255 are allowed'],
  ];
  for (const [wrong, message] of cases) {
    await assertRejects(() => open({ ...good, ...wrong }), TypeError, message);
  }
});

Deno.test("tls: connecting refuses options that are wrong or contradict each other, before it dials", async () => {
  const fingerprint = fingerprintOf(good.cert);
  const cases: [TlsConnectOptions, string][] = [
    [{ insecure: true, fingerprint }, "Cannot use tls.insecure together with tls.fingerprint"],
    [{ insecure: true, ca: ca.cert }, "Cannot use tls.insecure together with tls.ca"],
    [{ fingerprint, ca: ca.cert }, "Cannot use tls.fingerprint together with tls.ca"],
    [{ fingerprint: "AB:CD" }, 'Cannot use tls.fingerprint "AB:CD": it must be SHA-256 in hex'],
    [{ cert: client.cert }, "Cannot use tls.cert without tls.key"],
    [{ key: client.key }, "Cannot use tls.key without tls.cert"],
    [{ cert: client.cert, key: good.key }, "it is not the key of the certificate"],
    [{ ca: "nothing" }, "Cannot use tls.ca: it has no certificate in PEM"],
    [{ serverName: "" }, 'Cannot use tls.serverName ""'],
  ];
  const nowhere: TlsEndpoint = { transport: "tls", hostname: "127.0.0.1", port: 1 };
  for (const [wrong, message] of cases) {
    await assertRejects(() => dial(nowhere, wrong), TypeError, message);
  }
});

Deno.test("tls: a client tells who the server is", async () => {
  using at = await open();
  const [served, transport] = await Promise.all([at.one(), dial(at.endpoint)]);
  const { expiresAt, ...peer } = transport.abilities.peer!;
  assertEquals(peer, {
    name: "localhost",
    altNames: ["DNS:localhost", "IP Address:127.0.0.1"],
    issuer: "Test authority",
    fingerprint: fingerprintOf(good.cert),
  });
  assert(expiresAt > Date.now() && expiresAt < Date.now() + 2 * 86_400_000);
  assertEquals(served.abilities.peer, undefined);
  transport.close();
  served.close();
});

Deno.test("tls: a client tells in plain words why it does not trust a server", async () => {
  const refused = async (server: TlsListenOptions, options?: TlsConnectOptions) =>
    (await handshake(server, options)).client;
  assertMatch(
    await refused(expired),
    /^the server's certificate is not accepted: "localhost" expired on /,
  );
  assertEquals(
    await refused(elsewhere),
    "the server's certificate is not accepted: it is for DNS:elsewhere.example, " +
      'IP Address:192.0.2.1, and not for "127.0.0.1" (--server-name)',
  );
  assertMatch(
    await refused(good, {}),
    /: "localhost" was issued by "Test authority", which is not trusted; give that authority with ca/,
  );
  assertMatch(
    await refused(good, { ca: otherCa.cert }),
    /issued by "Test authority", which is not trusted/,
  );
  assertMatch(
    await refused(good, { ...trusting, serverName: "example.org" }),
    /not for "example.org"/,
  );
});

Deno.test("tls: a client accepts another name that it expects, and a chain with an authority in between", async () => {
  const accepted = async (server: TlsListenOptions, options: TlsConnectOptions) =>
    (await handshake(server, options)).client;
  assertEquals(
    await accepted(elsewhere, { ...trusting, serverName: "elsewhere.example" }),
    "elsewhere",
  );
  assertEquals(await accepted(elsewhere, { ...trusting, serverName: "192.0.2.1" }), "elsewhere");
  assertEquals(await accepted(chain, trusting), "localhost");
  assertEquals(await accepted(good, { ca: otherCa.cert + ca.cert }), "localhost");
});

Deno.test("tls: `ca` stands in the place of the system's authorities", async () => {
  using at = await open();
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, ca.cert);
  const script = `
    import { tls } from ${JSON.stringify(new URL("../../transport/tls.ts", import.meta.url).href)};
    for (const options of JSON.parse(Deno.args[0])) {
      await tls.connect(${
    JSON.stringify(at.endpoint)
  }, { signal: AbortSignal.timeout(60_000), tls: options })
        .then((transport) => { console.log("trusted"); transport.close(); }, (e) => console.log(e.message));
    }`;
  const serving = (async () => {
    for (let i = 0; i < 2; i++) (await at.one().catch(() => undefined))?.close();
  })();
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", "--no-check", script, JSON.stringify([{}, { ca: otherCa.cert }])],
    env: { DENO_CERT: file, NO_COLOR: "1" }, // an authority of the system's
  }).output();
  await serving;
  await Deno.remove(file);
  assertEquals(
    new TextDecoder().decode(stdout),
    'trusted\nthe server\'s certificate is not accepted: "localhost" was issued by "Test authority", ' +
      "which is not trusted; give that authority with ca (--ca)\n",
    new TextDecoder().decode(stderr),
  );
});

Deno.test("tls: `clientCa` is all that counts for clients, not the system's authorities", async () => {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, otherCa.cert);
  const script = `
    import { tls } from ${JSON.stringify(new URL("../../transport/tls.ts", import.meta.url).href)};
    const { server, client } = JSON.parse(Deno.args[0]);
    const signal = AbortSignal.timeout(60_000);
    const endpoint = { transport: "tls", hostname: "127.0.0.1", port: 0 };
    const listener = await tls.listen(endpoint, { backlog: 1, tls: server });
    const connecting = tls.connect(listener.endpoint, { signal, tls: client }).catch(() => {});
    await (await listener.accept()).open({ signal })
      .then(() => console.log("trusted"), (error) => console.log(error.message));
    (await connecting)?.close();
    listener.close();`;
  const options = { server: { ...good, clientCa: ca.cert }, client: { ...trusting, ...stranger } };
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", "--no-check", script, JSON.stringify(options)],
    env: { DENO_CERT: file, NO_COLOR: "1" },
  }).output();
  await Deno.remove(file);
  assertEquals(
    new TextDecoder().decode(stdout),
    'the client\'s certificate is not accepted: "mallory" was not issued by an authority in clientCa\n',
    new TextDecoder().decode(stderr),
  );
});

Deno.test("tls: a fingerprint accepts one certificate, whatever its name and issuer, and no other", async () => {
  const pinned = async (fingerprint: string) => (await handshake(expired, { fingerprint })).client;
  const fingerprint = fingerprintOf(expired.cert);
  assertMatch(fingerprint, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  assertEquals(await pinned(fingerprint), "localhost");
  assertEquals(await pinned(fingerprint.toLowerCase().replaceAll(":", "")), "localhost");
  assertEquals(
    await pinned(fingerprintOf(good.cert)),
    `the server's certificate has fingerprint ${fingerprint}, and not the one that was given`,
  );
});

Deno.test("tls: `insecure` accepts any certificate, and then nobody is known", async () => {
  for (const server of [expired, elsewhere]) {
    assertEquals(await handshake(server, { insecure: true }), {
      server: "nobody",
      client: "nobody",
    });
  }
});

Deno.test("tls: with `clientCa` a server knows every client, and tells why it refuses others", async () => {
  const server = { ...good, clientCa: ca.cert };
  const seen = async (pair?: TlsConnectOptions) =>
    (await handshake(server, { ...trusting, ...pair })).server;
  assertEquals(await seen(client), "alice");
  assertEquals(await seen(), "the client sent no certificate, and needs one");
  assertEquals(
    await seen(stranger),
    'the client\'s certificate is not accepted: "mallory" was not issued by an authority in clientCa',
  );
  assertMatch(
    await seen(oldClient),
    /^the client's certificate is not accepted: "old alice" expired on /,
  );
});

Deno.test("tls: connection.peer is who the client's certificate says", async () => {
  await using server = await listen("tls://127.0.0.1:0", {
    tls: { ...good, clientCa: ca.cert },
  }, async (connection) => {
    const { name, altNames, issuer, fingerprint } = connection.peer!;
    await connection.send(JSON.stringify({ name, altNames, issuer, fingerprint }));
  });
  await using connection = await connect(server.endpoints[0], { tls: { ...trusting, ...client } });
  assertEquals(JSON.parse((await receiveText(connection))!), {
    name: "alice",
    altNames: ["DNS:alice.example"],
    issuer: "Test authority",
    fingerprint: fingerprintOf(client.cert),
  });
});

Deno.test("tls: a client whose certificate is wanted is told so", async () => {
  using at = await open({ ...good, clientCa: ca.cert });
  const serving = assertRejects(() => at.one(), TlsError);
  const transport = await dial(at.endpoint); // TLS 1.3 lets it begin before the server has looked
  await assertRejects(
    () => transport.read(),
    TlsError,
    "the server wants a client certificate; give cert and key",
  );
  await serving;
  transport.close();
});

Deno.test("tls: application protocols are agreed upon, or the client is refused", async () => {
  const agreed = (offered: string[]) =>
    handshake({ ...good, alpn: ["chat/2", "chat/1"] }, { ...trusting, alpn: offered });
  assertEquals(await agreed(["chat/1"]), { server: "nobody", client: "localhost" });
  assertEquals(await agreed([]), { server: "nobody", client: "localhost" });
  assertEquals(await agreed(["mail"]), {
    server: 'the client offers none of the application protocols "chat/2", "chat/1"',
    client: 'the server knows none of the application protocols "mail"',
  });
});

Deno.test("tls: a server tells what a client speaks that does not speak TLS", async () => {
  using at = await open();
  const cases: [string, string][] = [
    [
      "GET / HTTP/1.1\r\n\r\n",
      'the client does not speak TLS, it looks like an HTTP request, "GET "',
    ],
    ["SSH-2.0-x\r\n", 'the client does not speak TLS, it looks like SSH, "SSH-"'],
    ["\0\0\0\x05hello", "the client does not speak TLS"],
    ["\x16\x03", "the peer ended within the handshake"],
  ];
  for (const [text, message] of cases) {
    using conn = await Deno.connect({ port: at.endpoint.port });
    const serving = assertRejects(() => at.one(), TlsError);
    await conn.write(utf8(text));
    if (message.includes("ended")) await conn.closeWrite();
    assertEquals((await serving).message, message);
  }
});

Deno.test("tls, wss: who leaves without a byte, in order or not, is no refusal; who leaves after one is", async () => {
  const refusals: string[] = [];
  const refused = Promise.withResolvers<void>();
  await using server = await listen(["tls://127.0.0.1:0", "wss://127.0.0.1:0"], {
    tls: good,
    onRefuse({ endpoint, error }) {
      refusals.push(`${endpoint.slice(0, 3)} ${(error as Error).message}`);
      if (refusals.length === 2) refused.resolve();
    },
  }, () => {});
  const endpoints = server.endpoints.map((text) => parseEndpoint(text) as TlsEndpoint);
  for (const { hostname, port } of endpoints) {
    using scanner = await Deno.connect({ hostname, port });
    await scanner.closeWrite();
    assertEquals(await scanner.read(new Uint8Array(1)), null);
    (await connectResettable(`tcp://${hostname}:${port}`)).resetAndDestroy();
    using begun = await Deno.connect({ hostname, port });
    await begun.write(utf8("\x16"));
    await begun.closeWrite();
    while (await begun.read(new Uint8Array(64)) !== null);
  }
  // Browsers do the handshake of TLS, too, with a connection that they then have no use for.
  const { hostname, port } = endpoints[1];
  for (const says of ["close_notify", "nothing"]) {
    const early = await dial({ transport: "tls", hostname, port });
    if (says === "close_notify") {
      await early.closeWrite();
      assertEquals(await early.read().catch(() => undefined), undefined);
    }
    early.close();
  }
  await refused.promise;
  await using _last = await connect(server.endpoints[1], { tls: trusting });
  assertEquals(refusals, [
    "tls the peer ended within the handshake",
    "wss the peer ended within the handshake",
  ]);
  assertEquals(server.stats.refused, 2);
});

Deno.test("tls: a client tells that a server does not speak TLS, or leaves", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const endpoint: TlsEndpoint = { ...listener.addr, transport: "tls" };
  for (
    const [answer, message] of [
      [
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        'the server does not speak TLS, it looks like text, "HTTP"',
      ],
      ["", "the peer ended within the handshake"],
    ]
  ) {
    const dialing = assertRejects(() => dial(endpoint), TlsError, message);
    using conn = await listener.accept();
    await conn.read(new Uint8Array(4096));
    if (answer) await conn.write(utf8(answer));
    else await conn.closeWrite();
    await dialing;
  }
});

Deno.test("tls: a handshake ends when its signal is aborted, at either end", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const aborter = new AbortController();
  const endpoint: TlsEndpoint = { ...listener.addr, transport: "tls" };
  const dialing = assertRejects(
    () => tls.connect(endpoint, { signal: aborter.signal }),
    Error,
    "too slow",
  );
  using conn = await listener.accept();
  aborter.abort(new Error("too slow"));
  await dialing;
  while (await conn.read(new Uint8Array(4096)) !== null);

  using at = await open();
  const patience = new AbortController();
  using silent = await Deno.connect({ port: at.endpoint.port });
  const peer = await at.listener.accept();
  const opening = assertRejects(async () => await peer.open(patience), Error, "too silent");
  patience.abort(new Error("too silent"));
  await opening;
  assertEquals(await silent.read(new Uint8Array(1)), null);
  assertEquals(patience.signal.aborted, true);
});

Deno.test("tls: a peer is accepted before its handshake, and can be turned away", async () => {
  using at = await open();
  using conn = await Deno.connect({ port: at.endpoint.port });
  const peer = await at.listener.accept();
  assertEquals(peer.hostname, "127.0.0.1");
  peer.refuse();
  assertEquals(await conn.read(new Uint8Array(1)), null);
});

Deno.test("tls: a hundred silent clients do not delay a handshake", async () => {
  await using server = await echo({ tls: good, handshakeTimeout: 120_000 });
  const { port } = parseEndpoint(server.endpoints[0]) as TlsEndpoint;
  await using first = await connect(server.endpoints[0], { tls: trusting });
  const silent = await Promise.all(Array.from({ length: 100 }, () => Deno.connect({ port })));
  // Half of them begin, and then say nothing any more.
  await Promise.all(silent.slice(50).map((conn) => conn.write(Uint8Array.of(0x16, 3, 1, 2, 0, 1))));
  const start = performance.now();
  await using second = await connect(server.endpoints[0], { tls: trusting });
  await second.send("hello");
  assertEquals(await receiveText(second), "hello");
  assertLess(performance.now() - start, 60_000);
  await first.send("still here");
  assertEquals(await receiveText(first), "still here");
  for (const conn of silent) conn.close();
});

Deno.test("tls: certificates are replaced for new handshakes, and open connections go on", async () => {
  using at = await open();
  const [served, before] = await Promise.all([at.one(), dial(at.endpoint)]);
  at.listener.replaceCertificates({ cert: next.cert, key: next.key });
  assertThrows(
    () => at.listener.replaceCertificates({ ...next, key: good.key }),
    TypeError,
    "tls.key",
  );
  const [servedNext, after] = await Promise.all([at.one(), dial(at.endpoint)]);
  assertEquals(before.abilities.peer?.fingerprint, fingerprintOf(good.cert));
  assertEquals(after.abilities.peer?.fingerprint, fingerprintOf(next.cert));
  await before.write(utf8("still here"));
  assertEquals(await served.read(), utf8("still here"));
  for (const transport of [served, before, servedNext, after]) transport.close();
});

Deno.test("tls: closing settles a read and a write that are under way", async () => {
  using at = await open();
  const [served, transport] = await Promise.all([at.one(), dial(at.endpoint)]);
  const reading = assertRejects(() => transport.read(), TlsError, "the connection was closed");
  const writing = (async () => {
    for (;;) await transport.write(new Uint8Array(1_000_000));
  })();
  const stopped = assertRejects(() => writing, TlsError, "the connection was closed");
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, 20); // until the socket's buffers are full
  await promise;
  transport.close();
  transport.close();
  await Promise.all([reading, stopped]);
  await assertRejects(() => transport.read(), TlsError);
  await assertRejects(() => transport.write(utf8("late")), TlsError);
  served.close();
});

Deno.test("tls: chunks are no Buffers, whose slice() would be no copy", async () => {
  using at = await open();
  const [served, transport] = await Promise.all([at.one(), dial(at.endpoint)]);
  await served.write(utf8("x"));
  assertEquals((await transport.read())?.constructor, Uint8Array);
  served.close();
  transport.close();
});

Deno.test("tls: a stream that is cut without close_notify is lost, not ended", async () => {
  await using server = await listen("tls://127.0.0.1:0?framing=line", { tls: good });
  const connections = server[Symbol.asyncIterator]();
  const { port } = parseEndpoint(server.endpoints[0]) as TlsEndpoint;
  // Someone in between passes on everything but the end.
  using proxy = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const dialing = connect(`tls://127.0.0.1:${proxy.addr.port}?framing=line`, { tls: trusting });
  using near = await proxy.accept();
  using far = await Deno.connect({ port });
  const passing = Promise.allSettled([
    near.readable.pipeTo(far.writable, { preventClose: true, preventAbort: true }),
    far.readable.pipeTo(near.writable, { preventClose: true, preventAbort: true }),
  ]);
  const connection = await dialing;
  await connection.send("pay 1");
  const accepted = (await connections.next()).value!;
  assertEquals(await receiveText(accepted), "pay 1");
  await far.closeWrite();
  const error = await assertRejects(() => accepted.receive(), ConnectionLostError, "close_notify");
  assert(!(error instanceof TruncatedMessageError));
  accepted.abort();
  connection.abort();
  await passing;
});

Deno.test("tls: a hello on a port without TLS is told from the length that it seems to be", async () => {
  await using server = await listen("tcp://127.0.0.1:0");
  const connections = server[Symbol.asyncIterator]();
  const { port } = parseEndpoint(server.endpoints[0]) as TlsEndpoint;
  const dialing = assertRejects(() => dial({ transport: "tls", hostname: "127.0.0.1", port }));
  const { error } = await (await connections.next()).value!.closed;
  assert(error instanceof MessageTooLargeError);
  assertMatch(error.message, /it looks like a TLS hello/);
  await dialing;
});

Deno.test("selfSigned() makes a pair for this machine and other hosts, known by its fingerprint", async () => {
  const { cert, key, fingerprint } = await selfSigned(["example.test", "192.0.2.7", "0.0.0.0"]);
  assertEquals(fingerprint, fingerprintOf(cert));
  for (const serverName of ["localhost", "127.0.0.1", "::1", "example.test", "192.0.2.7"]) {
    assertEquals((await handshake({ cert, key }, { ca: cert, serverName })).client, "localhost");
  }
  assertMatch(
    (await handshake({ cert, key }, { ca: cert, serverName: "0.0.0.0" })).client,
    /not for/,
  );
  assertEquals((await handshake({ cert, key }, { fingerprint })).client, "localhost");
});

Deno.test("selfSigned() is no reason to download its library for who does not call it", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "info",
      "--json",
      new URL("../../programs/server/self_signed.ts", import.meta.url).pathname,
    ],
  }).output();
  const { modules } = JSON.parse(new TextDecoder().decode(stdout));
  const specifiers = modules.map(({ specifier }: { specifier: string }) => specifier);
  assert(specifiers.some((specifier: string) => specifier.endsWith("/transport/tls.ts")));
  assertEquals(specifiers.filter((specifier: string) => specifier.includes("selfsigned")), []);
});

/** Files that a program can read. */
async function files(texts: Record<string, string>) {
  const folder = await Deno.makeTempDir();
  for (const [name, text] of Object.entries(texts)) {
    await Deno.writeTextFile(`${folder}/${name}`, text);
  }
  return { folder, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

/** Runs openssl to its end. */
async function openssl(args: string[], cwd: string, input = ""): Promise<string> {
  const child = new Deno.Command("openssl", {
    args,
    cwd,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  })
    .spawn();
  const writer = child.stdin.getWriter();
  await writer.write(utf8(input)).then(() => writer.close()).catch(() => {});
  const { stdout, stderr } = await child.output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

await testWith(
  OPENSSL,
  "tls: openssl s_client talks to a server, with TLS 1.2 and 1.3",
  async () => {
    await using at = await files({ "ca.pem": ca.cert });
    for (const version of ["-tls1_2", "-tls1_3"]) {
      await using server = await listen(
        "tls://127.0.0.1:0?framing=line",
        { tls: good },
        async (connection) => {
          await connection.send(`hello, ${await receiveText(connection)}`);
          await connection.close();
        },
      );
      const { port } = parseEndpoint(server.endpoints[0]) as TlsEndpoint;
      const output = await openssl(
        [
          ...[
            "s_client",
            "-connect",
            `127.0.0.1:${port}`,
            "-CAfile",
            "ca.pem",
            "-verify_return_error",
          ],
          ...["-verify_ip", "127.0.0.1", "-quiet", version],
        ],
        at.folder,
        "openssl\n",
      );
      assertMatch(output, /hello, openssl\n/);
    }
  },
);

await testWith(OPENSSL, "tls: openssl s_client is told by an alert why it is refused", async () => {
  await using at = await files({});
  using listening = await open({ ...good, alpn: ["chat"] });
  const where = ["s_client", "-connect", `127.0.0.1:${listening.endpoint.port}`];
  const cases: [string[], string, RegExp][] = [
    [
      ["-alpn", "mail"],
      "the client offers none of the application protocols",
      /no application protocol/,
    ],
    [
      ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"],
      "the client speaks no common version of TLS; this end speaks 1.2 and 1.3",
      /alert handshake failure|protocol version/,
    ],
  ];
  for (const [args, reason, alert] of cases) {
    const serving = assertRejects(() => listening.one(), TlsError, reason);
    assertMatch(await openssl([...where, ...args], at.folder), alert);
    await serving;
  }
});

/** Starts openssl s_server on a free port, and waits until it listens. */
async function startOpenssl(args: string[], cwd: string) {
  using free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = free.addr;
  free.close();
  const child = new Deno.Command("openssl", {
    args: ["s_server", "-accept", `127.0.0.1:${port}`, ...args, "-naccept", "1"],
    cwd,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const output = child.stdout.getReader();
  for (let text = ""; !/ACCEPT/.test(text);) {
    const { value, done } = await output.read();
    assert(!done, text);
    text += new TextDecoder().decode(value);
  }
  return {
    port,
    async [Symbol.asyncDispose]() {
      while (!(await output.read()).done);
      await child.status;
    },
  };
}

await testWith(
  OPENSSL,
  "tls: a client talks to openssl s_server, and shows its certificate",
  async () => {
    await using at = await files({ "c.pem": good.cert, "k.pem": good.key, "ca.pem": ca.cert });
    const args = ["-CAfile", "ca.pem", "-Verify", "1", "-verify_return_error", "-rev"];
    await using server = await startOpenssl(
      ["-cert", "c.pem", "-key", "k.pem", ...args],
      at.folder,
    );
    await using connection = await connect(`tls://127.0.0.1:${server.port}?framing=line`, {
      tls: { ...trusting, ...client },
    });
    assertEquals(connection.peer?.name, "localhost");
    await connection.send("olleh");
    assertEquals(await receiveText(connection), "hello");
  },
);

await testWith(
  OPENSSL,
  "tls: a server with a copied certificate, but not its key, is found out whatever is trusted",
  async () => {
    await using at = await files({ "c.pem": good.cert, "k.pem": forgedKey(good.cert) });
    const fingerprint = fingerprintOf(good.cert);
    for (const options of [trusting, { fingerprint }, { insecure: true }]) {
      await using server = await startOpenssl(
        ["-cert", "c.pem", "-key", "k.pem", "-rev"],
        at.folder,
      );
      const endpoint = { transport: "tls", hostname: "127.0.0.1", port: server.port } as const;
      await assertRejects(
        () => dial(endpoint, options),
        TlsError,
        "the server does not have the key of its certificate",
      );
    }
  },
);

await testWith(
  OPENSSL,
  "tls: a client with a copied certificate, but not its key, is found out",
  async () => {
    await using at = await files({ "c.pem": client.cert, "k.pem": forgedKey(client.cert) });
    using listening = await open({ ...good, clientCa: ca.cert });
    for (const version of ["-tls1_2", "-tls1_3"]) {
      const serving = assertRejects(
        () => listening.one(),
        TlsError,
        "the client does not have the key of its certificate",
      );
      const where = ["s_client", "-connect", `127.0.0.1:${listening.endpoint.port}`, version];
      await openssl([...where, "-cert", "c.pem", "-key", "k.pem"], at.folder);
      await serving;
    }
  },
);

await testWith(
  OPENSSL,
  "tls: a fingerprint is not enough for a certificate of version 1, whose signature Deno ignores",
  async () => {
    await using at = await files({});
    const make =
      "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -out r.pem " +
      "-subj /CN=old && openssl x509 -req -in r.pem -signkey k.pem -days 1 -out c.pem";
    await new Deno.Command("sh", { args: ["-c", make], cwd: at.folder, stderr: "null" }).output();
    const [cert, key] = await Promise.all(
      ["c.pem", "k.pem"].map((name) => Deno.readTextFile(`${at.folder}/${name}`)),
    );
    const { client } = await handshake({ cert, key }, { fingerprint: fingerprintOf(cert) });
    assertEquals(
      client,
      "the server's certificate is not of X.509 version 3, so it proves nothing",
    );
  },
);

Deno.test("reconnect() gives up at the second equal refusal of a certificate", async () => {
  await using server = await listen("tls://127.0.0.1:0", { tls: good }, () => {});
  let waits = 0;
  const retry = () => {
    waits++;
    return 0;
  };
  const attempts = reconnect(server.endpoints[0], { tls: { ca: otherCa.cert }, retry });
  await assertRejects(() => attempts.next(), ConnectError, "certificate");
  assertEquals(waits, 1);
});
