/** Tasks that someone has to wait for in the end. */

/** Keeps tasks until they are done, so that closing can wait for them. */
export class Tasks {
  readonly #tasks = new Set<Promise<void>>();

  /** Keeps one, which must never reject. */
  own(task: Promise<void>): void {
    this.#tasks.add(task);
    task.then(() => this.#tasks.delete(task));
  }

  /** Those that are under way now. */
  [Symbol.iterator](): Iterator<Promise<void>> {
    return this.#tasks.values();
  }
}
