/** Promises whose rejection nobody has to look at, because `closed` tells of it too. */

/** A promise to settle later. */
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
