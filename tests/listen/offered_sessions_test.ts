/** Endpoints at which a client chooses: a session if it offers the subprotocol for it, else a plain connection. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConnectError, SessionRefusedError } from "../../errors.ts";
import { connect, type ConnectOptions, listen, RefusedError, text } from "../../mod.ts";
import type { ListenOptions, Server } from "../../server.ts";
import { Session, SessionCode } from "../../session.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";

const NAME = "lengthwise-session";
const WS = "ws://127.0.0.1:0/chat";

/** What a client does that wants a session. */
const OFFERED = { format: text(), session: true, web: { subprotocols: [NAME] } } as const;
const PLAIN = { format: text() } as const;

/** A server that answers with what it takes its client for, and then with each message. */
function serve(
  options: Omit<ListenOptions<string>, "format"> = {},
  endpoint: string | readonly string[] = WS,
): Promise<Server<string>> {
  return listen(
    endpoint,
    { offeredSessions: true, ...options, format: text() },
    async (connection) => {
      const kind = connection instanceof Session ? "session" : "plain";
      await connection.send(`${kind} ${connection.subprotocol ?? ""}`.trim());
      for await (const message of connection) await connection.send(message);
    },
  );
}

/** What a server takes a client for. */
async function kindOf(endpoint: string, options: ConnectOptions<string>): Promise<unknown> {
  await using connection = await connect(endpoint, options);
  return await connection.receive();
}

Deno.test("offeredSessions: one endpoint has sessions for those who offer it, and plain connections", async () => {
  await using server = await serve();
  const [endpoint] = server.endpoints;
  assert(!endpoint.includes("session"), endpoint);
  assertEquals(await kindOf(endpoint, OFFERED), "session");
  assertEquals(await kindOf(endpoint, PLAIN), "plain");
  const others = { ...PLAIN, web: { subprotocols: ["chat.v2", "chat.v1"] } };
  assertEquals(await kindOf(endpoint, others), "plain chat.v2");
  const both = { ...OFFERED, web: { subprotocols: ["chat.v2", NAME] } };
  assertEquals(await kindOf(endpoint, both), "session");
});

Deno.test("offeredSessions: a session goes on over cuts, beside plain connections that do not", async () => {
  await using server = await serve({ offeredSessions: { retentionTime: 60_000 } });
  const port = Number(new URL(server.endpoints[0]).port);
  await using proxy = new CuttingProxy({ port, seed: 1, cuts: 0, meanBytes: Infinity });
  const endpoint = `ws://127.0.0.1:${proxy.port}/chat`;
  const session = await connect(endpoint, {
    ...OFFERED,
    session: { retry: () => 10, retentionTime: 90_000 },
  });
  const plain = await connect(endpoint, PLAIN);
  assertEquals([await session.receive(), await plain.receive()], ["session", "plain"]);
  for (let n = 0; n < 5; n++) {
    const sent = session.send(`message ${n}`);
    proxy.cut();
    await sent;
    assertEquals(await session.receive(), `message ${n}`);
  }
  assertEquals((await plain.close()).clean, false);
  assert(session.stats.resumes > 0);
  assertEquals(server.connections.size, 1);
  assertEquals((await session.close()).clean, true);
});

Deno.test("offeredSessions: server.upgrade() and other transports of the server", async () => {
  await using server = await serve({}, ["tcp://127.0.0.1:0", "tcp://127.0.0.1:0?session=1"]);
  await using http = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request, info) => server.upgrade(request, info),
  );
  const endpoint = `ws://127.0.0.1:${http.addr.port}/`;
  assertEquals(await kindOf(endpoint, OFFERED), "session");
  assertEquals(await kindOf(endpoint, PLAIN), "plain");
  assertEquals(await kindOf(server.endpoints[0], PLAIN), "plain");
  assertEquals(await kindOf(server.endpoints[1], PLAIN), "session");
});

Deno.test("offeredSessions: the subprotocol is picked where there are sessions, and nowhere else", async () => {
  await using none = await serve({ offeredSessions: false });
  const error = await assertRejects(() => connect(none.endpoints[0], OFFERED), ConnectError);
  assert(error.message.includes(`picked none of the subprotocols ${NAME}`), error.message);
  const both = { ...PLAIN, web: { subprotocols: [NAME, "chat.v1"] } };
  assertEquals(await kindOf(none.endpoints[0], both), "plain chat.v1");

  await using all = await serve({ offeredSessions: false }, `${WS}?session=1`);
  assertEquals(await kindOf(all.endpoints[0], OFFERED), "session");
  assertEquals(await kindOf(all.endpoints[0], { ...PLAIN, session: true }), "session");

  // Where all are sessions but those of one endpoint, that one still has them for who offers it.
  await using listed = await serve(
    { session: true, web: { subprotocols: ["chat.v1"] } },
    [`${WS}?session=0`, WS],
  );
  for (const endpoint of listed.endpoints) {
    assertEquals(await kindOf(endpoint, OFFERED), "session");
  }
  const known = { ...PLAIN, web: { subprotocols: ["chat.v1"] } };
  assertEquals(await kindOf(listed.endpoints[0], known), "plain chat.v1");
  assertEquals(await kindOf(listed.endpoints[0], PLAIN), "plain");
});

