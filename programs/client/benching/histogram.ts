/** Latencies, of any number in little memory, to three digits: a histogram of high dynamic range. */

/** The library for it. It is pure JavaScript when it is told to be, and needs no permission. */
const LIBRARY = "npm:hdr-histogram-js@3.0.1";
/** The longest latency that is kept as it is, in microseconds: an hour. */
const MAX = 3_600_000_000;

/** The part of the library that is used. */
interface Library {
  build(options: Record<string, unknown>): LibraryHistogram;
  encodeIntoCompressedBase64(histogram: LibraryHistogram): string;
}

interface LibraryHistogram {
  readonly totalCount: number;
  readonly mean: number;
  readonly maxValue: number;
  readonly minNonZeroValue: number;
  recordValue(value: number): void;
  getValueAtPercentile(percentile: number): number;
  add(other: LibraryHistogram): void;
  reset(): void;
}

/** Counts latencies. All values that go in and out are milliseconds. */
export class Histogram {
  readonly #library: Library;
  readonly #all: LibraryHistogram;
  /** Those since the last {@linkcode takeRecent}, which are not in `#all` yet. */
  readonly #recent: LibraryHistogram;

  private constructor(library: Library) {
    this.#library = library;
    const options = {
      lowestDiscernibleValue: 1,
      highestTrackableValue: MAX,
      numberOfSignificantValueDigits: 3,
      autoResize: false,
      bitBucketSize: 32,
      useWebAssembly: false,
    };
    this.#all = library.build({ ...options, bitBucketSize: 64 });
    this.#recent = library.build(options);
  }

  /**
   * Makes an empty one. The library is downloaded at the first call.
   *
   * @throws {Error} if it cannot be loaded.
   */
  static async load(): Promise<Histogram> {
    // The name is in a variable, so Deno downloads the library only when it is used.
    const library: string = LIBRARY;
    try {
      return new Histogram(await import(library) as Library);
    } catch (cause) {
      throw new Error(
        `Cannot load ${LIBRARY}, which counts the latencies: it must be downloaded once`,
        { cause },
      );
    }
  }

  /** How many there are. */
  get count(): number {
    return this.#all.totalCount + this.#recent.totalCount;
  }

  /** Adds one. */
  record(latency: number): void {
    const value = Math.round(latency * 1_000);
    this.#recent.recordValue(value < 0 ? 0 : value > MAX ? MAX : value);
  }

  /** What so many percent of those since the last call do not exceed, each in milliseconds. */
  takeRecent(percentiles: readonly number[]): number[] {
    const values = percentiles.map((one) => this.#recent.getValueAtPercentile(one) / 1_000);
    this.#all.add(this.#recent);
    this.#recent.reset();
    return values;
  }

  /** What so many percent of all do not exceed. */
  at(percentile: number): number {
    this.takeRecent([]);
    return this.#all.getValueAtPercentile(percentile) / 1_000;
  }

  /** The mean. */
  get mean(): number {
    this.takeRecent([]);
    return this.#all.mean / 1_000;
  }

  /** All of it in the form that the tools around HdrHistogram read, in microseconds. */
  encoded(): string {
    this.takeRecent([]);
    return this.#library.encodeIntoCompressedBase64(this.#all);
  }
}
