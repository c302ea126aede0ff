import { assert, assertEquals, assertRejects } from "@std/assert";
import { pageModule, pageOf } from "../../../chat/page/generate.ts";
import { PAGE, PAGE_TAG, SCRIPT_HASH, STYLE_HASH } from "../../../chat/page/page.ts";
import { pageWith, respond } from "../../../chat/page/respond.ts";

const ADDRESS = "http://127.0.0.1:8080/";

function read(file: string): Promise<string> {
  return Deno.readTextFile(new URL(`../../../chat/page/${file}`, import.meta.url));
}

async function sha256(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `sha256-${btoa(String.fromCharCode(...new Uint8Array(bytes)))}`;
}

/** What stands between the tags of an element. */
function inside(tag: string): string {
  const begin = PAGE.indexOf(">", PAGE.indexOf(`<${tag}`)) + 1;
  return PAGE.slice(begin, PAGE.indexOf(`</${tag}>`));
}

Deno.test("page.ts is what generate.ts makes of what is in browser/", async () => {
  const html = await pageOf();
  assertEquals(PAGE, html);
  assertEquals(await read("page.ts"), await pageModule(html));
});

Deno.test("page.ts has the hashes of the page's script and sheet", async () => {
  assertEquals(SCRIPT_HASH, await sha256(inside("script")));
  assertEquals(STYLE_HASH, await sha256(inside("style")));
});

Deno.test("pageModule() keeps what means something in a template literal", async () => {
  const html = "<style>a</style><script>`${b}` + '\\n' + $</script>";
  const module = await pageModule(html);
  const url = `data:text/javascript,${encodeURIComponent(module.replace("PAGE: string", "PAGE"))}`;
  assertEquals((await import(url)).PAGE, html);
});

Deno.test("pageModule() refuses a second script, which the policy would not let run", async () => {
  await assertRejects(
    () => pageModule("<style></style><script></script><script></script>"),
    TypeError,
    "Cannot allow <script>: there are 2 of them, not one",
  );
});

