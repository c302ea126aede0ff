/** The client's talk mode. */

import "../programs/dialogue_test.ts";
import "../programs/farewell_test.ts";
import "../programs/joining_test.ts";
import "../programs/endpoints_test.ts";
import "../programs/talk_screen_test.ts";
import "../programs/talk_test.ts";
