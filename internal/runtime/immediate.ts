/** The end of a turn of the event loop: `setImmediate()`, or what stands for it in a page. */

/** What a later turn calls. */
type Call = () => void;

/** Two functions like those of `node:timers`. */
interface Immediates {
  setImmediate(call: Call): unknown;
  clearImmediate(handle: unknown): void;
}

const { setImmediate: set, clearImmediate: clear }: Immediates = globalThis.setImmediate ===
    undefined
  ? byMessages()
  : globalThis as unknown as Immediates;

/** Calls back at the end of this turn of the event loop. Returns what `clearImmediate()` takes. */
export function setImmediate(call: Call): unknown {
  return set(call);
}

/** Takes a call back, if it was not made yet. */
export function clearImmediate(handle: unknown): void {
  clear(handle);
}

/** A page's timers come after four milliseconds, or a second in the background; its messages do not. */
function byMessages(): Immediates {
  const calls = new Set<{ readonly call: Call }>();
  const { port1, port2 } = new MessageChannel();
  let isAsked = false;
  port1.onmessage = () => {
    isAsked = false;
    for (const handle of [...calls]) {
      if (!calls.delete(handle)) continue;
      try {
        handle.call();
      } catch (error) {
        reportError(error); // The others are called nevertheless.
      }
    }
  };
  return {
    setImmediate(call) {
      const handle = { call };
      calls.add(handle);
      if (!isAsked) port2.postMessage(undefined);
      isAsked = true;
      return handle;
    },
    clearImmediate: (handle) => calls.delete(handle as { call: Call }),
  };
}
