/** What becomes of a request whose worker refused it or was lost. */

import { ConnectionClosedError, ConnectionLostError, RequestError } from "../errors.ts";
import { type Encoded, encodeValue, Ready } from "../request/internal.ts";
import type { Claims, Worker } from "./claims.ts";
import type { ResolvedGroupOptions } from "./options.ts";

/** What a request needs of its caller. */
export interface CallerParts {
  readonly group: string;
  readonly options: ResolvedGroupOptions;
  readonly claims: Claims;
  readonly counts: { sent: number; repeated: number; passedOn: number; lost: number };
  readonly isClosed: boolean;
  /** The link to a worker. It is made if there is none. */
  linkTo(worker: Worker): NonNullable<Worker["link"]>;
  /** A worker has one request of this caller less. */
  released(worker: Worker): void;
  /** Whether somebody serves a method who has not refused. */
  hasOther(method: string, refusedBy: ReadonlySet<string>): boolean;
  /** The key of a request that may be made again. */
  newKey(): string;
}

/** What is to be done after a failure. */
export type Verdict =
  /** The error is the answer. */
  | "fail"
  /** It was not done: somebody else may do it. */
  | "pass on"
  /** It may have been done or not. */
  | "lost";

/** Judges an error of a worker. */
export function verdictOf(
  error: unknown,
  { lane }: NonNullable<Worker["link"]>,
  { isClosed }: Pick<CallerParts, "isClosed">,
): Verdict {
  if (isClosed) return "fail";
  if (error instanceof RequestError) return error.code === "busy" ? "pass on" : "fail";
  if (error instanceof ConnectionLostError || error instanceof ConnectionClosedError) {
    return lane.isRefused ? "pass on" : "lost";
  }
  return "fail";
}

/** The error for a request whose worker was lost. */
export function workerLost(method: string, group: string, cause: unknown): RequestError {
  const text =
    `Cannot request ${method} of group ${group}: its worker was lost; it may have been done or not`;
  return new RequestError("worker-lost", text, { cause });
}

/**
 * The params as they are now, for all attempts.
 *
 * @throws {TypeError} if they are not JSON.
 */
export function readyParams(params: unknown, method: string): Ready {
  const encoded: Encoded = encodeValue(params, `params of ${method}`);
  return new Ready(encoded instanceof Uint8Array ? encoded.slice() : encoded);
}
