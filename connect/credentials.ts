/** Refusals of what one proves who one is with. */

import { ProxyError, TlsError } from "../errors.ts";

/** The words with which a certificate or a password was refused; undefined for other causes. */
export function credentialsWords(cause: unknown): string | undefined {
  if (!(cause instanceof TlsError || cause instanceof ProxyError)) return undefined;
  return /certificate|credentials|password|fingerprint/i.test(cause.message)
    ? cause.message
    : undefined;
}
