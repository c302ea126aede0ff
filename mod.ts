/**
 * Async socket messaging: whole messages over sockets, with `for await`.
 *
 * @module
 */
export * from "./chat.ts";
export * from "./client.ts";
export * from "./codec.ts";
export * from "./connection.ts";
export * from "./errors.ts";
export * from "./format.ts";
export * from "./server.ts";
