/**
 * Async socket messaging: whole messages over sockets, out with `send()` and in with `for await`.
 * Framing is by length prefix, so that Erlang, Netty, Twisted, tokio, C#, Java and telnet can talk to it.
 *
 * | module | what is in it |
 * | --- | --- |
 * | `./server` | `listen()` |
 * | `./client` | `connect()`, `reconnect()`, `backoff()` |
 * | `./connection` | `Connection`: its guarantees, options and limits |
 * | `./format` | what messages mean: `bytes()`, `text()`, `json()` |
 * | `./codec` | framings, for use without sockets and in browsers |
 * | `./session` | `Session`: a connection that outlives its sockets |
 * | `./request` | `requests()`: requests, notifications and streams over a connection |
 * | `./files` | files over a connection: verified, and gone on with after a cut |
 * | `./hub` | `Hub`: rooms of connections, for programs of your own |
 * | `./backplane` | how hubs in several processes act as one |
 * | `./chat` | `Chat`: rooms for any text clients |
 * | `./chat/sqlite_history` | what is said, kept in a file |
 * | `./transport` | endpoints, and what a transport promises |
 * | `./testing` | linked pairs without a network, and faults |
 * | `./errors` | every error |
 *
 * @example A server and a client
 * ```ts
 * import { connect, listen, text } from "@lengthwise/lengthwise";
 *
 * await using server = await listen("tcp://127.0.0.1:0", async (connection) => {
 *   for await (const message of connection) await connection.send(message);
 * });
 *
 * await using connection = await connect(server.endpoints[0], { format: text() });
 * await connection.send("hello");
 * console.log(await connection.receive()); // hello
 * ```
 *
 * @module
 */

export * from "./chat.ts";
export * from "./connect/connect.ts";
export * from "./codec.ts";
export * from "./connection.ts";
export * from "./errors.ts";
export * from "./format.ts";
export * from "./hub.ts";
export * from "./request.ts";
export * from "./listen/listen.ts";
export * from "./session.ts";
export * from "./transport.ts";
