/** A server of requests that is traced if OpenTelemetry is on: a process of its own for a test. */

import { listen, RequestError } from "../../mod.ts";
import { requests } from "../../request.ts";
import { observed, telemetry } from "../../telemetry.ts";

const traced = { telemetry: telemetry() };

const server = observed(
  await listen("tcp://127.0.0.1:0", traced, async (connection) => {
    const handlers = {
      add: ({ a, b }: { a: number; b: number }) => a + b,
      refuse() {
        throw new RequestError("not-today", "Cannot do it: not today");
      },
      async *count({ to }: { to: number }) {
        for (let n = 1; n <= to; n++) yield await Promise.resolve(n);
      },
    };
    await requests(connection, handlers, traced).closed;
  }),
);
console.log(server.endpoints[0]);
await Deno.stdin.read(new Uint8Array(1)); // Until the test ends it.
await server.close();
