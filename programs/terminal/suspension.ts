/** What Ctrl-Z does: the process stops, and comes back when its shell lets it go on. */

/** Ctrl-Z, as the keyboard sends it. */
export const SUSPEND = "\x1a";

/** For how long the process must run again before it takes the terminal back, in milliseconds. */
const RESUME_DELAY = 50;

/** A time for which the terminal belongs to others. */
export class Suspension {
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Whether the terminal belongs to others now. */
  get active(): boolean {
    return this.#timer !== undefined;
  }

  /**
   * Stops this process, the only one that may be stopped without a permission. Calls back when it
   * goes on. That is soon where no shell could let it go on: then the system does not stop it.
   */
  begin(comeBack: () => void): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      comeBack();
    }, RESUME_DELAY);
    Deno.kill(Deno.pid, "SIGTSTP");
  }

  /** Ends it without calling back. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
