/**
 * What came in is taken once per frame, and what it changes is drawn once after that: a busy room
 * must not cost a layout per message.
 *
 * @module
 */

/** Draws a part of the page anew. */
export type Draw = () => void;

/** What to do with what came. */
export interface Taker {
  /** Takes one text. */
  hear(text: string): void;
  /** Is called when all that came has been taken and drawn. */
  drawn(): void;
}

type InboxState =
  | { readonly kind: "idle" }
  | {
    readonly kind: "waiting";
    readonly frame: number;
    readonly timer: ReturnType<typeof setTimeout>;
  }
  | { readonly kind: "draining"; readonly draws: Set<Draw> };

class Inbox {
  #state: InboxState = { kind: "idle" };
  #taker: Taker | undefined;
  readonly #texts: string[] = [];

  /** Says who takes what comes. */
  start(taker: Taker): void {
    this.#taker = taker;
  }

  /** Whether what came is being taken; what it changes is drawn after that. */
  get draining(): boolean {
    return this.#state.kind === "draining";
  }

  /** Takes a text soon. */
  take(text: string): void {
    this.#texts.push(text);
    if (this.#state.kind !== "idle") return;
    const frame = requestAnimationFrame(() => this.drain());
    // There are no frames while nobody looks.
    this.#state = { kind: "waiting", frame, timer: setTimeout(() => this.drain(), 100) };
  }

  /** Takes all that came, now. */
  drain(): void {
    if (this.#state.kind === "waiting") {
      cancelAnimationFrame(this.#state.frame);
      clearTimeout(this.#state.timer);
    }
    const draws = new Set<Draw>();
    this.#state = { kind: "draining", draws };
    try {
      for (const text of this.#texts.splice(0)) this.#taker?.hear(text);
    } finally {
      this.#state = { kind: "idle" };
      for (const draw of draws) draw();
      this.#taker?.drawn();
    }
  }

  /** Draws now, or after what is being taken. */
  soon(draw: Draw): void {
    if (this.#state.kind === "draining") this.#state.draws.add(draw);
    else draw();
  }

  /** Forgets what came and was not taken yet. */
  clear(): void {
    this.#texts.length = 0;
  }
}

export const inbox: Inbox = new Inbox();
