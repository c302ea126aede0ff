/** The server program, and what both programs may do. */

import "../programs/limits_test.ts";
import "../programs/passwords_test.ts";
import "../programs/permissions_test.ts";
import "../programs/secrets_test.ts";
import "../programs/server_test.ts";
