/**
 * The lines that were sent, for the arrow keys.
 *
 * @module
 */

import { MAX_KEPT } from "./limits.ts";

/** Whether one writes a line, or looks at an older one; `draft` is the line that was begun. */
type RecallState =
  | { readonly kind: "writing" }
  | { readonly kind: "recalling"; readonly at: number; readonly draft: string };

/** Goes through the lines that were sent. */
export class Recall {
  readonly #sent: string[] = [];
  #state: RecallState = { kind: "writing" };

  /** Remembers a line that was sent. */
  add(text: string): void {
    if (this.#sent.at(-1) !== text) this.#sent.push(text);
    if (this.#sent.length > MAX_KEPT) this.#sent.shift();
  }

  /** The line before or after; undefined if there is none. `current` is what is written now. */
  step(by: 1 | -1, current: string): string | undefined {
    const [state, count] = [this.#state, this.#sent.length];
    const next = (state.kind === "writing" ? count : state.at) + by;
    if (next < 0 || next > count || count === 0) return undefined;
    const draft = state.kind === "writing" ? current : state.draft;
    this.#state = next === count ? { kind: "writing" } : { kind: "recalling", at: next, draft };
    return next === count ? draft : this.#sent[next];
  }

  /** Goes back to what was written; undefined if one is there. */
  stop(): string | undefined {
    const state = this.#state;
    this.#state = { kind: "writing" };
    return state.kind === "writing" ? undefined : state.draft;
  }
}
