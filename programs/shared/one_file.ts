/** Whether the program was put into one file. */

/**
 * Whether this program is one file: a binary that `deno compile` made, or a bundle, in which this module has
 * another name. `internal/bundled/` may not be asked: only the entry points may, since bundlers put apart
 * what these share with a part that is loaded later.
 */
export const isOneFile: boolean = Deno.build.standalone ||
  !import.meta.url.endsWith("/programs/shared/one_file.ts");
