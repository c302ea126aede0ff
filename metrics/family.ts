/** What a metric is: a name, what it means, and its samples. */

/** A number under a set of labels. */
export interface Sample {
  /** The labels. Their values are from lists that do not grow. */
  readonly labels?: Readonly<Record<string, string>>;
  /** The number. */
  readonly value: number;
}

/** How often something took how long. */
export interface HistogramSample {
  /** The labels. */
  readonly labels?: Readonly<Record<string, string>>;
  /** The upper bounds of the buckets, rising. A last bucket without a bound follows. */
  readonly bounds: readonly number[];
  /** How many observations are in each bucket alone; one number more than there are bounds. */
  readonly counts: readonly number[];
  /** The sum of all observations. */
  readonly sum: number;
}

/** A metric with its samples, as of now. */
export interface Family {
  /** The name, in base units and with the unit at its end, without `_total`. */
  readonly name: string;
  /** What it means, in one sentence. */
  readonly help: string;
  /** A counter only rises until the program ends. */
  readonly type: "counter" | "gauge" | "histogram";
  /** The unit: the last word of the name. */
  readonly unit?: "seconds" | "bytes";
  /** The numbers of a counter or gauge; one for each combination of labels. */
  readonly samples?: readonly Sample[];
  /** The numbers of a histogram. */
  readonly histograms?: readonly HistogramSample[];
}
