/**
 * Async socket messaging: whole messages over sockets. `send()` sends them and `for await` receives
 * them. Messages have a length prefix by default, so Erlang, Netty, Twisted, tokio, C# and Java
 * understand them. With lines, telnet does too.
 *
 * This module has the names that a first program needs. Each module below has all names of its
 * subject, such as the types of what a method returns.
 *
 * | module | what is in it |
 * | --- | --- |
 * | `./server` | `listen()`: servers, their options and counts |
 * | `./client` | `connect()`, `reconnect()`, `backoff()` |
 * | `./connection` | `Connection`: its guarantees, options and limits; `Shared`, a message for many |
 * | `./format` | what messages mean: `bytes()`, `text()`, `json()` |
 * | `./codec` | framings, also for use without sockets and in browsers; framings of other systems by name |
 * | `./session` | `Session`: a connection that outlives its sockets |
 * | `./request` | `requests()`: requests, notifications and streams over a connection |
 * | `./files` | files over a connection: verified, and continued after a broken connection |
 * | `./hub` | `Hub`: rooms of connections, for your own programs, and who is there |
 * | `./peers` | `PeerHub`: rooms of request peers, and notifications for all in a room |
 * | `./backplane` | how hubs in several processes act as one |
 * | `./nats` | `nats()`: the backplane over the broker NATS |
 * | `./cluster` | `joinCluster()`: servers that act as one for sessions |
 * | `./chat` | `Chat`: a chat that any text client can join |
 * | `./chat/sqlite_history` | a chat's messages, kept in a file |
 * | `./transport` | endpoints, and what a transport promises |
 * | `./browser` | the client for web pages, as one script that a server hands out |
 * | `./page`, `./page/plain` | the client for web pages, for scripts that are bundled |
 * | `./metrics` | the counts of a server as Prometheus wants them |
 * | `./telemetry` | traces of connections and requests, for OpenTelemetry |
 * | `./testing` | linked pairs of transports without a network, and faults, for tests |
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

export {
  backoff,
  connect,
  type ConnectOptions,
  reconnect,
  type ReconnectOptions,
  type RetryPolicy,
} from "./connect/connect.ts";
export { type Handler, listen, type ListenOptions, type Server } from "./listen/listen.ts";

export { type CloseInfo, Connection, type ConnectionOptions } from "./connection.ts";
export { Session, type SessionOptions } from "./session.ts";
export { Hub, type HubOptions } from "./hub.ts";
export { PeerHub, type PeerHubOptions } from "./peers.ts";
export { type Handlers, type RequestOptions, type RequestPeer, requests } from "./request.ts";

export { bytes, type Format, json, type StandardSchema, text } from "./format.ts";
export {
  type Framing,
  framing,
  FRAMING_NAMES,
  type FramingKind,
  type FramingName,
  type FramingText,
  lengthPrefix,
  line,
  none,
  varint,
} from "./codec.ts";

export {
  ConnectError,
  ConnectionClosedError,
  ConnectionLostError,
  FrameTimeoutError,
  FramingTextError,
  InvalidLengthError,
  InvalidMessageError,
  LengthwiseError,
  ListenError,
  MessageTooLargeError,
  ProtocolError,
  RefusedError,
  RequestError,
  SessionLostError,
  SessionRefusedError,
  SlowConsumerError,
  TruncatedMessageError,
} from "./errors.ts";
