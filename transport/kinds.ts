/** The kinds of transport, by the name in the endpoint. */

import type { Endpoint, TransportKind } from "../transport.ts";
import { memory } from "./memory.ts";
import { tcp } from "./tcp.ts";
import { unix } from "./unix.ts";

/** One entry per kind. */
const KINDS: Partial<Record<Endpoint["transport"], unknown>> = { memory, tcp, unix };

/** The kind of transport that an endpoint names. */
export function kindOf(endpoint: Endpoint): TransportKind {
  return KINDS[endpoint.transport] as TransportKind;
}
