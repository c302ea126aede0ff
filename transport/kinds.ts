/** The kinds of transport, by the name in the endpoint. */

import type { Endpoint } from "../transport.ts";
import type { TransportKind } from "./kind.ts";
import { memory } from "./memory.ts";
import { tcp } from "./tcp.ts";
import { unix } from "./unix.ts";

/** One entry for each kind. A kind whose modules load slowly is imported when it is needed. */
const KINDS: Record<Endpoint["transport"], unknown> = {
  memory,
  tcp,
  unix,
  tls: async () => (await import("./tls.ts")).tls,
  udp: async () => (await import("./udp.ts")).udp,
  ws: async () => (await import("./websocket.ts")).ws,
  async wss() {
    const [{ webSocketOver }, { tls }] = await Promise.all([
      import("./websocket.ts"),
      import("./tls.ts"),
    ]);
    return webSocketOver("tls", tls);
  },
};

/** The kind of transport that an endpoint names. */
export async function kindOf(endpoint: Endpoint): Promise<TransportKind> {
  const kind = KINDS[endpoint.transport];
  return await (typeof kind === "function" ? kind() : kind);
}
