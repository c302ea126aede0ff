/** What the catalog knows of a kind of framing. */

import type { Framing } from "./framing.ts";
import type { Parameter } from "./parameters.ts";

/**
 * A kind of framing. All of it is data but for `make`, and nothing runs when this module is loaded:
 * so a bundler leaves the catalog out of a program that does not use it.
 */
export interface Kind {
  /** What it is, in one sentence. */
  readonly help: string;
  /** A text that works. */
  readonly example: string;
  /** The parameters, in the order of the canonical form. Their names are those of the options. */
  readonly parameters: Readonly<Record<string, Parameter>>;
  /** The parameter that an argument without a name gives. */
  readonly bare?: string;
  /**
   * Makes the framing. Whoever writes the function sets the framing's `name` with `canonical()` of
   * names.ts.
   */
  // `never` takes the function of every kind: the parameters make sure that the options are right.
  readonly make: (options: never) => Framing;
}
