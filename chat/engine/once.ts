/** What was said with `/once`, so that it is said once, however often it is sent. */

/** How many are remembered. If there are more, the oldest is forgotten. */
export const MAX_REMEMBERED = 65_536;

/** What a sender may call a message. */
export const REF = /^[\w-]{1,64}$/;

/** Where a message was said that its sender has given a name. */
export interface SaidOnce {
  readonly id: number;
  readonly room: string;
}

/** The messages that their senders gave names, by name. */
export class Once {
  readonly #said = new Map<string, SaidOnce>();

  /** Where it was said; undefined if it was not, or long ago. */
  find(ref: string): SaidOnce | undefined {
    return this.#said.get(ref);
  }

  /** All that are remembered, oldest first. */
  get all(): Iterable<readonly [ref: string, said: SaidOnce]> {
    return this.#said;
  }

  /** It was said now. */
  add(ref: string, said: SaidOnce): void {
    this.#said.set(ref, said);
    if (this.#said.size > MAX_REMEMBERED) this.#said.delete(this.#said.keys().next().value!);
  }
}
