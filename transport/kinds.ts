/** The kinds of transport, by the name in the endpoint. */

import { hasSockets } from "../internal/runtime/has_sockets.ts";
import { type Endpoint, formatEndpoint } from "../transport.ts";
import type { TransportKind } from "./kind.ts";
import { memory } from "./memory.ts";
import { page } from "./page.ts";
import { tcp } from "./tcp.ts";
import { unix } from "./unix.ts";

type Kinds = Partial<Record<Endpoint["transport"], unknown>>;

/** One entry for each kind. A kind whose modules load slowly is imported when it is needed. */
const BY_SOCKETS: Kinds = {
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

const IN_PAGE: Kinds = { memory, ws: page, wss: page };

/**
 * The kind of transport that an endpoint names.
 *
 * @throws {TypeError} if this runtime cannot have it.
 */
export async function kindOf(endpoint: Endpoint): Promise<TransportKind> {
  const kind = (hasSockets ? BY_SOCKETS : IN_PAGE)[endpoint.transport];
  if (kind === undefined) {
    throw new TypeError(
      `Cannot use ${
        formatEndpoint(endpoint)
      } in a page: it has WebSockets only; use ws:// or wss://`,
    );
  }
  return await (typeof kind === "function" ? kind() : kind);
}
