/** Presence's options with their defaults. */

import { checkDelay, checkInteger } from "../../internal/check.ts";
import type { PresenceOptions, ResolvedPresenceOptions } from "./types.ts";

/** Data of this size fits into a message of every backplane. */
const MAX_DATA_BYTES = 64 * 1024;

/**
 * The options with their defaults.
 *
 * @throws {RangeError} for one that cannot be used.
 */
export function resolvePresenceOptions(options: PresenceOptions): ResolvedPresenceOptions {
  const {
    heartbeatInterval = 2_500,
    leaseTimeout = 9_000,
    maxMembersPerRoom = 50_000,
    maxMembers = 200_000,
    maxDataBytes = 1_024,
    maxHubs = 1_000,
  } = options;
  checkDelay("heartbeatInterval", heartbeatInterval);
  checkDelay("leaseTimeout", leaseTimeout);
  if (leaseTimeout <= 2 * heartbeatInterval) {
    throw new RangeError(
      `Cannot use leaseTimeout ${leaseTimeout}: it must be more than twice heartbeatInterval, ` +
        `which is ${heartbeatInterval}`,
    );
  }
  checkInteger("maxMembersPerRoom", maxMembersPerRoom, 1, Number.MAX_SAFE_INTEGER);
  checkInteger("maxMembers", maxMembers, 1, Number.MAX_SAFE_INTEGER);
  checkInteger("maxDataBytes", maxDataBytes, 2, MAX_DATA_BYTES);
  checkInteger("maxHubs", maxHubs, 1, Number.MAX_SAFE_INTEGER);
  return { heartbeatInterval, leaseTimeout, maxMembersPerRoom, maxMembers, maxDataBytes, maxHubs };
}
