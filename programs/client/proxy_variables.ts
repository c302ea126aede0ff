/** The environment's variables that name a proxy. */

import { type Endpoint, parseEndpoint } from "../../transport.ts";

/** The variables for each kind of endpoint. The first one that is set is used. */
export const PROXY_VARIABLES: Partial<Record<Endpoint["transport"], readonly string[]>> = {
  tcp: ["all_proxy", "ALL_PROXY"],
  tls: ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"],
  wss: ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"],
  // HTTP_PROXY is not used. Under CGI it comes from a header of the request, so a stranger could
  // choose it.
  ws: ["http_proxy", "all_proxy", "ALL_PROXY"],
};

/**
 * Whether one for this endpoint is set.
 *
 * @throws {TypeError} for what is no endpoint.
 */
export function namesProxy(
  endpoint: string,
  variable: (name: string) => string | undefined,
): boolean {
  const names = PROXY_VARIABLES[parseEndpoint(endpoint).transport] ?? [];
  return names.some((name) => variable(name) !== undefined);
}
