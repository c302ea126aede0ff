/** How a session ends, and what becomes of a carrier. */

/** How a session ended. */
export type Outcome =
  /** Both streams in order to their ends. */
  | { readonly kind: "closed" }
  | Lost;

/** Not in order. */
export interface Lost {
  readonly kind: "lost";
  /** The end of an error's message. */
  readonly state: string;
  readonly code: number;
  /** What the peer did wrong, or another reason behind it. */
  readonly cause?: unknown;
}

/** What is to be done with a carrier: `close` it when `poll()` gives nothing more, or abort it. */
export type CarrierState = "keep" | "close" | { readonly error: Error };
