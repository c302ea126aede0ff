/** The kinds of transport, by the name in the endpoint. */

import type { Endpoint, TransportKind } from "../transport.ts";
import { tcp } from "./tcp.ts";

/** One entry per file in this folder. */
export const TRANSPORTS: Record<Endpoint["transport"], TransportKind> = { tcp };
