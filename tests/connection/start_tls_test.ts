/** `Connection.startTls()`: TLS in the middle of a conversation, for both ends. */

import { assert, assertEquals, assertInstanceOf, assertMatch, assertRejects } from "@std/assert";
import { connect } from "../../client.ts";
import { line } from "../../codec.ts";
import { Connection } from "../../connection.ts";
import {
  ConnectionClosedError,
  ConnectionLostError,
  ProtocolError,
  TlsError,
} from "../../errors.ts";
import { listen, type ListenOptions } from "../../server.ts";
import { memoryPair } from "../../testing.ts";
import type { StartTlsAsClient, StartTlsAsServer } from "../../transport.ts";
import { fingerprintOf } from "../../transport/tls.ts";
import { type Engine, testWith } from "../interop/peers.ts";
import { certificates } from "../support/certificates.ts";
import { pattern, RawPeer } from "../support/raw.ts";
import { asText, receiveText } from "../support/texts.ts";

const { ca, client, elsewhere, expired, good, otherCa, stranger } = await certificates;
const OPENSSL: Engine = { name: "openssl", probe: ["openssl", "version"] };
const PYTHON: Engine = { name: "python3", probe: ["python3", "-c", "import ssl"] };
const smtp = line({ newline: "\r\n", telnet: false });

/** A server of mail, as far as STARTTLS goes (RFC 3207). Errors of `startTls()` go to `failed`. */
function serve(
  tls: Partial<StartTlsAsServer> = {},
  options: ListenOptions<Uint8Array> = {},
  endpoint = "127.0.0.1:0",
) {
  const failures: unknown[] = [];
  const peers: (string | undefined)[] = [];
  const server = listen(endpoint, { framing: smtp, ...options }, async (connection) => {
    connection.send("220 mail.example ESMTP");
    let isSecure = false;
    for await (const message of connection) {
      const text = asText(message)!;
      if (text.startsWith("EHLO")) {
        if (!isSecure) connection.send("250-STARTTLS");
        connection.send("250 mail.example");
      } else if (text === "STARTTLS") {
        connection.send("220 go ahead");
        try {
          await connection.startTls({ role: "server", ...good, ...tls });
        } catch (error) {
          failures.push(error);
          return;
        }
        isSecure = true;
        peers.push(connection.peer?.name);
      } else if (text === "QUIT") {
        await connection.send("221 bye");
        return;
      } else connection.send(`${isSecure ? "secure" : "plain"} ${text}`);
    }
  });
  return { server, failures, peers };
}

/** Connects, and says STARTTLS. */
async function dial(endpoint: string): Promise<Connection> {
  const connection = await connect(endpoint.replace(/\?.*/, ""), { framing: smtp });
  assertMatch(await receiveText(connection) ?? "", /^220 /);
  connection.send("EHLO me");
  assertEquals(await receiveText(connection), "250-STARTTLS");
  assertEquals(await receiveText(connection), "250 mail.example");
  connection.send("STARTTLS");
  assertEquals(await receiveText(connection), "220 go ahead");
  return connection;
}

Deno.test("Connection.startTls() encrypts both ways, in the same framing", async () => {
  const { server: listening, failures, peers } = serve();
  await using server = await listening;
  await using connection = await dial(server.endpoints[0]);
  assertEquals(connection.peer, undefined);
  await connection.startTls({ ca: ca.cert });
  assertEquals(connection.peer?.fingerprint, fingerprintOf(good.cert));
  connection.send("EHLO me");
  assertEquals(await receiveText(connection), "250 mail.example");
  connection.send("hello");
  assertEquals(await receiveText(connection), "secure hello");
  connection.send("QUIT");
  assertEquals(await receiveText(connection), "221 bye");
  assertEquals(await connection.receive(), undefined);
  assertEquals((await connection.close()).clean, true);
  assertEquals(failures, []);
  assertEquals(peers, [undefined]);
});

