/** The client's commands, and each road from client to server. */

import "../programs/client_help_test.ts";
import "../programs/client_test.ts";
import "../programs/command_test.ts";
import "../programs/files_program_test.ts";
import "../programs/request_test.ts";
import "../programs/roads_test.ts";
