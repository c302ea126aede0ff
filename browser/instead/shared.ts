/** Messages for many connections, which a page does not have. */

/** None is made. */
export class Shared {}
