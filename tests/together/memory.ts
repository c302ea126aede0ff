/** What decoders hold in memory: the only tests of their worker, so that nobody else's garbage counts. */

import "../codec/memory_test.ts";
import "../codec/scanned_test.ts";
