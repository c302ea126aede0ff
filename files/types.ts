/** What crosses the connection about files: docs/files.md. */

/** A file that a peer offers. */
export interface FileEntry {
  /** Its name in the directory. */
  name: string;
  /** Its size in bytes. */
  size: number;
  /** When it was changed, in milliseconds since 1970; null where that is not known. */
  modified: number | null;
}

/** What a file's bytes amount to. */
export interface FileDigest {
  /** SHA-256 of all bytes, as 64 hexadecimal digits. */
  sha256: string;
}

/** A file that someone wants to send. */
export interface FileOffer {
  /** What it is to be called. */
  name: string;
  /** Its size in bytes. */
  size: number;
  /**
   * The same in each attempt at one transfer, and known to nobody else: then a new attempt takes the
   * place of an old one that hangs.
   */
  owner?: string;
}

/** What there is already of a file that was offered. */
export interface FileOffered extends FileDigest {
  /** Bytes that are there; `sha256` is theirs. */
  offset: number;
  /** Whether they are a whole file of the offered name and size. */
  whole: boolean;
  /** The largest item, in bytes, that can be taken. */
  chunkBytes: number;
}

/** A file that is sent now. */
export interface FilePut extends FileOffer {
  /** Where the items begin: at what is there, or at 0 to start afresh. */
  offset: number;
}

/** A file that is asked for. */
export interface FileWanted {
  /** Which one. */
  name: string;
  /** Bytes that are there already. */
  offset: number;
  /** SHA-256 of those bytes; not needed for none. */
  sha256?: string;
  /** The largest item, in bytes, that can be taken. */
  chunkBytes: number;
}

/** The methods of an end that has files. Bytes are content; a digest follows the last of them. */
export interface FileMethods {
  /** The files, by name. */
  "files.list"(): AsyncIterable<FileEntry>;
  /** Asks what there is of a file. */
  "files.offer"(params: FileOffer): FileOffered;
  /** Sends a file, or the rest of it; answered when it is whole, verified and on the disk. */
  "files.put"(params: FilePut, items: AsyncIterable<Uint8Array | FileDigest>): FileDigest;
  /** Fetches a file, or the rest of it: what it is, its bytes, and their digest. */
  "files.get"(params: FileWanted): AsyncIterable<FileEntry | Uint8Array | FileDigest>;
}

/** The largest file that is taken by default, in bytes. */
export const MAX_FILE_BYTES: number = 16 * 1024 ** 3;

/** The data of the error that says that what is there already is not the file's beginning. */
export const BEFORE = "before";

/** Whether this is a count of bytes. */
export function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && value as number >= 0;
}

/** Whether this is an item or answer with a digest. */
export function isDigest(value: unknown): value is FileDigest {
  return typeof value === "object" && value !== null && "sha256" in value &&
    typeof value.sha256 === "string" && /^[0-9a-f]{64}$/.test(value.sha256);
}
