/** The tools of the client: what is done with streams of bytes besides talking and telling what they are. */

import "../programs/belt_peers_test.ts";
import "../programs/bench_test.ts";
import "../programs/bridge_test.ts";
import "../programs/broker_and_exec_test.ts";
import "../programs/connecting_test.ts";
import "../programs/listen_command_test.ts";
import "../programs/ping_tls_test.ts";
import "../programs/proxying_test.ts";
import "../programs/replay_test.ts";
import "../programs/shell_completion_test.ts";
import "../programs/wrong_words_test.ts";
