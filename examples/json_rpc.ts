// A connection as the transport of another library, here JSON-RPC 2.0, in both directions at once:
// deno run --allow-net examples/json_rpc.ts
import { connect, type Connection, json, listen } from "@lengthwise/lengthwise";
// deno-lint-ignore no-import-prefix
import { JSONRPCClient, JSONRPCServer, JSONRPCServerAndClient } from "npm:json-rpc-2.0@1.7.1";

/** JSON-RPC over a connection. `ended` resolves when the peer has ended. */
function overConnection(connection: Connection<unknown>) {
  const rpc = new JSONRPCServerAndClient(
    new JSONRPCServer(),
    new JSONRPCClient((message) => connection.send(message)),
  );
  async function receive(): Promise<void> {
    for await (const message of connection) {
      // The call is not awaited, so a slow method does not delay the others. An error ends the
      // connection.
      rpc.receiveAndSend(message).catch((error) => connection.abort(error));
    }
  }
  const ended = receive().then(() => "peer closed", String)
    .then((reason) => rpc.rejectAllPendingRequests(reason));
  return { rpc, ended };
}

await using server = await listen("tcp://127.0.0.1:0", { format: json() }, async (connection) => {
  const { rpc, ended } = overConnection(connection);
  rpc.addMethod("add", ([a, b]: number[]) => a + b);
  rpc.addMethod("greet", async () => `hello ${await rpc.request("name", [])}`);
  await ended;
});

await using connection = await connect(server.endpoints[0], { format: json() });
const { rpc } = overConnection(connection);
rpc.addMethod("name", () => "Ada");
console.log(await rpc.request("add", [1, 2]));
console.log(await rpc.request("greet", []));
console.log(await rpc.request("nope", []).then(() => "", (error) => error.message));
