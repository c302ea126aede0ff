/** The load: one program, in a process of its own, for all servers and all measures over sockets. */

import { answer, say } from "../subjects/answer.mjs";
import { echo } from "./echo.ts";
import { publish, subscribe } from "./fan_out.ts";
import { hold, release } from "./hold.ts";
import { hop } from "./hop.ts";
import { receive, send } from "./one_way.ts";
import { roundTrip } from "./round_trip.ts";

answer({ send, receive, echo, subscribe, publish, hold, release, roundTrip, hop });
say({ ready: true });
