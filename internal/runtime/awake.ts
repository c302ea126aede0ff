/** When a page can do something again: after its network was away, or it was asleep. */

/** Calls back when the network is there again, or the page is shown or thawed. Returns how to stop. */
export function onAwake(call: () => void): () => void {
  const places: [unknown, string][] = [[globalThis, "online"], [globalThis, "pageshow"]];
  const { document } = globalThis as { document?: EventTarget & { visibilityState: string } };
  const shown = () => document!.visibilityState === "visible" && call();
  if (document !== undefined) places.push([document, "resume"]);
  const all = places.filter(([place]) => "addEventListener" in (place as object));
  for (const [place, event] of all) (place as EventTarget).addEventListener(event, call);
  document?.addEventListener("visibilitychange", shown);
  return () => {
    for (const [place, event] of all) (place as EventTarget).removeEventListener(event, call);
    document?.removeEventListener("visibilitychange", shown);
  };
}
