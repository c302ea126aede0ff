import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { connect, ConnectError, listen, type ListenOptions } from "../../mod.ts";
import type { Server } from "../../server.ts";
import { runHere, ServerHere } from "../support/in_process.ts";
import { receiveText } from "../support/texts.ts";

type Subprotocols = NonNullable<ListenOptions["web"]>["subprotocols"];

/** A server that tells each client what was picked. */
function serve(subprotocols?: Subprotocols): Promise<Server> {
  return listen("ws://127.0.0.1:0", { web: { subprotocols } }, async (connection) => {
    await connection.send(`${connection.subprotocol}`);
  });
}

/** What a browser's WebSocket makes of it. */
async function browse(server: Server, offered: string[]): Promise<string | undefined> {
  const socket = new WebSocket(server.endpoints[0], offered);
  const ended = new Promise((resolve) => socket.onclose = resolve);
  const protocol = await new Promise<string | undefined>((resolve) => {
    socket.onopen = () => resolve(socket.protocol);
    socket.onerror = () => resolve(undefined);
  });
  socket.close();
  await ended;
  return protocol;
}

const PICKS: [Subprotocols, offered: string[], picked: string | undefined][] = [
  [undefined, [], ""],
  [undefined, ["chat.v1"], "chat.v1"],
  [undefined, ["graphql-ws", "chat.v1"], "graphql-ws"],
  [["b", "a"], ["a", "b"], "b"],
  [["a"], [], ""],
  // Other browsers than Deno's give up where none is picked.
  [["a"], ["other"], ""],
  [(offered) => offered.at(-1), ["v1", "v2"], "v2"],
  [(_, request) => new URL(request.url).pathname === "/" ? "v1" : "v2", ["v1", "v2"], "v1"],
  [() => undefined, ["v1"], ""],
  [() => "made-up", ["v1"], undefined],
];

for (const [subprotocols, offered, picked] of PICKS) {
  const by = typeof subprotocols === "function" ? `${subprotocols}` : JSON.stringify(subprotocols);
  Deno.test(`a server with ${by} picks ${picked} of [${offered}], for browsers`, async () => {
    await using server = await serve(subprotocols);
    assertEquals(await browse(server, offered), picked);
  });
}

Deno.test("connect() offers subprotocols, and both ends know which was picked", async () => {
  await using server = await serve(["v2"]);
  const web = { subprotocols: ["v1", "v2"] };
  await using client = await connect(server.endpoints[0], { web });
  assertEquals(client.subprotocol, "v2");
  assertEquals(await receiveText(client), "v2");
  await using plain = await connect(server.endpoints[0]);
  assertEquals(plain.subprotocol, undefined);
});

Deno.test("connect() refuses a server that picks none of its subprotocols, as browsers do", async () => {
  await using server = await serve(["other"]);
  await assertRejects(
    () => connect(server.endpoints[0], { web: { subprotocols: ["v1", "v2"] } }),
    ConnectError,
    "the server picked none of the subprotocols v1, v2",
  );
});

Deno.test("subprotocols and fields that cannot be sent are refused at the call", async () => {
  await using server = await serve();
  const [endpoint] = server.endpoints;
  for (const name of ["", "a b", "a,b", "é", "x\r\ny"]) {
    const web = { subprotocols: [name] };
    await assertRejects(() => connect(endpoint, { web }), TypeError, "Cannot use web.subprotocols");
    await assertRejects(() => serve([name]), TypeError, "Cannot use web.subprotocols");
  }
  await assertRejects(() => serve(["a", "a"]), TypeError, '"a" twice');
  const wrong: Record<string, string>[] = [{ "a b": "c" }, { Cookie: "a\r\nb" }, {
    Host: "elsewhere",
  }];
  for (const headers of wrong) {
    await assertRejects(() => connect(endpoint, { web: { headers } }), TypeError, "web.headers");
  }
});

Deno.test("connect() sends further fields, which a server's function sees", async () => {
  const seen = Promise.withResolvers<string | null>();
  await using server = await serve((offered, { headers }) => {
    seen.resolve(headers.get("authorization"));
    return offered[0];
  });
  const headers = { Authorization: "Bearer abc" };
  await using _client = await connect(server.endpoints[0], { web: { headers } });
  assertEquals(await seen.promise, "Bearer abc");
});

Deno.test("the programs take --subprotocol, for WebSockets only", async () => {
  await using server = await ServerHere.start(
    ["ws://127.0.0.1:0", "--service", "echo", "--subprotocol", "chat.v2,chat.v1"],
  );
  const [endpoint] = server.endpoints;
  const args = [endpoint, "send", "hi", "--expect", "1", "--subprotocol"];
  assertEquals((await runHere("client.ts", [...args, "chat.v1"])).stdout, "hi\n");
  const { code, stderr } = await runHere("client.ts", [...args, "mqtt"]);
  assertEquals(code, 1);
  assertMatch(stderr, /the server picked none of the subprotocols mqtt/);
  for (const script of ["client.ts", "server.ts"]) {
    const { code, stderr } = await runHere(script, ["tcp://:1", "--subprotocol", "x"]);
    assertEquals(code, 2);
    assert(stderr.includes("--subprotocol is for ws:// and wss://"), stderr);
  }
});
