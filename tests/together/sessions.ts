/** Sessions, requests, groups of workers, and the backplane over NATS. */

import "../cluster/cluster_test.ts";
import "../cluster/stream_test.ts";
import "../group/group_test.ts";
import "../group/lost_test.ts";
import "../group/parts_test.ts";
import "../nats/parts_test.ts";
import "../request/notice_test.ts";
import "../request/request_test.ts";
import "../request/soak_test.ts";
import "../request/streams_test.ts";
import "../request/traced_test.ts";
import "../request/types_test.ts";
import "../request/wire_test.ts";
import "../session/blocks_test.ts";
import "../session/hostile_test.ts";
import "../session/machine_test.ts";
import "../session/server_test.ts";
import "../session/session_test.ts";
import "../session/soak_test.ts";
import "../session/wire_test.ts";
import "../telemetry/processes_test.ts";
