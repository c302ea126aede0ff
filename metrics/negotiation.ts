/** Which format somebody wants who asks for metrics (RFC 9110, section 12.5.1). */

import type { Exposition } from "./exposition.ts";

/**
 * The format that an `Accept` field prefers. Where it prefers neither, it is Prometheus' text, which
 * people can read in a browser.
 */
export function preferred(accept: string | null): Exposition {
  const wanted = { prometheus: 0, openmetrics: 0 };
  for (const range of (accept ?? "").toLowerCase().split(",")) {
    const [type, ...parameters] = range.split(";").map((part) => part.trim());
    const { q = "1", version } = Object.fromEntries(parameters.map((one) => one.split("=")));
    const weight = Number(q);
    if (type === "application/openmetrics-text") {
      if (version === undefined || version === "1.0.0" || version === "0.0.1") {
        wanted.openmetrics = Math.max(wanted.openmetrics, weight);
      }
    } else if (type === "text/plain" || type === "text/*" || type === "*/*") {
      wanted.prometheus = Math.max(wanted.prometheus, weight);
    }
  }
  return wanted.openmetrics > wanted.prometheus ? "openmetrics" : "prometheus";
}
