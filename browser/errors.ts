/** The errors that a page can meet. */

export { RefusedError, RequestError, SessionLostError, SessionRefusedError } from "../errors.ts";
export * from "./plain_errors.ts";
