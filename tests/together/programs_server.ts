/** The server program, and what both programs may do. */

import "../programs/config_test.ts";
import "../programs/limits_test.ts";
import "../programs/log_test.ts";
import "../programs/monitor_test.ts";
import "../programs/page_servers_test.ts";
import "../programs/passwords_test.ts";
import "../programs/permissions_test.ts";
import "../programs/reuse_port_test.ts";
import "../programs/secrets_test.ts";
import "../programs/server_test.ts";
