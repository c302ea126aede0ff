/** What is done with the files of Unix sockets. */

/** What tells one file from another, whatever name it has. */
export interface FileIdentity {
  /** Its device. */
  readonly dev: number;
  /** Its number there. */
  readonly ino: number | null;
  /** Whether it is a socket; null where that cannot be known. */
  readonly isSocket: boolean | null;
}

/** Files of whatever runtime this is. All errors are those of `errors.ts`. */
export interface Disk {
  /** Whether the program may create a file or socket of that name, so that nobody is asked. */
  mayUse(path: string): boolean;
  /** What is at a path; undefined if nothing is. A link is itself, and not what it leads to. */
  identityOf(path: string): FileIdentity | undefined;
  /** Sets the permissions. */
  chmod(path: string, mode: number): Promise<void>;
  /** Gives a file a further name. Rejects if the name is taken. */
  link(from: string, to: string): Promise<void>;
  /** Gives a file another name. Replaces what has it. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file. */
  remove(path: string): void;
  /**
   * Takes the lock of a lock file, which is created if it is not there. Undefined if another process
   * has it. Whoever has it removes the file, and then releases the lock by the function that it gives.
   */
  tryLock(path: string): Promise<(() => void) | undefined>;
}

/** Whether two identities are those of the same file. */
export function isSame(
  a: Pick<FileIdentity, "dev" | "ino">,
  b: Pick<FileIdentity, "dev" | "ino">,
): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}
