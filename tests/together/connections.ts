/** Connections, servers, clients and hubs. */

import "../connect/connect_test.ts";
import "../connection/audience_test.ts";
import "../connection/backpressure_test.ts";
import "../connection/close_test.ts";
import "../connection/closed_test.ts";
import "../connection/connection_test.ts";
import "../connection/outbox_test.ts";
import "../connection/standstill_test.ts";
import "../connection/start_tls_test.ts";
import "../connection/switch_test.ts";
import "../hub/hub_test.ts";
import "../listen/access_test.ts";
import "../listen/admission_test.ts";
import "../listen/limits_test.ts";
import "../listen/server_test.ts";