Deno.test("offeredSessions: connections of both kinds have one limit, and a session that comes back is not kept out", async () => {
  const refusals: string[] = [];
  await using server = await serve({
    maxConnections: 2,
    onRefuse: ({ reason }) => refusals.push(reason),
  });
  const port = Number(new URL(server.endpoints[0]).port);
  await using proxy = new CuttingProxy({ port, seed: 1, cuts: 0, meanBytes: Infinity });
  await using session = await connect(`ws://127.0.0.1:${proxy.port}/chat`, {
    ...OFFERED,
    session: { retry: () => 10 },
  });
  assertEquals(await session.receive(), "session");
  const [endpoint] = server.endpoints;
  const plain = await connect(endpoint, PLAIN);
  assertEquals(await plain.receive(), "plain");

  const further = await connect(endpoint, PLAIN);
  assertEquals(await further.receive(), undefined);
  const { code, reason } = await further.close();
  assertEquals([code, reason], [1013, "maxConnections is reached"]);
  const refused = await assertRejects(() => connect(endpoint, OFFERED), SessionRefusedError);
  assertEquals([refused.code, refused.isRetriable], [SessionCode.FULL, true]);
  assertEquals(refusals, ["maxConnections", "session"]);
  assertEquals([server.stats.refusals.maxConnections, server.stats.refused], [1, 2]);

  proxy.cut();
  await session.send("again");
  assertEquals(await session.receive(), "again");

  const served = [...server.connections].find((connection) => !(connection instanceof Session))!;
  await plain.close();
  await served.closed;
  assertEquals(await kindOf(endpoint, PLAIN), "plain");
  assertEquals(server.stats.refused, 2);
});

Deno.test("offeredSessions: both kinds are asked for the token", async () => {
  await using server = await serve({
    token: "open sesame",
    refusalMessage: ({ reason }) => `no: ${reason}`,
  });
  const [endpoint] = server.endpoints;
  const token = "open sesame";
  assertEquals(await kindOf(endpoint, { ...OFFERED, token }), "session");
  assertEquals(await kindOf(endpoint, { ...PLAIN, token }), "plain");
  for (const wrong of [{}, { token: "open barley" }]) {
    const error = await assertRejects(
      () => connect(endpoint, { ...OFFERED, ...wrong }),
      SessionRefusedError,
    );
    assertEquals(error.code, SessionCode.TOKEN);
  }
  await using plain = await connect(endpoint, { ...PLAIN, token: "open barley" });
  assertEquals(
    await plain.receive(),
    "no: the first message must be the token, and this one is wrong",
  );
  assertEquals((await plain.close()).code, 1008);
});

Deno.test("offeredSessions: authorize is asked for both kinds, and knows which", async () => {
  const offers: (readonly string[] | undefined)[] = [];
  await using server = await serve({
    authorize: ({ subprotocols, headers }) => {
      offers.push(subprotocols);
      return headers.get("x-name") ?? new RefusedError("say who you are", { status: 401 });
    },
  });
  const [endpoint] = server.endpoints;
  const headers = { "X-Name": "ada" };
  assertEquals(await kindOf(endpoint, { ...OFFERED, web: { ...OFFERED.web, headers } }), "session");
  assertEquals(await kindOf(endpoint, { ...PLAIN, web: { headers } }), "plain");
  await assertRejects(() => connect(endpoint, OFFERED), ConnectError, "say who you are");
  await assertRejects(() => connect(endpoint, PLAIN), ConnectError, "say who you are");
  assertEquals(offers, [[NAME], [], [NAME], []]);
});

Deno.test("offeredSessions: a peer that offers a session and speaks plainly is refused, and told", async () => {
  await using server = await serve();
  await using liar = await connect(server.endpoints[0], {
    ...PLAIN,
    web: { subprotocols: [NAME] },
  });
  await liar.send("hello");
  const said = await liar.receive();
  assert(said?.endsWith("its first frame is no HELLO of a session"), said);
  assertEquals(server.stats.refusals.session, 1);
  assertEquals(server.stats.accepted, 0);
});
