/**
 * Requests to a group of workers, in one process or in many: each request goes to one of them.
 *
 * @module
 */

import type { Backplane } from "./backplane.ts";
import { Caller } from "./group/caller.ts";
import { checkName, resolveGroupOptions, resolveWorkerOptions } from "./group/options.ts";
import type { GroupOptions, GroupWorker, RequestGroup, WorkerOptions } from "./group/types.ts";
import { Worker } from "./group/worker.ts";
import type { AnyMethods, Handlers } from "./request.ts";

export type * from "./group/types.ts";

/**
 * Joins a group as a worker: from then on, requests of all callers may come here. Handlers are those of
 * `requests()`, and get the same context. `context.peer` is the caller.
 *
 * A group is known by its name on a backplane: `inProcess()`, or `nats()` for several machines. Its
 * workers may serve different methods.
 *
 * @throws {TypeError} if a handler is not a function, or the backplane has no channels.
 * @throws {RangeError} if an option is out of range.
 *
 * @example Two workers, and a caller
 * ```ts
 * import { inProcess } from "@lengthwise/lengthwise/backplane";
 * import { joinGroup, requestGroup } from "@lengthwise/lengthwise/group";
 * import { assertEquals } from "@std/assert";
 *
 * interface Images {
 *   thumbnail(params: { url: string }): { width: number };
 * }
 *
 * const backplane = inProcess(); // or `await nats(…)`, for workers on several machines
 * const handlers = { thumbnail: () => ({ width: 64 }) };
 * await using _one = joinGroup<Images>(backplane, "images", handlers, { maxConcurrent: 4 });
 * await using _two = joinGroup<Images>(backplane, "images", handlers, { maxConcurrent: 4 });
 *
 * await using images = requestGroup<Images>(backplane, "images");
 * const params = { url: "https://example.com/a.png" };
 * assertEquals(await images.request("thumbnail", params, { repeatable: true }), { width: 64 });
 * ```
 */
export function joinGroup<Local = AnyMethods>(
  backplane: Backplane,
  name: string,
  handlers: Handlers<NoInfer<Local>>,
  options: WorkerOptions = {},
): GroupWorker {
  checkName(name);
  return new Worker(backplane, name, handlers, resolveWorkerOptions(options));
}

/**
 * Makes requests to the workers of a group. {@linkcode joinGroup} shows it, and {@linkcode RequestGroup}
 * tells what is promised.
 *
 * @throws {TypeError} if the backplane has no channels.
 * @throws {RangeError} if an option is out of range.
 */
export function requestGroup<Remote = AnyMethods>(
  backplane: Backplane,
  name: string,
  options: GroupOptions = {},
): RequestGroup<Remote> {
  checkName(name);
  const caller: RequestGroup = new Caller(backplane, name, resolveGroupOptions(options));
  return caller as RequestGroup<Remote>;
}
