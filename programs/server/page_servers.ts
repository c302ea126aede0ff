/** `--page-servers`: where the chat's page goes on when its own server is gone. */

import { withoutPassword } from "../../internal/address.ts";
import { parseEndpoint } from "../../transport.ts";
import { type ParsedOptions, UsageError } from "../shared/options.ts";

/** A page's policy names each of them, in one field of the answer. */
const MAX_SERVERS = 64;

/**
 * The other servers as URLs, each once. None without the option.
 *
 * @throws {UsageError} for one that no page could use, and where there is no page.
 */
export function pageServers(
  endpoints: readonly string[],
  options: ParsedOptions,
): readonly string[] {
  const named = options.list("page-servers");
  if (named === undefined) return [];
  const parsed = endpoints.map(parseEndpoint);
  const pages = parsed.filter(({ transport }) => transport === "ws" || transport === "wss");
  if (pages.length === 0) {
    throw new UsageError("--page-servers is for the chat's page, which ws:// and wss:// have");
  }
  const isSecure = pages.every(({ transport }) => transport === "wss");
  const servers = new Set(named.map((text) => serverOf(text, isSecure)));
  if (servers.size > MAX_SERVERS) {
    throw new UsageError(`--page-servers names ${servers.size} servers: limit is ${MAX_SERVERS}`);
  }
  return [...servers];
}

function serverOf(text: string, isSecure: boolean): string {
  const url = /^wss?:\/\/[^@?#]+$/i.test(text) ? URL.parse(text) : null;
  const shown = `--page-servers ${withoutPassword(text)}`;
  if (url === null || url.port === "0") {
    throw new UsageError(
      `${shown}: write a server as ws://HOST:PORT/PATH or wss://…, as pages reach it`,
    );
  }
  // What else a URL may have would have another meaning in the policy, or none.
  if (!/^[a-z\d_-]+(\.[a-z\d_-]+)*$/.test(url.hostname)) {
    throw new UsageError(`${shown}: a page can be let to names and IPv4 addresses only`);
  }
  if (isSecure && url.protocol === "ws:") {
    throw new UsageError(`${shown}: pages of wss:// may not connect to ws://`);
  }
  return url.href;
}
