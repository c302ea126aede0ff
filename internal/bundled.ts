/**
 * Whether this module was bundled into a program.
 *
 * @module
 */

/**
 * Whether a bundler put all modules into one file. Nobody runs this module as a program, so that it is
 * the main one only where `import.meta.main` is that of the whole file, and tells nothing about the
 * module that asks. (`deno bundle` keeps the two apart by itself.)
 */
export const isBundled: boolean = import.meta.main;
