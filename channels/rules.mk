# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors

CHANNEL_SRCS := channels/channel.c channels/park.c

LIBATOLL_SRCS += $(CHANNEL_SRCS)
