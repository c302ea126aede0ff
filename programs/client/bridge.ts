/** The client's `bridge`: two endpoints of any transport and framing, joined. */

import type { ToolContext } from "./context.ts";
import { serveRelay } from "./relay/serve.ts";

/**
 * Listens at the first operand and joins each connection with one of its own to the second: messages
 * stay whole, both directions, a slow end holds the other one back, and a half-close is carried over.
 */
export async function bridge(context: ToolContext): Promise<number> {
  return await serveRelay(context);
}
