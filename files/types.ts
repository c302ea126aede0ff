/** What goes over the connection about files: docs/files.md. */

/** A file in a peer's directory. */
export interface FileEntry {
  /** Its name in the directory. */
  name: string;
  /** Its size in bytes. */
  size: number;
  /** When it was last changed, in milliseconds since 1970; null if that is not known. */
  modified: number | null;
}

/** The digest of a file. */
export interface FileDigest {
  /** SHA-256 of all bytes, as 64 hexadecimal digits. */
  sha256: string;
}

/** A file that one end wants to send. */
export interface FileOffer {
  /** The name that it will have. */
  name: string;
  /** Its size in bytes. */
  size: number;
  /**
   * A secret text that is the same in each attempt at one transfer. With it, a new attempt replaces
   * an old one that hangs.
   */
  owner?: string;
}

/** The part of an offered file that is there already. */
export interface FileOffered extends FileDigest {
  /** How many bytes are there; `sha256` is the digest of these bytes. */
  offset: number;
  /** Whether they are a whole file with the offered name and size. */
  whole: boolean;
  /** The largest item, in bytes, that can be taken. */
  chunkBytes: number;
}

/** A file that is being sent. */
export interface FilePut extends FileOffer {
  /**
   * The offset at which the items begin: after the bytes that are there, or 0 to start from the
   * beginning.
   */
  offset: number;
}

/** A file that one end asks for. */
export interface FileWanted {
  /** The name of the file. */
  name: string;
  /** How many bytes are there already. */
  offset: number;
  /** SHA-256 of these bytes; not needed if there are none. */
  sha256?: string;
  /** The largest item, in bytes, that can be taken. */
  chunkBytes: number;
}

/**
 * The methods of an end that has files. Items of bytes are the content. After the last of them
 * comes a digest.
 */
export interface FileMethods {
  /** The files, sorted by name. */
  "files.list"(): AsyncIterable<FileEntry>;
  /** Asks which part of a file is there already. */
  "files.offer"(params: FileOffer): FileOffered;
  /**
   * Sends a file, or the rest of it. The answer comes when the file is complete, verified and on
   * the disk.
   */
  "files.put"(params: FilePut, items: AsyncIterable<Uint8Array | FileDigest>): FileDigest;
  /** Fetches a file, or the rest of it: its entry, its bytes, and their digest. */
  "files.get"(params: FileWanted): AsyncIterable<FileEntry | Uint8Array | FileDigest>;
}

/** The largest file that is accepted by default, in bytes. */
export const MAX_FILE_BYTES: number = 16 * 1024 ** 3;

/**
 * The data of the error which says that the bytes that are there are not the beginning of the file.
 */
export const BEFORE = "before";

/** Whether this is a valid number of bytes. */
export function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && value as number >= 0;
}

/** Whether this is an item, or an answer, with a digest. */
export function isDigest(value: unknown): value is FileDigest {
  return typeof value === "object" && value !== null && "sha256" in value &&
    typeof value.sha256 === "string" && /^[0-9a-f]{64}$/.test(value.sha256);
}
