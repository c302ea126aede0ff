/** `@std/async/pool`, from the npm build of the same library. */
import { pooledMap as pooledMap_ } from "deno-std/async/pool.js";

export const pooledMap: <T, R>(
  poolLimit: number,
  array: Iterable<T> | AsyncIterable<T>,
  iteratorFn: (value: T) => Promise<R>,
) => AsyncIterableIterator<R> = pooledMap_;
