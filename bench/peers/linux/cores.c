/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The kernel is told to start with one core (maxcpus=1), because one that starts others waits for them in a loop without PAUSE, and an
 * emulator that counts instructions may let the others run only when one pauses or halts: the core that waits then has every slice of time
 * to itself, for ever. Here a thread pauses meanwhile, and takes turns with the loop. */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/peers/linux/party.h"
#include "bench/peers/linux/peers.h"
#include "channels/memory.h"

static bool pause_until_over(void *argument)
{
	const _Atomic bool *over = argument;

	while (!*over) {
		channel_pause();
		sched_yield();
	}
	return true;
}

/* False, with errno ENOENT, if the machine has no such core. */
static bool start_core(unsigned core)
{
	char path[64];
	int file;
	bool ok;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online", core);
	file = open(path, O_WRONLY);
	if (file < 0)
		return false;
	ok = write(file, "1", 1) == 1;
	close(file);
	return ok;
}

bool cores_start(unsigned *count)
{
	static _Atomic bool over;
	struct party pauser;
	bool ok;

	if ((mkdir("/sys", S_IRWXU) != 0 && errno != EEXIST) || mount("sysfs", "/sys", "sysfs", 0, NULL) != 0)
		return failed_call("cores", "/sys");
	if (!party_start(&pauser, PARTY_THREAD, 0, pause_until_over, &over))
		return failed_call("cores", "a thread");
	*count = 1;
	while (start_core(*count))
		++*count;
	ok = errno == ENOENT;
	over = true;
	if (!ok)
		failed_call("cores", "online");
	return party_join(&pauser) && ok;
}
