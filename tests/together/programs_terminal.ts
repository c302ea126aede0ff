/** The terminal, without a network. */

import "../programs/completion_test.ts";
import "../programs/terminal_test.ts";
import "../programs/wrap_test.ts";
