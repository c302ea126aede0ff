/** Asking a silent peer, in a page: a page has no Ping. Sessions ask by themselves. */

/** Nobody is asked. */
export function livenessOf(): undefined {}
