/** What a service of the server program is. */

import type { Cluster } from "../../cluster.ts";
import type { Connection } from "../../connection.ts";
import type { Format } from "../../format.ts";
import type { TokenRefusal } from "../../listen/listen.ts";

/** One of the server's services: a handler, and the format of its messages. */
export interface Service<T> {
  /** The format of its messages. */
  readonly format?: Format<T>;
  /** Serves one connection. */
  handle(connection: Connection<T>): Promise<void>;
  /** Whether web browsers are shown the chat's page on `ws:` endpoints. */
  readonly hasPage?: boolean;
  /** The message to a peer that did not give the token. By default an object in JSON. */
  refusalMessage?(refusal: TokenRefusal): string;
  /** The cluster of the server, for its sessions. */
  readonly cluster?: Cluster;
  /** The server listens here from now on. */
  listening?(endpoints: readonly string[]): void;
  /** Ends the service, when no connection is left. */
  close?(): void | Promise<void>;
}
