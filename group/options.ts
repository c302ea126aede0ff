/** The options of both ends with their defaults. */

import { checkDelay, checkInteger, MAX_INT32 } from "../internal/check.ts";
import type { GroupOptions, GroupTimes, WorkerOptions } from "./types.ts";

/** A longer name is none, in UTF-16 code units. */
const MAX_NAME_LENGTH = 256;

/** All options of a caller given. */
export type ResolvedGroupOptions =
  & Readonly<Required<Omit<GroupOptions, "telemetry">>>
  & Pick<GroupOptions, "telemetry">;

/** All options of a worker given. */
export type ResolvedWorkerOptions =
  & Readonly<Required<Omit<WorkerOptions, "telemetry" | "totals">>>
  & Pick<WorkerOptions, "telemetry" | "totals">;

/**
 * Checks the name of a group.
 *
 * @throws {RangeError} if it is too long.
 */
export function checkName(name: string): void {
  if (name.length > MAX_NAME_LENGTH) {
    throw new RangeError(
      `Cannot use group: its name has ${name.length} characters, limit is ${MAX_NAME_LENGTH}`,
    );
  }
}

/**
 * The options of a caller.
 *
 * @throws {RangeError} for one that cannot be used.
 */
export function resolveGroupOptions(options: GroupOptions): ResolvedGroupOptions {
  const {
    maxRequests = 1_000,
    maxWaiting = 10_000,
    maxWorkers = 1_000,
    maxMessageBytes = 16 * 1024 * 1024,
    maxAttempts = 3,
    workerTimeout = 10_000,
    acceptTimeout = 2_000,
    timeout = Infinity,
    telemetry,
    onError = (error) => console.error("Error in a group of workers:", error),
  } = options;
  const limits = { maxRequests, maxWaiting, maxWorkers, maxAttempts };
  for (const [name, limit] of Object.entries(limits)) {
    checkInteger(name, limit, name === "maxWaiting" ? 0 : 1, MAX_INT32);
  }
  checkInteger("maxMessageBytes", maxMessageBytes, 1024, Number.MAX_SAFE_INTEGER);
  checkDelay("workerTimeout", workerTimeout);
  checkDelay("acceptTimeout", acceptTimeout);
  if (timeout !== Infinity) checkDelay("timeout", timeout);
  return {
    ...resolveTimes(options),
    ...limits,
    maxMessageBytes,
    workerTimeout,
    acceptTimeout,
    timeout,
    telemetry,
    onError,
  };
}

/**
 * The options of a worker. `requests()` checks those that it takes.
 *
 * @throws {RangeError} for one that cannot be used.
 */
export function resolveWorkerOptions(options: WorkerOptions): ResolvedWorkerOptions {
  const {
    maxConcurrent = 100,
    maxWaiting = 1_000,
    maxRequestsPerCaller = 1_000,
    maxRequestBytes = 4 * 1024 * 1024,
    maxMessageBytes = 1024 * 1024,
    maxCallers = 1_000,
    maxRemembered = 10_000,
    maxRememberedBytes = 16 * 1024 * 1024,
    exposeErrors = false,
    telemetry,
    totals,
    onError = (error, method) =>
      console.error(
        `Error in ${method === undefined ? "a group" : `the handler of ${method}`}:`,
        error,
      ),
  } = options;
  checkInteger("maxConcurrent", maxConcurrent, 1, MAX_INT32);
  checkInteger("maxWaiting", maxWaiting, 0, MAX_INT32);
  checkInteger("maxRequestsPerCaller", maxRequestsPerCaller, 16, MAX_INT32);
  checkInteger("maxRequestBytes", maxRequestBytes, 64 * 1024, Number.MAX_SAFE_INTEGER);
  checkInteger("maxMessageBytes", maxMessageBytes, 1024, Number.MAX_SAFE_INTEGER);
  checkInteger("maxCallers", maxCallers, 1, MAX_INT32);
  checkInteger("maxRemembered", maxRemembered, 0, MAX_INT32);
  checkInteger("maxRememberedBytes", maxRememberedBytes, 0, Number.MAX_SAFE_INTEGER);
  return {
    ...resolveTimes(options),
    maxConcurrent,
    maxWaiting,
    maxRequestsPerCaller,
    maxRequestBytes,
    maxMessageBytes,
    maxCallers,
    maxRemembered,
    maxRememberedBytes,
    exposeErrors,
    telemetry,
    totals,
    onError,
  };
}

function resolveTimes(
  { heartbeatInterval = 2_500, leaseTimeout = 9_000 }: GroupTimes,
): Required<GroupTimes> {
  checkDelay("heartbeatInterval", heartbeatInterval);
  checkDelay("leaseTimeout", leaseTimeout);
  if (leaseTimeout <= 2 * heartbeatInterval) {
    throw new RangeError(
      `Cannot use leaseTimeout ${leaseTimeout}: it must be more than twice heartbeatInterval, ` +
        `which is ${heartbeatInterval}`,
    );
  }
  return { heartbeatInterval, leaseTimeout };
}
