/** What a WebSocket of a page can be asked for. */

import type { RoadOptions } from "../../connect/road.ts";
import type { Endpoint } from "../../transport.ts";

/** Refuses a framing. The transport itself refuses the other options. */
export function checkRoad(
  _endpoint: string,
  _wanted: Endpoint,
  { framing }: RoadOptions,
): undefined {
  if (framing !== undefined) {
    const name = typeof framing === "string" ? framing : framing.name;
    throw new TypeError(`Cannot use framing "${name}" in a page: a WebSocket message is a message`);
  }
}