Deno.test("Connection.startTls() works while a receive() waits, and with a change of framing", async () => {
  const large = pattern(500_000, 3);
  await using server = await listen("127.0.0.1:0", { framing: smtp }, async (connection) => {
    assertEquals(await receiveText(connection), "STARTTLS");
    connection.send("go");
    await connection.startTls({ role: "server", ...good });
    connection.switchFraming("u32be");
    for await (const message of connection) connection.send(message);
  });
  await using connection = await connect(server.endpoints[0].replace(/\?.*/, ""), {
    framing: smtp,
  });
  connection.send("STARTTLS");
  assertEquals(await receiveText(connection), "go");
  const started = connection.startTls({ ca: ca.cert });
  const waiting = connection.receive();
  await started;
  connection.switchFraming("u32be");
  connection.send(large);
  assertEquals(await waiting, large);
});

Deno.test("Connection.startTls() sends in plain text first what was sent before", async () => {
  const large = pattern(3_000_000, 5).map((byte) => byte & 0x7f | 0x40);
  await using server = await listen("127.0.0.1:0", {
    framing: smtp,
    maxMessageBytes: 4_000_000,
  }, async (connection) => {
    assertEquals(await connection.receive(), large);
    await connection.startTls({ role: "server", ...good });
    await connection.send("done");
    await connection.receive();
  });
  await using connection = await connect(server.endpoints[0].replace(/\?.*/, ""), {
    framing: smtp,
  });
  connection.send(large);
  const started = connection.startTls({ ca: ca.cert });
  await assertRejects(() => connection.send("early"), ConnectionClosedError, "starting TLS");
  await assertRejects(() => connection.startTls(), ConnectionClosedError, "starting TLS");
  await started;
  assertEquals(await receiveText(connection), "done");
});

