/**
 * Whether `server.ts` was bundled into a program.
 *
 * @module
 */

/**
 * Whether a bundler put `server.ts` into one file with other modules. Nobody runs this module as a
 * program. So if its `import.meta.main` is true, a bundler has merged the modules, and
 * `import.meta.main` tells nothing about a single module any more. (`deno bundle` keeps
 * `import.meta.main` correct for each module.)
 *
 * Only `server.ts` imports this module: so a bundler that makes several files leaves both together.
 */
export const isBundled: boolean = import.meta.main;
