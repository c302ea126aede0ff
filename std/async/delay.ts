/** `@std/async/delay`, from the npm build of the same library. */
import { delay as delay_ } from "deno-std/async/delay.js";

export interface DelayOptions {
  signal?: AbortSignal;
  persistent?: boolean;
}

export const delay: (ms: number, options?: DelayOptions) => Promise<void> = delay_;
