/**
 * The client for web pages and workers, for scripts that are bundled: `connect()` over the browser's own
 * WebSocket, with formats, sessions, requests and streams. It is what a server hands out as
 * `/lengthwise.js` (see `./browser`), as a module with types. In a page it is a third of what the same
 * names of `@lengthwise/lengthwise` are.
 *
 * The types are those of the library. What no page can do fails with an error that names it: `framing`,
 * `tls`, `proxy`, `startTls()`, `switchFraming()`, other transports. The classes are not those of
 * `@lengthwise/lengthwise`: `instanceof` tells them apart, so a script imports from one of the two.
 *
 * @module
 */

export * from "./plain_page.js";
export { type Handlers, type RequestOptions, type RequestPeer, requests } from "../request.ts";
export { Session, type SessionOptions } from "../session.ts";
export { RefusedError, RequestError, SessionLostError, SessionRefusedError } from "../errors.ts";
