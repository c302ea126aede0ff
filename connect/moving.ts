/** What a client does when the server of its session asks it to go elsewhere. */

import type { Connection } from "../connection.ts";
import { Session } from "../session.ts";

/**
 * Ends this end's direction of a session as soon as its server drains. So what was sent arrives, what the
 * server still sends is read, and the session ends in order; then another one may be opened elsewhere.
 */
export async function leaveWhenDrained(connection: Connection<unknown>): Promise<void> {
  if (!(connection instanceof Session)) return;
  for await (const { state } of connection.states()) {
    if (state !== "draining") continue;
    // Nobody waits for it: `closed` tells what did not arrive.
    connection.closeWrite().catch(() => {});
    return;
  }
}
