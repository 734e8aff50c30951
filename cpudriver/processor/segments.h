/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Descriptor tables and the stacks that they name. */

#include "cpudriver/abi/types.h"
#include "cpudriver/processor/registers.h"
#include "cpudriver/vectors.h"

/* SDM vol. 3, figure 7-11: the 64-bit task state segment. */
struct task_state {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7]; /* IST1..IST7 */
	uint64_t reserved2;
	uint16_t reserved3, io_map_base;
} __attribute__((packed));
_Static_assert(sizeof(struct task_state) == 104, "");

/* SDM vol. 3, figure 6-8: a 64-bit interrupt gate. */
struct gate {
	uint16_t offset_low, selector;
	uint8_t ist, attributes;
	uint16_t offset_middle;
	uint32_t offset_high, reserved;
};
_Static_assert(sizeof(struct gate) == 16, "");

/* Exceptions that may come at any instruction, or with a broken stack, have stacks of their own. */
enum { IST_NONE, IST_NMI, IST_DOUBLE_FAULT, IST_MACHINE_CHECK, IST_STACKS = 3 };
#define IST_STACK_BYTES 2048

struct segments {
	_Alignas(LINE_BYTES) uint64_t descriptor[SELECTOR_TASK / 8 + 2];
	_Alignas(LINE_BYTES) struct task_state task;
	_Alignas(LINE_BYTES) struct gate gate[VECTORS];
	_Alignas(LINE_BYTES) uint8_t stack[IST_STACKS][IST_STACK_BYTES];
};

/* Fills and loads the tables, and the MSRs of SYSCALL. */
void segments_start(void);
