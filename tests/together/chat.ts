/** The chat and its page. */

import "../chat/chat_test.ts";
import "../chat/cluster_silence_test.ts";
import "../chat/codes_test.ts";
import "../chat/docs_test.ts";
import "../chat/flood_test.ts";
import "../chat/history_test.ts";
import "../chat/json_test.ts";
import "../chat/kill_test.ts";
import "../chat/names_test.ts";
import "../chat/newcomers_test.ts";
import "../chat/operator_test.ts";
import "../chat/page/link_test.ts";
import "../chat/page/losses_test.ts";
import "../chat/page/outbox_test.ts";
import "../chat/page/page_test.ts";
import "../chat/page/parts_test.ts";
import "../chat/page/script_test.ts";
import "../chat/page/servers_test.ts";
import "../chat/rooms_test.ts";
