/** The metrics of requests. */

import type { RequestTotals } from "../request.ts";
import type { Family } from "./family.ts";
import { inSeconds } from "./of_server.ts";

/** The metrics that the counts of requests are, with the methods that have been asked for as labels. */
export function familiesOfRequests(totals: RequestTotals): Family[] {
  const methods = [...totals.methods];
  return [
    {
      name: "lengthwise_requests",
      type: "counter",
      help: "Requests that were answered, by method and outcome.",
      samples: methods.flatMap(([method, { outcomes }]) =>
        Object.entries(outcomes).map(([outcome, value]) => ({ labels: { method, outcome }, value }))
      ),
    },
    {
      name: "lengthwise_request_duration_seconds",
      type: "histogram",
      help: "How long handlers took, until their answer was sent.",
      unit: "seconds",
      histograms: methods.map(([method, { times }]) => ({
        ...inSeconds(times),
        labels: { method },
      })),
    },
  ];
}
