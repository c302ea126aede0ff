/** What a directory that is served takes, and how much of it. */

import { checkDelay, checkInteger } from "../internal/check.ts";
import { MAX_FILE_BYTES } from "./types.ts";

/** Options of `openDirectory()`: limits, all on by default. Sizes are bytes, times milliseconds. */
export interface DirectoryOptions {
  /**
   * Refuses all that would change the directory.
   *
   * @default false
   */
  readOnly?: boolean;
  /**
   * Lets a file take the place of another one of its name.
   *
   * @default false
   */
  replace?: boolean;
  /**
   * The largest file to take.
   *
   * @default 17_179_869_184
   */
  maxFileBytes?: number;
  /**
   * What all files in the directory may have together, unfinished ones included; of those, the ones
   * that nobody writes to are removed before a new one is refused, the oldest first, if that makes
   * room enough. Of one connection, several uploads at a time may promise half of it together.
   *
   * @default 68_719_476_736
   */
  maxDirectoryBytes?: number;
  /**
   * Files in the directory, unfinished ones included.
   *
   * @default 10_000
   */
  maxFiles?: number;
  /**
   * Files that are sent and received at a time, by all peers together, and by one connection half as
   * many; further ones are refused.
   *
   * @default 256
   */
  maxTransfers?: number;
  /**
   * How long a transfer may stand still.
   *
   * @default 30_000
   */
  idleTimeout?: number;
  /**
   * Bytes per second that a peer must send or take, on average over `idleTimeout` of waiting for it;
   * 0 for any.
   *
   * @default 1024
   */
  minBytesPerSecond?: number;
  /**
   * How long an unfinished file is kept that nobody goes on with.
   *
   * @default 604_800_000
   */
  partRetention?: number;
}

/**
 * Fills in the defaults.
 *
 * @throws {RangeError} for an option out of range.
 */
export function directoryOptions(options: DirectoryOptions): Required<DirectoryOptions> {
  const {
    readOnly = false,
    replace = false,
    maxFileBytes = MAX_FILE_BYTES,
    maxDirectoryBytes = 64 * 1024 ** 3,
    maxFiles = 10_000,
    maxTransfers = 256,
    idleTimeout = 30_000,
    minBytesPerSecond = 1024,
    partRetention = 7 * 24 * 3_600_000,
  } = options;
  checkInteger("maxFileBytes", maxFileBytes, 0, Number.MAX_SAFE_INTEGER);
  checkInteger("maxDirectoryBytes", maxDirectoryBytes, 0, Number.MAX_SAFE_INTEGER);
  checkInteger("maxFiles", maxFiles, 0, 10_000_000);
  checkInteger("maxTransfers", maxTransfers, 1, 1_000_000);
  checkDelay("idleTimeout", idleTimeout);
  checkInteger("minBytesPerSecond", minBytesPerSecond, 0, 1024 ** 3);
  checkInteger("partRetention", partRetention, 1, Number.MAX_SAFE_INTEGER);
  return {
    readOnly,
    replace,
    maxFileBytes,
    maxDirectoryBytes,
    maxFiles,
    maxTransfers,
    idleTimeout,
    minBytesPerSecond,
    partRetention,
  };
}
