/** What becomes of output that nobody reads, and of ends of streams. */

import "../programs/half_close_test.ts";
import "../programs/output_test.ts";
