/** Refused certificates and passwords, in a page: it is not told of them. */

/** No cause tells. */
export function credentialsWords(): undefined {}
