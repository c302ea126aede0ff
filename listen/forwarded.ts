/** The client's address, as proxies of HTTP tell it: `X-Forwarded-For`, and `Forwarded` (RFC 7239). */

import { addressText, isLoopback, isWildcard, parseAddress } from "../internal/address.ts";

/** The field that the proxies set, and that they do not take from clients. */
export type ForwardedField = "x-forwarded-for" | "forwarded";

/**
 * The address of the client. Each proxy adds whom it heard to the end of the list, so the list is read
 * from its end, as long as who says it is a named proxy. What clients have written there themselves
 * stands before, and is not read.
 */
export function clientOf(
  hostname: string,
  headers: Headers,
  field: ForwardedField,
  isProxy: (hostname: string) => boolean,
): string {
  const said = headers.get(field)?.split(",") ?? [];
  let client = hostname;
  while (said.length > 0 && isProxy(client)) {
    const next = addressIn(said.pop()!, field);
    if (next === undefined || isElsewhere(next, client)) break; // The proxy does not know.
    client = next;
  }
  return client;
}

/** An entry's address, with or without a port: `192.0.2.7`, `192.0.2.7:80`, `[2001:db8::7]:80`. */
function addressIn(entry: string, field: ForwardedField): string | undefined {
  const text = field === "forwarded"
    ? /(?:^|;)\s*for=(?:"([^"]*)"|([^";\s]*))\s*(?:;|$)/i.exec(entry)?.slice(1).join("") ?? ""
    : entry.trim();
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|(\d[\d.]*))(?::\d{1,5})?$/.exec(text) ?? [];
  const address = parseAddress(bracketed ?? plain ?? text);
  return address && addressText(address);
}

/** Whether an address means the machine of a proxy that is another machine. */
function isElsewhere(hostname: string, proxy: string): boolean {
  return isWildcard(hostname) || isLoopback(hostname) && !isLoopback(proxy);
}
