/**
 * Whether this module was bundled into a program.
 *
 * @module
 */

/**
 * Whether a bundler put all modules into one file. Nobody runs this module as a program. So if its
 * `import.meta.main` is true, a bundler has merged the modules, and `import.meta.main` tells nothing
 * about a single module any more. (`deno bundle` keeps `import.meta.main` correct for each module.)
 */
export const isBundled: boolean = import.meta.main;