Deno.test("The page uses nothing from elsewhere", () => {
  const addresses = [...PAGE.matchAll(/\b(?:src|href|action|srcset)="([^"]*)"/g)]
    .map(([, address]) => address);
  assert(addresses.length > 0);
  for (const address of addresses) assert(/^(#|data:image\/svg)/.test(address), address);
  assertEquals([...inside("style").matchAll(/url\(|@import/g)], []);
  assertEquals([...inside("script").matchAll(/\bimport\b|\bfetch\(|XMLHttp|sendBeacon/g)], []);
  const absolute = PAGE.match(/(?:https?|wss?):\/\/[\w.]+/g) ?? [];
  // The last two are words of the library's errors.
  assertEquals([...new Set(absolute)], ["http://www.w3.org", "ws://HOST", "wss://HOST"]);
});

Deno.test("The page never makes markup or code of text", () => {
  const ways =
    /innerHTML|outerHTML|insertAdjacentHTML|setHTMLUnsafe|document\.write|createContextualFragment|DOMParser|srcdoc|\beval\b|new Function|set(?:Timeout|Interval)\(\s*["'`]/g;
  assertEquals(PAGE.match(ways), null);
  assertEquals(PAGE.match(/\s(?:on\w+|style)="/g), null);
});

Deno.test("respond() gives the page with a policy that lets run nothing else", async () => {
  const response = respond(new Request(ADDRESS));
  assertEquals(response.status, 200);
  assertEquals(await response.text(), PAGE);
  assertEquals(Object.fromEntries(response.headers), {
    "cache-control": "no-cache",
    "content-security-policy":
      `default-src 'none'; script-src '${SCRIPT_HASH}'; style-src '${STYLE_HASH}'; ` +
      "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; " +
      "frame-ancestors 'none'",
    "content-type": "text/html; charset=utf-8",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "etag": `"${PAGE_TAG}"`,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  });
});

Deno.test("pageWith() names the other servers in the page, and lets it connect to them alone", async () => {
  const servers = ["wss://b.example/", "ws://10.0.0.2:8080/chat", "ws://10.0.0.2:8080/it's&amp;"];
  const page = await pageWith({ servers });
  const response = respond(new Request(ADDRESS), "/", page);
  const meta = '<meta name="servers" content="';
  const content = `${servers[0]} ${servers[1]} ws://10.0.0.2:8080/it's&#38;amp;`;
  assertEquals(await response.text(), PAGE.replace(meta, meta + content));
  const plain = respond(new Request(ADDRESS)).headers;
  assertEquals(Object.fromEntries(response.headers), {
    ...Object.fromEntries(plain),
    "content-security-policy": plain.get("content-security-policy")!
      .replace("connect-src 'self'", "$& wss://b.example ws://10.0.0.2:8080"),
    "etag": page.headers.ETag,
  });
  assert(page.headers.ETag !== plain.get("etag"));
  assertEquals(page, await pageWith({ servers }));
  assertEquals((await pageWith({})).html, PAGE);
});

Deno.test("pageWith() tells the page whether its server has sessions", async () => {
  const said = (html: string) => /<meta name="sessions" content="(\w+)">/.exec(html)?.[1];
  const page = await pageWith({ hasSessions: true });
  assertEquals([said(PAGE), said(page.html)], ["no", "yes"]);
  const response = respond(new Request(ADDRESS), "/", page);
  const plain = respond(new Request(ADDRESS)).headers;
  assertEquals(Object.fromEntries(response.headers), {
    ...Object.fromEntries(plain),
    "etag": page.headers.ETag,
  });
  assert(page.headers.ETag !== plain.get("etag"));
  const both = await pageWith({ hasSessions: true, servers: ["wss://b.example/"] });
  assertEquals(said(both.html), "yes");
  assert(both.html.includes('<meta name="servers" content="wss://b.example/">'));
});

Deno.test("pageWith() makes no markup of what it names", async () => {
  const { html } = await pageWith({
    servers: ['ws://b/"><script>alert(1)</script>'],
  });
  const [[, content]] = [...html.matchAll(/<meta name="servers" content="([^"]*)">/g)];
  assertEquals(content, "ws://b/&#34;&#62;&#60;script&#62;alert(1)&#60;/script&#62;");
  assertEquals(html.split("<script").length, PAGE.split("<script").length);
});

Deno.test("respond() answers 304 to whoever has the page with these servers, and 200 to others", async () => {
  const page = await pageWith({ servers: ["wss://b.example/"] });
  const status = (tag: string) =>
    respond(new Request(ADDRESS, { headers: { "If-None-Match": tag } }), "/", page).status;
  assertEquals([status(page.headers.ETag), status(`"${PAGE_TAG}"`)], [304, 200]);
});

Deno.test("respond() answers HEAD as GET, so that a server can tell the page's length", async () => {
  const [get, head] = ["GET", "HEAD"].map((method) => respond(new Request(ADDRESS, { method })));
  assertEquals([head.status, [...head.headers]], [get.status, [...get.headers]]);
  assertEquals(await head.text(), await get.text());
});

Deno.test("respond() answers 304 to whoever has this page already", async () => {
  const request = (tag: string) => new Request(ADDRESS, { headers: { "If-None-Match": tag } });
  const response = respond(request(`"${PAGE_TAG}"`));
  assertEquals([response.status, await response.text()], [304, ""]);
  assertEquals(respond(request('"other"')).status, 200);
});

Deno.test("respond() answers 404 elsewhere, as plain text", async () => {
  for (const path of ["favicon.ico", "index.html", "%2e%2e/x", "<b>"]) {
    const response = respond(new Request(ADDRESS + path));
    assertEquals(response.status, 404);
    assertEquals(response.headers.get("Content-Type"), "text/plain; charset=utf-8");
    assertEquals(await response.text(), "There is no page at this address; try /\n");
  }
  assertEquals(respond(new Request(`${ADDRESS}?query`)).status, 200);
  assertEquals(respond(new Request(`${ADDRESS}chat`), "/chat").status, 200);
  assertEquals(respond(new Request(ADDRESS), "/chat").status, 404);
});

Deno.test("respond() answers 405 to what is not reading", () => {
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
    const response = respond(new Request(ADDRESS, { method }));
    assertEquals([response.status, response.headers.get("Allow")], [405, "GET, HEAD"]);
  }
});
