/**
 * Writes `page.ts` from `page.html`, since a published module cannot import a text file:
 * `deno run -A chat/page/generate.ts`.
 *
 * @module
 */

const SOURCE = new URL("page.html", import.meta.url);
const TARGET = new URL("page.ts", import.meta.url);

/** The text of `page.ts` for a page. */
export async function pageModule(html: string): Promise<string> {
  const literal = html.replace(/[\\`]|\$(?=\{)/g, "\\$&");
  return `/**
 * The chat's window. Generated from page.html by generate.ts: change that one.
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

async function digest(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return btoa(String.fromCharCode(...new Uint8Array(bytes)));
}

if (import.meta.main) {
  await Deno.writeTextFile(TARGET, await pageModule(await Deno.readTextFile(SOURCE)));
}
