/** The options of `listen()`, from those of the command line. */

import type { FramingText } from "../../codec.ts";
import type { ListenOptions } from "../../listen/listen.ts";
import type { Limits } from "../shared/limits.ts";
import type { ProgramContext } from "../shared/program.ts";
import { writeRefusal } from "../shared/refusal.ts";
import { tellingOfPeers } from "../shared/turned_away.ts";
import type { Service } from "./service.ts";

/**
 * Whether each WebSocket may be a session, at all endpoints: so that the chat's page outlives its network.
 * Where servers share a port, a session that comes back would come to any of them.
 */
export function offersSessions(
  { options }: ProgramContext,
  service: { hasPage?: boolean },
): boolean {
  return service.hasPage === true && !options.on("reuse-port");
}

/** Those for all endpoints. What they tell goes to the reporter. */
export function listenOptions(
  context: ProgramContext,
  service: Service<unknown>,
  { session, udp, others }: Limits,
): ListenOptions<unknown> {
  const { options, reporter } = context;
  const isOffered = offersSessions(context, service);
  const limits = {
    maxMessageBytes: options.number("max-message"),
    maxConnections: options.number("max-connections"),
    maxConnectionRate: options.number("max-rate"),
    ...others,
  };
  return {
    ...limits,
    format: service.format,
    framing: options.text("framing") as FramingText | undefined,
    allow: options.list("allow"),
    deny: options.list("deny"),
    proxies: options.list("proxy-from"),
    refusalMessage: service.refusalMessage ?? writeRefusal,
    reusePort: options.on("reuse-port"),
    session: isOffered && !options.on("session") ? false : session ?? options.on("session"),
    offeredSessions: isOffered && (session ?? true),
    udp: udp ?? { idleTimeout: options.number("udp-idle") },
    ...tellingOfPeers(reporter, limits),
  };
}
