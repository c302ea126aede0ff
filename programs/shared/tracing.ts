/** OpenTelemetry in the programs, which Deno turns on with `OTEL_DENO=true`. */

import { REGISTERED, type Telemetry } from "../../internal/telemetry.ts";
import type { Server } from "../../listen/listen.ts";

/** What traces this process; undefined if nothing does. Only if something does, more is loaded. */
export async function tracing(): Promise<Telemetry | undefined> {
  if (!(REGISTERED in globalThis)) return undefined;
  const { telemetry } = await import("../../telemetry.ts");
  return telemetry();
}

/** Gives the counts of a server to whatever measures this process. */
export async function observe(server: Server<unknown>): Promise<void> {
  if (!(REGISTERED in globalThis)) return;
  const { observed } = await import("../../telemetry.ts");
  observed(server);
}
