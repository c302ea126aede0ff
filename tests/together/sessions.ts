/** Sessions and requests. */

import "../request/request_test.ts";
import "../request/streams_test.ts";
import "../request/types_test.ts";
import "../request/wire_test.ts";
import "../session/blocks_test.ts";
import "../session/hostile_test.ts";
import "../session/machine_test.ts";
import "../session/server_test.ts";
import "../session/session_test.ts";
import "../session/wire_test.ts";
