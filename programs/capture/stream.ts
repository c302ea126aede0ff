/** What is told of a connection in a capture. */

/** One connection in a capture. */
export interface Stream {
  /** 1 for the first in the capture, and so on. */
  readonly number: number;
  /** Who opened it, as far as the capture tells: else who is seen first. */
  readonly client: string;
  /** The other end. */
  readonly server: string;
  /** When its first segment was captured, in milliseconds since 1970. */
  readonly time: number;
  /** Whether its opening is in the capture, so that the first bytes are the first ones of all. */
  readonly begins: boolean;
}

/** What happened on a connection. */
export interface StreamEvent {
  readonly stream: Stream;
  /** Whose direction this is about. */
  readonly from: "client" | "server";
  /** When the segment was captured that brought it, in milliseconds since 1970. */
  readonly time: number;
  /** The next bytes in this direction. */
  readonly bytes?: Uint8Array;
  /** So many bytes in this direction are not in the capture. */
  readonly missing?: number;
  /** The end of this direction: in order, or of both at once. */
  readonly end?: "closed" | "reset";
  /** Nothing more is told of this connection, in either direction. */
  readonly isLast?: true;
}
