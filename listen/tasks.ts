/** Running tasks that a closing server has to wait for. */

/** Keeps tasks until they are done, so that closing can wait for them. */
export class Tasks {
  readonly #tasks = new Set<Promise<void>>();

  /** Keeps a task. The task must never reject. */
  own(task: Promise<void>): void {
    this.#tasks.add(task);
    task.then(() => this.#tasks.delete(task));
  }

  /** The tasks that are running now. */
  [Symbol.iterator](): Iterator<Promise<void>> {
    return this.#tasks.values();
  }
}
