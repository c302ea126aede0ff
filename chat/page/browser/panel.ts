/**
 * The panel of rooms and people where there is no place for it beside the log: it lies over it.
 *
 * @module
 */

import { $, main, side } from "./elements.ts";

/** Whether it is open. */
export function isPanelOpen(): boolean {
  return side.classList.contains("open");
}

/** Opens it; what is behind it cannot be used meanwhile. */
export function openPanel(): void {
  setPanel("open");
  (side.querySelector<HTMLElement>("[aria-current]") ?? $("new-room")).focus();
}

/** Closes it. */
export function closePanel(): void {
  setPanel("closed");
}

function setPanel(state: "open" | "closed"): void {
  const open = state === "open";
  side.classList.toggle("open", open);
  $("shade").hidden = !open;
  $("menu").setAttribute("aria-expanded", String(open));
  main.inert = open;
}