Deno.test("Connection.startTls() works over a Unix socket, with the name that is given", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const { server: listening } = serve({}, {}, `unix:${dir}/s`);
    await using server = await listening;
    const nameless = await dial(server.endpoints[0]);
    await assertRejects(() => nameless.startTls({ ca: ca.cert }), TypeError, "tls.serverName");
    nameless.abort();
    await using connection = await dial(server.endpoints[0]);
    await connection.startTls({ ca: ca.cert, serverName: "localhost" });
    connection.send("hi");
    assertEquals(await receiveText(connection), "secure hi");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

// Whom it trusts.

const REFUSALS: [string, Partial<StartTlsAsServer>, StartTlsAsClient, RegExp][] = [
  ["an unknown authority", {}, { ca: otherCa.cert }, /which is not trusted/],
  ["another host", elsewhere, { ca: ca.cert }, /and not for "127.0.0.1"/],
  ["an expired certificate", expired, { ca: ca.cert }, /expired on/],
  ["another fingerprint", {}, { fingerprint: "00".repeat(32) }, /not the one that was given/],
  ["no protocol in common", { alpn: ["a"] }, { ca: ca.cert, alpn: ["b"] }, /application protocols/],
];

for (const [what, serverTls, clientTls, reason] of REFUSALS) {
  Deno.test(`Connection.startTls() refuses ${what}, as tls: does, and ends both ends`, async () => {
    const { server: listening } = serve(serverTls);
    await using server = await listening;
    const connection = await dial(server.endpoints[0]);
    const error = await assertRejects(
      () => connection.startTls(clientTls),
      ConnectionLostError,
      "Cannot start TLS with 127.0.0.1:",
    );
    assertMatch(error.message, reason);
    assertInstanceOf(error.cause, TlsError);
    assertEquals((await connection.closed).error, error);
    await assertRejects(() => connection.receive(), ConnectionLostError);
  });
}

Deno.test("Connection.startTls() accepts a fingerprint, and tells a server who its client is", async () => {
  const { server: listening, peers } = serve({ clientCa: ca.cert });
  await using server = await listening;
  await using connection = await dial(server.endpoints[0]);
  await connection.startTls({ fingerprint: fingerprintOf(good.cert), ...client });
  connection.send("hi");
  assertEquals(await receiveText(connection), "secure hi");
  assertEquals(peers.length, 1);
  assert(peers[0] !== undefined);
});

Deno.test("Connection.startTls() refuses a client whose certificate it does not trust", async () => {
  const { server: listening, failures } = serve({ clientCa: ca.cert });
  await using server = await listening;
  const connection = await dial(server.endpoints[0]);
  await connection.startTls({ ca: ca.cert, ...stranger }).catch(() => {});
  await connection.closed.then(() => {}, () => {});
  connection.abort();
  await server.close();
  assertEquals(failures.length, 1);
  assertInstanceOf((failures[0] as Error).cause, TlsError);
});

// What is put in between.

Deno.test("Connection.startTls() of a server refuses plain text behind the command (CVE-2011-0411)", async () => {
  for (const injected of ["RSET\r\n", "R", "RSET\r\nMAIL FROM:<a@b>\r\n", "\x00"]) {
    const { server: listening, failures } = serve();
    await using server = await listening;
    using peer = await RawPeer.connect(server.endpoints[0]);
    await peer.send(`STARTTLS\r\n${injected}`);
    await peer.drain();
    await server.close();
    const [error] = failures;
    assertInstanceOf(error, ProtocolError);
    assertMatch(error.message, /\d+ bytes in plain text came behind the last message/);
  }
});

Deno.test("Connection.startTls() of a client refuses plain text behind the answer", async () => {
  await using server = await listen("127.0.0.1:0", { framing: "none" }, async (connection) => {
    await connection.send("220 go ahead\r\n250 injected\r\n");
    await connection.receive();
  });
  const connection = await connect(server.endpoints[0].replace(/\?.*/, ""), { framing: smtp });
  assertEquals(await receiveText(connection), "220 go ahead");
  const error = await assertRejects(() => connection.startTls({ insecure: true }), ProtocolError);
  assertEquals((await connection.closed).error, error);
});

Deno.test("Connection.startTls() takes plain text that comes later for what it is: no TLS", async () => {
  const { server: listening, failures } = serve();
  await using server = await listening;
  using peer = await RawPeer.connect(server.endpoints[0]);
  await peer.send("STARTTLS\r\n");
  await peer.receive("220 mail.example ESMTP\r\n220 go ahead\r\n".length);
  await peer.send("RSET\r\n");
  await peer.drain();
  await server.close();
  assertMatch(String(failures[0]), /does not speak TLS/);
});

Deno.test("Connection.startTls() of a server takes a hello that came before it was called", async () => {
  const arrived = Promise.withResolvers<void>();
  await using server = await listen("127.0.0.1:0", { framing: "u8" }, async (connection) => {
    assertEquals(await receiveText(connection), "x");
    await connection.send("y");
    while (connection.stats.bytesReceived < 100) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    arrived.resolve();
    await connection.startTls({ role: "server", ...good });
    for await (const message of connection) connection.send(message);
  });
  await using connection = await connect(server.endpoints[0]);
  connection.send("x");
  assertEquals(await receiveText(connection), "y");
  await connection.startTls({ ca: ca.cert });
  connection.send("hi");
  assertEquals(await receiveText(connection), "hi");
});

// Time, and misuse.

Deno.test("Connection.startTls() gives up after handshakeTimeout", async () => {
  await using server = await listen("127.0.0.1:0", { framing: "none" }, async (connection) => {
    await connection.receiveAll();
  });
  const connection = await connect(server.endpoints[0]);
  const error = await assertRejects(
    () => connection.startTls({ insecure: true, handshakeTimeout: 50 }),
    ConnectionLostError,
    "it was not done within 50 ms",
  );
  assertEquals((await connection.closed).error, error);
});

Deno.test("Connection.startTls() ends with abort(), close() and the peer's end", async () => {
  await using server = await listen("127.0.0.1:0", { framing: "u8" }, async (connection) => {
    if (await receiveText(connection) === "end") return;
    await connection.closed;
  });
  const start = async (word: string) => {
    const connection = await connect(server.endpoints[0], { closeTimeout: 100 });
    connection.send(word);
    await connection.flush();
    const started = connection.startTls({ insecure: true });
    started.catch(() => {});
    return { connection, started };
  };
  const aborted = await start("a");
  aborted.connection.abort(new Error("enough"));
  await assertRejects(() => aborted.started, Error, "enough");
  const closed = await start("b");
  await closed.connection.close();
  await assertRejects(() => closed.started);
  const ended = await start("end");
  await assertRejects(() => ended.started, ConnectionLostError, "ended within the handshake");
});

Deno.test("Connection.startTls() changes nothing when options are wrong or it cannot be", async () => {
  const { server: listening } = serve();
  await using server = await listening;
  await using connection = await dial(server.endpoints[0]);
  await assertRejects(() => connection.startTls({ ca: "?" }), TypeError, "tls.ca");
  await assertRejects(
    () => connection.startTls({ role: "both" as "client" }),
    TypeError,
    'role "both"',
  );
  await assertRejects(
    () => connection.startTls({ role: "server" } as unknown as StartTlsAsServer),
    TypeError,
    "a certificate and its key are missing",
  );
  await assertRejects(() => connection.startTls({ handshakeTimeout: -1 }), RangeError);
  await connection.startTls({ ca: ca.cert });
  connection.send("still");
  assertEquals(await receiveText(connection), "secure still");
  await assertRejects(() => connection.startTls({ ca: ca.cert }), TypeError, "started before");
  await using pages = await listen("ws://127.0.0.1:0", async (connection) => {
    await connection.receive();
  });
  await using web = await connect(pages.endpoints[0]);
  await assertRejects(() => web.startTls({ insecure: true }), TypeError, "only tcp: and unix:");
  const [a, b] = memoryPair().map((transport) => new Connection(transport));
  await assertRejects(() => a.startTls({ insecure: true }), TypeError, "only tcp: and unix:");
  await Promise.all([a.close(), b.close()]);
});

Deno.test("Connection.startTls() after the peer's end is refused", async () => {
  await using server = await listen("127.0.0.1:0", () => {});
  await using connection = await connect(server.endpoints[0]);
  assertEquals(await connection.receive(), undefined);
  await assertRejects(
    () => connection.startTls({ insecure: true }),
    ConnectionClosedError,
    "peer ended",
  );
});

// Other people's programs.

await testWith(
  OPENSSL,
  "s_client -starttls smtp talks to Connection.startTls() as server",
  async () => {
    const { server: listening, failures } = serve();
    await using server = await listening;
    const { port } = new URL(server.endpoints[0]);
    const authority = await Deno.makeTempFile();
    try {
      await Deno.writeTextFile(authority, ca.cert);
      const process = new Deno.Command("openssl", {
        args: [
          ..."s_client -starttls smtp -quiet -verify_return_error -verify_ip 127.0.0.1".split(" "),
          ...["-connect", `127.0.0.1:${port}`, "-CAfile", authority],
        ],
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const input = process.stdin.getWriter();
      await input.write(new TextEncoder().encode("hello\r\nQUIT\r\n"));
      const { stdout, stderr } = await process.output();
      await input.close().catch(() => {});
      assertMatch(asText(stdout)!, /secure hello\r\n221 bye/, asText(stderr));
      assertEquals(failures, []);
    } finally {
      await Deno.remove(authority);
    }
  },
);

await testWith(PYTHON, "Connection.startTls() as client talks to a server in Python", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${dir}/cert.pem`, good.cert);
    await Deno.writeTextFile(`${dir}/key.pem`, good.key);
    const code = `
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("cert.pem", "key.pem")
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
conn = listener.accept()[0]
conn.sendall(b"220 python\\r\\n")
assert conn.recv(100) == b"STARTTLS\\r\\n"
conn.sendall(b"220 go ahead\\r\\n")
conn = context.wrap_socket(conn, server_side=True)
line = conn.recv(100)
conn.sendall(b"secure " + line)
conn.recv(1)
conn.unwrap().close()
`;
    const process = new Deno.Command("python3", {
      args: ["-c", code],
      cwd: dir,
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    let port = "";
    for await (const chunk of process.stdout.pipeThrough(new TextDecoderStream())) {
      port += chunk;
      if (port.endsWith("\n")) break; // Before that, Python may still write.
    }
    const endpoint = `127.0.0.1:${port.trim()}`;
    await using connection = await connect(endpoint, { framing: smtp });
    assertEquals(await receiveText(connection), "220 python");
    connection.send("STARTTLS");
    assertEquals(await receiveText(connection), "220 go ahead");
    await connection.startTls({ ca: ca.cert });
    connection.send("hello");
    assertEquals(await receiveText(connection), "secure hello");
    await connection.close();
    assertEquals((await process.status).code, 0);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
