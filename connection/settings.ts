/** The options of a connection, checked once and shared by all connections of a server. */

import { type Framing, framing as framingByName, type FramingText } from "../codec.ts";
import { bytes, type Format } from "../format.ts";
import { type ResolvedLimits, resolveLimits } from "./limits.ts";
import type { ConnectionOptions } from "./types.ts";

/** The largest message that a client accepts by default, in bytes. */
const CLIENT_MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/**
 * Checked options. They can be given wherever options can, and are not checked again. So a server
 * checks its options once, for all of its connections.
 */
export class ConnectionSettings<T> implements ConnectionOptions<T> {
  #own: { readonly framing: Framing; readonly settings: ConnectionSettings<T> } | undefined;

  /** Made by {@linkcode resolveSettings}. */
  constructor(
    readonly framing: Framing,
    readonly format: Format<T>,
    readonly limits: ResolvedLimits,
    readonly signal: AbortSignal | undefined,
    /** Whether readers see a lost connection as an end without error. `closed` still has the error. */
    readonly lossIsEnd = false,
  ) {}

  /** The settings for a transport that brings its own framing. Without one, the same settings. */
  withFraming(framing: Framing | undefined): ConnectionSettings<T> {
    if (framing === undefined) return this;
    if (this.#own?.framing !== framing) {
      const { format, limits, signal, lossIsEnd } = this;
      const limitedFraming = limited(framing, limits.maxMessageBytes);
      this.#own = {
        framing,
        settings: new ConnectionSettings(limitedFraming, format, limits, signal, lossIsEnd),
      };
    }
    return this.#own.settings;
  }

  /** The same settings with another framing, within the same limit. */
  switchedTo(framing: FramingText | Framing): ConnectionSettings<T> {
    const { format, limits, signal, lossIsEnd } = this;
    const next = limited(framing, limits.maxMessageBytes);
    return new ConnectionSettings(next, format, limits, signal, lossIsEnd);
  }

  /** The same settings, but a lost connection ends iteration without an error. */
  withLossAsEnd(): ConnectionSettings<T> {
    return new ConnectionSettings(this.framing, this.format, this.limits, this.signal, true);
  }
}

/**
 * Checks options and fills in the defaults. Returns settings that are resolved already as they are.
 *
 * @throws {TypeError} {RangeError} if an option is wrong.
 */
export function resolveSettings<T>(
  options: ConnectionOptions<T> | ConnectionSettings<T>,
  defaultMaxMessageBytes: number = CLIENT_MAX_MESSAGE_BYTES,
): ConnectionSettings<T> {
  if (options instanceof ConnectionSettings) return options;
  const { framing = "u32be", format = bytes() as unknown as Format<T>, signal } = options;
  const limits = resolveLimits(options, defaultMaxMessageBytes);
  return new ConnectionSettings(limited(framing, limits.maxMessageBytes), format, limits, signal);
}

function limited(framing: FramingText | Framing, maxMessageBytes: number): Framing {
  if (typeof framing === "string") return framingByName(framing).withLimit(maxMessageBytes);
  return framing.maxMessageBytes <= maxMessageBytes ? framing : framing.withLimit(maxMessageBytes);
}
