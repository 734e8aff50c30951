/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Interrupt vectors behind the 32 exceptions. Plain numbers: assembly includes this file too. */

#define VECTOR_TIMER      0x20
#define VECTOR_APIC_ERROR 0x21
#define VECTOR_SPURIOUS   0x2f /* its low four bits must be ones on old APICs (SDM vol. 3, 10.9) */
#define VECTOR_DEVICE     0x30 /* the first of those that Interrupt.bind gives out */
#define DEVICE_VECTORS    16
#define VECTOR_DOORBELL   0x40 /* plus the sender's core ID modulo DOORBELL_VECTORS */
#define DOORBELL_VECTORS  64
#define VECTORS           0x80
