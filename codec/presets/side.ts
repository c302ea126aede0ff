/** Framings of conversations whose two ends differ. */

import type { FramingOptions } from "../framing.ts";

/** Options of a framing whose two ends differ. */
export interface SideOptions extends FramingOptions {
  /**
   * Which end this is: the one that connects, or the one that listens.
   *
   * @default "client"
   */
  side?: "client" | "server";
}

/** The side, checked. */
export function checkSide({ side = "client" }: SideOptions): "client" | "server" {
  if (side === "client" || side === "server") return side;
  throw new TypeError(`Cannot use side "${side}": it must be "client" or "server"`);
}

/** The side as it stands in a name: only if it is not the default. */
export function givenSide(side: "client" | "server"): string | undefined {
  return side === "client" ? undefined : side;
}
