/** Promises that may reject without a handler, because `closed` tells the failure, too. */

/** A promise to settle later, with the functions that settle it. */
export function handledResolvers<T>(): PromiseWithResolvers<T> {
  const resolvers = Promise.withResolvers<T>();
  resolvers.promise.catch(() => {});
  return resolvers;
}

/** A promise that is rejected already. */
export function handledRejection(error: unknown): Promise<never> {
  const promise = Promise.reject(error);
  promise.catch(() => {});
  return promise;
}

/** What a call gives, as a promise; what it throws is a rejection. Node 22 has no `Promise.try()`. */
export async function attempt<T>(call: () => T | PromiseLike<T>): Promise<T> {
  return await call();
}
