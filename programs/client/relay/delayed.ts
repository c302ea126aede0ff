/** Batches of messages that pass later than they came. */

import { delay } from "@std/async/delay";

/** With more than this under way, no more is taken, in bytes; each message counts for 64 at least. */
const MAX_UNDER_WAY = 1024 * 1024;
const MIN_COST = 64;

/**
 * The same batches, each so many milliseconds later. As many are under way as come in that time, so
 * that the delay costs no throughput until a MiB waits. The end and an error come later, too.
 */
export async function* delayed<T extends { readonly length: number }>(
  batches: AsyncIterable<T[]>,
  milliseconds: number,
): AsyncGenerator<T[], void, void> {
  const waiting: { readonly batch: T[]; readonly due: number; readonly cost: number }[] = [];
  let underWay = 0;
  let change = Promise.withResolvers<void>();
  const notify = () => {
    change.resolve();
    change = Promise.withResolvers();
  };
  let endDue: number | undefined;
  const taking = (async () => {
    try {
      for await (const batch of batches) {
        const cost = batch.reduce((sum, { length }) => sum + Math.max(length, MIN_COST), 0);
        waiting.push({ batch, due: performance.now() + milliseconds, cost });
        underWay += cost;
        notify();
        while (underWay > MAX_UNDER_WAY) await change.promise;
      }
    } finally {
      endDue = performance.now() + milliseconds;
      notify();
    }
  })();
  taking.catch(() => {}); // It is thrown below, after what came before.
  for (;;) {
    const next = waiting.shift();
    if (next === undefined) {
      if (endDue !== undefined) break;
      await change.promise;
      continue;
    }
    await until(next.due);
    underWay -= next.cost;
    notify();
    yield next.batch;
  }
  await until(endDue);
  await taking;
}

async function until(due: number): Promise<void> {
  const left = due - performance.now();
  if (left > 0) await delay(left);
}
