/**
 * Writes metrics as text: in Prometheus' format (version 0.0.4), and in OpenMetrics (version 1.0.0).
 *
 * Not by prom-client, which is what most programs in JavaScript use: its histograms count only what
 * they observe themselves, a registry of it writes one of the two formats and not the one that is
 * asked for, and it brings four packages of 3 MB for what are two dozen lines here.
 */

import type { Family, HistogramSample, Sample } from "./family.ts";

/** The two formats. */
export type Exposition = "prometheus" | "openmetrics";

/** The media types of the formats. */
export const MEDIA_TYPES: Readonly<Record<Exposition, string>> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** The text of metrics in a format. */
export function exposition(families: Iterable<Family>, format: Exposition): string {
  const lines: string[] = [];
  for (const family of families) lines.push(...head(family, format), ...samplesOf(family));
  if (format === "openmetrics") lines.push("# EOF");
  return lines.join("\n") + "\n";
}

/** OpenMetrics describes the family, Prometheus the samples' name: only with counters they differ. */
function head({ name, type, help, unit }: Family, format: Exposition): string[] {
  const isOpen = format === "openmetrics";
  const described = type === "counter" && !isOpen ? `${name}_total` : name;
  const told = isOpen ? escaped(help) : help.replace(/[\\\n]/g, escape);
  const lines = [`# HELP ${described} ${told}`, `# TYPE ${described} ${type}`];
  if (isOpen && unit !== undefined) lines.push(`# UNIT ${described} ${unit}`);
  return lines;
}

function* samplesOf({ name, type, samples = [], histograms = [] }: Family): Iterable<string> {
  const suffix = type === "counter" ? "_total" : "";
  for (const sample of samples) yield line(name + suffix, sample);
  for (const histogram of histograms) yield* buckets(name, histogram);
}

/** Each bucket counts those below it too. */
function* buckets(
  name: string,
  { labels, bounds, counts, sum }: HistogramSample,
): Iterable<string> {
  let below = 0;
  for (const [i, count] of counts.entries()) {
    below += count;
    const le = i < bounds.length ? decimal(bounds[i]) : "+Inf";
    yield line(`${name}_bucket`, { labels: { ...labels, le }, value: below });
  }
  yield line(`${name}_sum`, { labels, value: sum });
  yield line(`${name}_count`, { labels, value: below });
}

function line(name: string, { labels = {}, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${number(value)}`;
}

function number(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  return Number.isFinite(value) ? String(value) : value < 0 ? "-Inf" : "+Inf";
}

/** A bound as OpenMetrics wants it: the same text in all expositions, with a point in it. */
function decimal(bound: number): string {
  return Number.isInteger(bound) ? bound.toFixed(1) : String(bound);
}

function escaped(text: string): string {
  return text.replace(/[\\\n"]/g, escape);
}

function escape(character: string): string {
  return character === "\n" ? "\\n" : `\\${character}`;
}
