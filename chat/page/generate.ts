/**
 * Writes `page.ts` from what is in `browser/`, since a published module cannot import text files, and
 * since who runs the server should need no build step: `deno run -A chat/page/generate.ts`.
 *
 * @module
 */

import { digest } from "./digest.ts";
import { scriptOf } from "./script.ts";

const SOURCES = new URL("browser/", import.meta.url);
const TARGET = new URL("page.ts", import.meta.url);

/** The page in one piece: its markup with its sheet and its script inside. */
export async function pageOf(sources: URL = SOURCES): Promise<string> {
  const [html, style, script] = await Promise.all([
    Deno.readTextFile(new URL("index.html", sources)),
    Deno.readTextFile(new URL("style.css", sources)),
    scriptOf(new URL("main.ts", sources)),
  ]);
  const withStyle = inlined(html, '<link rel="stylesheet" href="style.css">', "style", style);
  const source = '<script type="module" src="main.ts"></script>';
  return inlined(withStyle, source, "script", script, ' type="module"');
}

/** The text of `page.ts` for a page. */
export async function pageModule(html: string): Promise<string> {
  const literal = html.replace(/[\\`]|\$(?=\{)/g, "\\$&");
  return `/**
 * The chat's window. Generated from browser/ by generate.ts: change what is there.
 *
 * @module
 */

/** What the Content-Security-Policy lets run: the page's own script. */
export const SCRIPT_HASH = "${await hashOf(only(html, "script"))}";

/** What the Content-Security-Policy lets style: the page's own sheet. */
export const STYLE_HASH = "${await hashOf(only(html, "style"))}";

/** What tells this page from another version of it. */
export const PAGE_TAG = "${(await digest(html)).slice(0, 16)}";

/** The page. */
export const PAGE: string = \`${literal}\`;
`;
}

/** A page with a text inside it, in the place of the element that refers to it. */
function inlined(
  html: string,
  reference: string,
  tag: string,
  text: string,
  attributes = "",
): string {
  if (html.split(reference).length !== 2) {
    throw new TypeError(`Cannot put in the ${tag}: the page does not have ${reference} once`);
  }
  if (text.includes(`</${tag}`)) {
    throw new TypeError(`Cannot put in the ${tag}: it would end at its own </${tag}`);
  }
  return html.replace(reference, () => `<${tag}${attributes}>\n${text}    </${tag}>`);
}

/** The text of the one element of a kind. */
function only(html: string, tag: string): string {
  const found = [...html.matchAll(new RegExp(`<${tag}\\b[^>]*>(.*?)</${tag}>`, "gs"))];
  if (found.length !== 1) {
    throw new TypeError(`Cannot allow <${tag}>: there are ${found.length} of them, not one`);
  }
  return found[0][1];
}

async function hashOf(text: string): Promise<string> {
  return `sha256-${await digest(text)}`;
}

if (import.meta.main) await Deno.writeTextFile(TARGET, await pageModule(await pageOf()));
