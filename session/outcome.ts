/** How a session ends, and what the driver does with its carrier. */

/** How a session ended. */
export type Outcome =
  /** Both streams ended in order. */
  | { readonly kind: "closed" }
  | Lost;

/** The session did not end in order. */
export interface Lost {
  readonly kind: "lost";
  /** The end of an error's message. */
  readonly state: string;
  readonly code: number;
  /** What the peer did wrong, or another cause. */
  readonly cause?: unknown;
}

/**
 * What the driver must do with a carrier: `keep` it, `close` it when `poll()` gives no more frames,
 * or abort it with the error.
 */
export type CarrierState = "keep" | "close" | { readonly error: Error };
