/**
 * What is taken again after an outage or a reload: one's name and room.
 *
 * @module
 */

import { storage } from "./storage.ts";
import { isGuest } from "./text.ts";

type NameState =
  | { readonly kind: "settled" }
  /** The server was asked for the name. */
  | { readonly kind: "asked"; readonly name: string; readonly tries: number }
  /** It did not give it, and is asked again later. */
  | {
    readonly kind: "pausing";
    readonly name: string;
    readonly tries: number;
    readonly timer: ReturnType<typeof setTimeout>;
  };

/** The room of before was asked for; until it is there, the server has put us into `home`. */
interface AskedRoom {
  readonly name: string;
  readonly home: string;
}

/** Attempts to get one's name back: about two minutes, as long as servers wait for a session. */
const MAX_TRIES = 8;

class Restore {
  /** The name that the reader chose, in this window or another. */
  chosen: string | undefined = storage.get("name", "everywhere") || undefined;
  /**
   * What gives the name at once to whoever has it, also where the connection that was lost still has the
   * name. It is of this window alone: another one with the same name must not end this one's connection.
   */
  key: string | undefined = takeKey();
  /** The room that was asked for, if its answer is still to come. */
  room: AskedRoom | undefined;
  #name: NameState = { kind: "settled" };

  /** Whether name and room are as before, so that messages may go out. */
  get settled(): boolean {
    return this.#name.kind !== "asked" && this.room === undefined;
  }

  /** The name that was asked for, if its answer is still to come. */
  get askedName(): string | undefined {
    return this.#name.kind === "asked" ? this.#name.name : undefined;
  }

  /** The window is left, perhaps to be loaded again. Who has the key has the name, so it is kept no longer. */
  keepKey(): void {
    storage.set("key", this.key ?? "");
  }

  /** Notes that a name was asked for. */
  askName(name: string): void {
    const tries = this.#name.kind === "pausing" ? this.#name.tries : 0;
    this.#become({ kind: "asked", name, tries });
  }

  /** The name was not given: `again` is called after a pause, unless this was the last attempt. */
  pauseName(again: (name: string) => void): "first" | "further" | "last" {
    if (this.#name.kind !== "asked") return "last";
    const { name } = this.#name;
    const tries = this.#name.tries + 1;
    if (tries >= MAX_TRIES) {
      this.#become({ kind: "settled" });
      return "last";
    }
    const timer = setTimeout(() => again(name), 1000 * 2 ** (tries - 1));
    this.#become({ kind: "pausing", name, tries, timer });
    return tries === 1 ? "first" : "further";
  }

  /** The name that one has now is the one to keep; without a name, none is asked for any more. */
  settleName(name?: string): void {
    this.#become({ kind: "settled" });
    this.key = undefined;
    if (name === undefined) return;
    this.chosen = isGuest(name) ? undefined : name;
    storage.set("name", this.chosen ?? "", "everywhere");
  }

  /** An answer that is late is not waited for; a pause goes on. */
  stopAsking(): void {
    if (this.#name.kind === "asked") this.#become({ kind: "settled" });
  }

  /** The connection is gone, and with it every answer. */
  reset(): void {
    this.#become({ kind: "settled" });
    this.room = undefined;
  }

  #become(next: NameState): void {
    if (this.#name.kind === "pausing") clearTimeout(this.#name.timer);
    this.#name = next;
  }
}

/** A copy of this window must not have it, which would take the name away from this one. */
function takeKey(): string | undefined {
  const key = storage.get("key") || undefined;
  if (key !== undefined) storage.set("key", "");
  return key;
}

export const restore: Restore = new Restore();
