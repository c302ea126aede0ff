/** What an endpoint's transport can be asked for. */

import { type Framing, framing as framingByText, type FramingText } from "../codec.ts";
import { parseAddress } from "../internal/address.ts";
import { type Endpoint, framingOf, hasFraming, isProxied } from "../transport.ts";
import { parseProxy } from "../transport/internal.ts";

/** The options that not every transport has. */
export interface RoadOptions {
  readonly framing?: FramingText | Framing;
  readonly proxy?: string;
  readonly source?: string;
}

/**
 * Checks an endpoint together with what is asked of its transport. Returns the framing.
 *
 * @throws {TypeError} for what its transport cannot do.
 */
export function checkRoad(
  endpoint: string,
  wanted: Endpoint,
  options: RoadOptions,
): FramingText | Framing | undefined {
  if ("port" in wanted && wanted.port === 0) {
    throw new TypeError(`Cannot connect to "${endpoint}": port 0 is only for listening`);
  }
  if (isProxied(wanted)) {
    throw new TypeError(
      `Cannot connect to ${endpoint}: proxy=1 is for listening; connect to the proxy`,
    );
  }
  if (options.proxy !== undefined) checkProxy(endpoint, wanted, options.proxy);
  if (options.source !== undefined) checkSource(endpoint, wanted, options.source);
  return framingFor(endpoint, wanted, options.framing);
}

/** The framing that an endpoint names, or that is given. */
function framingFor(
  endpoint: string,
  wanted: Endpoint,
  given: FramingText | Framing | undefined,
): FramingText | Framing | undefined {
  const named = framingOf(wanted);
  const framing = given ?? named;
  const name = typeof framing === "string" ? framingByText(framing).name : framing?.name;
  if (framing !== undefined && !hasFraming(wanted)) {
    throw new TypeError(
      `Cannot use framing ${name} together with "${endpoint}": it carries whole messages by itself`,
    );
  }
  if (named !== undefined && name !== named) {
    throw new TypeError(
      `Cannot use framing ${name} together with "${endpoint}": the endpoint names another one`,
    );
  }
  return framing;
}

function checkProxy(endpoint: string, { transport }: Endpoint, proxy: string): void {
  const { name } = parseProxy(proxy);
  if (!["tcp", "tls", "ws", "wss"].includes(transport)) {
    throw new TypeError(
      `Cannot use proxy ${name} together with "${endpoint}": proxies are for TCP and what stands on it`,
    );
  }
}

function checkSource(endpoint: string, wanted: Endpoint, source: string): void {
  if (!("hostname" in wanted)) {
    throw new TypeError(
      `Cannot use source ${source} together with "${endpoint}": it has no addresses`,
    );
  }
  if (parseAddress(source) === undefined) {
    throw new TypeError(
      `Cannot use source "${source}": it must be an address of this machine, such as 192.0.2.7 or ::1`,
    );
  }
}
