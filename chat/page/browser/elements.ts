/**
 * The page's elements. Everything that people or the server say is put into them as text, never as
 * markup.
 *
 * @module
 */

/** The element of this id; the page has it. */
export function $<E extends HTMLElement = HTMLElement>(id: string): E {
  const element = document.getElementById(id);
  if (element === null) throw new TypeError(`Cannot find #${id} in the page`);
  return element as E;
}

/** Where one writes. */
export const line: HTMLInputElement = $("line");
/** What scrolls. */
export const scroller: HTMLElement = $("scroller");
/** The log: what was said. */
export const entries: HTMLElement = $("entries");
/** Rooms and people. */
export const side: HTMLElement = $("side");
/** The log and the line, without the panel beside them. */
export const main: HTMLElement = document.querySelector("main")!;

/** A new element. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}
