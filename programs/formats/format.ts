/** What is known of how one program or protocol frames its messages. */

/** An entry of the table that `client.ts formats` and docs/formats.md show. */
export interface ProgramFormat {
  /** The name of the framing, in endpoints and in code. */
  readonly name: string;
  /** Which programs and protocols frame like this. */
  readonly programs: string;
  /**
   * A short frame in hexadecimal digits, with bars between its parts. It is the first frame of a stream
   * that the framing of `endpoint` receives.
   */
  readonly bytes: string;
  /** What the parts of the frame are. */
  readonly parts: string;
  /** What a message is, of the frame. */
  readonly message: string;
  /** Where such a program usually listens; files and pipes have the bare framing. */
  readonly endpoint: string;
  /** The byte order of the length. */
  readonly order: "big-endian" | "little-endian" | "either" | "decimal" | "none";
  /** What the length counts. */
  readonly counts: string;
  /** The limit of a message by default, in bytes. */
  readonly limit: number;
  /** What the real program does above its limit. */
  readonly above: string;
  /** The program and version that it was run against; undefined: it follows the specification. */
  readonly version?: string;
  /** What one would not expect. */
  readonly surprises: readonly string[];
}
