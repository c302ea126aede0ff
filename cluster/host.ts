/** The server that a cluster belongs to. */

import type { ServerReport } from "./census.ts";
import type { Opening } from "./messages.ts";
import type { RelayStream } from "./stream.ts";

/** What a cluster needs of its server. */
export interface Host {
  /** Takes in a carrier that another server has let in. */
  accept(stream: RelayStream, opening: Opening): void;
  /** How the server is. */
  report(): Pick<ServerReport, "endpoints" | "connections" | "maxConnections">;
}
