/** What becomes of output that nobody reads, and of ends of streams. */

import "../programs/full_disk_test.ts";
import "../programs/half_close_test.ts";
import "../programs/output_test.ts";
import "../programs/writing_thread_test.ts";
