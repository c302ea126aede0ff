/** Running tasks that a closing server has to wait for. */

/** Counts the tasks that run, so that closing can wait for them. */
export class Tasks {
  #running = 0;
  #over: PromiseWithResolvers<void> | undefined;
  readonly #end = (): void => this.end();

  /** Counts a task until it is done. The task must never reject. */
  own(task: Promise<void>): void {
    this.begin();
    task.then(this.#end);
  }

  /** A task begins. Call `end()` when it is done. */
  begin(): void {
    this.#running++;
  }

  /** A task is done. */
  end(): void {
    if (--this.#running === 0) this.#over?.resolve();
  }

  /** Resolves when no task runs any more. Call it when no further tasks are begun from outside. */
  over(): Promise<void> {
    if (this.#running === 0) return Promise.resolve();
    return (this.#over ??= Promise.withResolvers<void>()).promise;
  }
}
