/** What a served directory accepts, and how much. */

import { checkDelay, checkInteger } from "../internal/check.ts";
import { MAX_FILE_BYTES } from "./types.ts";

/**
 * Options of `openDirectory()`. All limits are on by default. Sizes are in bytes, times in
 * milliseconds.
 */
export interface DirectoryOptions {
  /**
   * Refuses everything that would change the directory.
   *
   * @default false
   */
  readOnly?: boolean;
  /**
   * Lets a file replace another one with the same name.
   *
   * @default false
   */
  replace?: boolean;
  /**
   * The largest file that is accepted.
   *
   * @default 17_179_869_184
   */
  maxFileBytes?: number;
  /**
   * How many bytes all files in the directory may have together, unfinished files included. Before
   * a new file is refused, unfinished files that nobody writes to are removed, the oldest first, if
   * that frees enough space. Several uploads of one connection at a time may together promise half
   * of it.
   *
   * @default 68_719_476_736
   */
  maxDirectoryBytes?: number;
  /**
   * How many files the directory may have, unfinished files included.
   *
   * @default 10_000
   */
  maxFiles?: number;
  /**
   * How many files may be sent and received at a time, for all peers together. One connection may
   * have half as many. Further ones are refused.
   *
   * @default 256
   */
  maxTransfers?: number;
  /**
   * For how long no bytes of a transfer may move.
   *
   * @default 30_000
   */
  idleTimeout?: number;
  /**
   * How many bytes per second a peer must send or take. It is an average over `idleTimeout` of
   * waiting for the peer. 0 permits any rate.
   *
   * @default 1024
   */
  minBytesPerSecond?: number;
  /**
   * How long an unfinished file is kept when nobody continues it.
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
