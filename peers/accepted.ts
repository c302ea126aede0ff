/** Whether a notification of another hub may go to this hub's peers. */

import type { StandardSchema } from "../format.ts";
import type { Notice } from "../request/internal.ts";

/**
 * Whether a method is listed, and its validator accepts the params. Without a list, all are accepted.
 *
 * @throws what the validator throws, and a TypeError if it is asynchronous.
 */
export function isAccepted(
  { method, params }: Notice,
  accepts: { readonly [method: string]: StandardSchema<unknown> | undefined } | undefined,
): boolean {
  if (accepts === undefined) return true;
  const schema = Object.hasOwn(accepts, method) ? accepts[method] : undefined;
  if (schema === undefined) return false;
  const result = schema["~standard"].validate(params);
  if (result instanceof Promise) {
    result.catch(() => {});
    throw new TypeError(`Cannot check notification ${method}: its validator is asynchronous`);
  }
  return result.issues === undefined;
}
