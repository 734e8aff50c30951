/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What is measured of operations on an object that this core owns and `holders` other cores have a copy of:
 *
 *   cap.retype.remote   a frame is made of a block of memory
 *   cap.revoke.remote   all copies of a frame go
 *   cap.revoke.mapped   the same, while each holder has it mapped and used
 *   cap.delete.remote   this core's last copy of a frame goes, and the holders keep theirs
 *   cap.delete.holder   beside it, a holder's last copy goes; `holders` are those before that
 *   page.unmap          beside it, what it takes without capabilities: the holders are told to unmap the page, and say when they have
 *   cap.transfer.rtt    a frame moves to one other core and back
 *
 * Time is from the call to its return, in microseconds, or instructions of all cores; with each fact goes the number of messages between
 * monitors. */

#include "bench/capbench/worker.h"
#include "bench/common/sample.h"

struct measurement {
	const struct lens *lens;
	struct worker *worker; /* the holders are the first ones */
	unsigned holders, rounds;
};

/* Each prints a fact; false, after a sentence, if it could not be measured. */
bool measure_retype(const struct measurement *m);
bool measure_revoke(const struct measurement *m);
bool measure_revoke_mapped(const struct measurement *m);
bool measure_delete(const struct measurement *m);
bool measure_delete_holder(const struct measurement *m);
bool measure_unmap(const struct measurement *m);
bool measure_transfer(const struct measurement *m);
