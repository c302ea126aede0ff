/** The errors with which a connection fails, and their words. */

import {
  ConnectionLostError,
  FrameTimeoutError,
  LengthwiseError,
  SlowConsumerError,
} from "../errors.ts";
import { reasonOf } from "../internal/reason.ts";

/** What is to be sent is neither bytes nor a string. */
export function notBytes(message: unknown): TypeError {
  return new TypeError(`Cannot send ${typeof message}: it must be a Uint8Array or a string`);
}

/** A write has failed. */
export function writeFailed(remote: string, cause: unknown): ConnectionLostError {
  return new ConnectionLostError(`Cannot send to ${remote}: ${reasonOf(cause)}`, { cause });
}

/** The peer took nothing for `writeTimeout`. */
export function writeExpired(remote: string, writeTimeout: number): ConnectionLostError {
  return new ConnectionLostError(
    `Cannot send to ${remote}: it took nothing for ${writeTimeout} ms`,
  );
}

/** More waits to be written than `maxPendingBytes`, and the policy is to disconnect. */
export function tooSlow(remote: string, bytes: number, maxPendingBytes: number): SlowConsumerError {
  return new SlowConsumerError(
    `Cannot send message to ${remote}: ${bytes} bytes wait already, limit is ${maxPendingBytes} bytes`,
  );
}

/** Reading or decoding has failed. An error of ours is told as it is. */
export function readFailed(remote: string, cause: unknown): LengthwiseError {
  if (cause instanceof LengthwiseError) return cause;
  return new ConnectionLostError(`Cannot receive from ${remote}: ${reasonOf(cause)}`, { cause });
}

/** A message was begun, and not finished within `frameTimeout`. */
export function frameExpired(
  remote: string,
  frameTimeout: number,
  arrivedBytes: number,
): FrameTimeoutError {
  return new FrameTimeoutError(
    `Cannot receive message from ${remote}: it was not finished within ${frameTimeout} ms, ` +
      `${arrivedBytes} bytes had arrived`,
  );
}
