/** The tools of the client: what is done with streams of bytes besides talking. */

import "../programs/belt_peers_test.ts";
import "../programs/bridge_test.ts";
import "../programs/broker_and_exec_test.ts";
import "../programs/capture/capture_test.ts";
import "../programs/connecting_test.ts";
import "../programs/formats_test.ts";
import "../programs/forms_test.ts";
import "../programs/guess/command_test.ts";
import "../programs/guess/guess_test.ts";
import "../programs/listen_command_test.ts";
import "../programs/proxying_test.ts";
import "../programs/replay_test.ts";
