/** Counts of how long things took. */

/** Upper bounds for times between one and another of a conversation, in milliseconds. */
export const SHORT_TIMES: readonly number[] = [
  ...[0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500],
  ...[1_000, 2_500, 5_000, 10_000],
];

/** Upper bounds for times that something lasts, up to a day, in milliseconds. */
export const LONG_TIMES: readonly number[] = [
  ...[10, 100, 1_000, 10_000, 60_000, 600_000, 3_600_000, 86_400_000],
];

/** How often something took how long: a histogram. */
export class Distribution {
  /** The upper bounds of the buckets, rising, in milliseconds. */
  readonly bounds: readonly number[];
  /** How many observations are in each bucket alone; the last one has no bound. */
  readonly counts: number[];
  /** The sum of all observations, in milliseconds. */
  sum = 0;

  /** An empty one. */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array(bounds.length + 1).fill(0);
  }

  /** Counts an observation, in milliseconds. */
  add(time: number): void {
    const { bounds } = this;
    let i = 0;
    while (i < bounds.length && time > bounds[i]) i++;
    this.counts[i]++;
    this.sum += time;
  }

  /** The counts as of now, which do not change any more. */
  snapshot(): { bounds: readonly number[]; counts: readonly number[]; sum: number } {
    return { bounds: this.bounds, counts: [...this.counts], sum: this.sum };
  }
}
