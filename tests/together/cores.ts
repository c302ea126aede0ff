/** Servers with several threads. */

import "../chat/threads_test.ts";
import "../programs/workers_roads_test.ts";
import "../programs/workers_test.ts";
