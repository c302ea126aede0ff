/** Transports in a page: WebSocket. */

import { reasonOf } from "../../internal/reason.ts";
import { page } from "../../transport/page.ts";

/** The only kind of transport. */
export function kindOf(): Promise<typeof page> {
  return Promise.resolve(page);
}

export { reasonOf as endpointReason };
export { SESSION_SUBPROTOCOL } from "../../transport/websocket/subprotocol.ts";
