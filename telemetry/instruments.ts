/** The metrics of a server as OpenTelemetry's instruments, and the durations of requests. */

import type { Family } from "../metrics.ts";
import type { Meter, Observable, Observed } from "./api.ts";
import type { OnDuration } from "./spans.ts";

/** Upper bounds that the conventions advise for the durations of requests, in seconds. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** Records how long requests take, in seconds. */
export function durations(meter: Meter | undefined): OnDuration {
  if (meter === undefined) return () => {};
  const make = (side: string) =>
    meter.createHistogram(`rpc.${side}.duration`, {
      description: `How long requests took, as the ${side} sees it.`,
      unit: "s",
      advice: { explicitBucketBoundaries: BOUNDS },
    });
  const both = { server: make("server"), client: make("client") };
  return (side, time, attributes) => both[side].record(time / 1000, attributes);
}

/**
 * Gives counters and gauges to a meter, which asks for them from time to time. Histograms that were
 * counted elsewhere cannot be given. Returns a function that ends it.
 */
export function observe(meter: Meter, families: () => readonly Family[]): () => void {
  const observables = new Map<string, Observable>();
  for (const { name, type, help, unit } of families()) {
    if (type === "histogram") continue;
    const options = { description: help, ...(unit && { unit: unit === "bytes" ? "By" : "s" }) };
    const dotted = name.replace("_", ".");
    observables.set(
      name,
      type === "counter"
        ? meter.createObservableCounter(dotted, options)
        : meter.createObservableGauge(dotted, options),
    );
  }
  const tell = (result: Observed) => {
    for (const { name, samples = [] } of families()) {
      const observable = observables.get(name);
      if (observable === undefined) continue;
      for (const { value, labels = {} } of samples) result.observe(observable, value, labels);
    }
  };
  const all = [...observables.values()];
  meter.addBatchObservableCallback(tell, all);
  return () => meter.removeBatchObservableCallback(tell, all);
}
