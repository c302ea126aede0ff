/** The tools of the client that tell what others speak. The longest group, so its name puts it first. */

import "../programs/capture/capture_test.ts";
import "../programs/doctor_test.ts";
import "../programs/dump_test.ts";
import "../programs/formats_test.ts";
import "../programs/forms_test.ts";
import "../programs/guess/command_test.ts";
import "../programs/guess/guess_test.ts";
