/** The tools of the client: what is done with streams of bytes besides talking. */

import "../programs/forms_test.ts";
