# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors

PROGRAMS += init console shell hello hostile captop chaos supervisor compress balancer matmul sort kv pipeline stream topology top
init_SRCS    := apps/init/main.c apps/init/plan.c
console_SRCS := apps/console/main.c apps/console/uart.c apps/console/lines.c
shell_SRCS   := apps/shell/main.c
supervisor_SRCS := apps/supervisor/main.c apps/supervisor/plan.c
captop_SRCS  := apps/captop/main.c apps/captop/picture.c apps/common/live.c
top_SRCS     := apps/top/main.c apps/top/table.c apps/common/live.c
hello_SRCS   := apps/hello/main.c
hostile_SRCS := apps/hostile/main.c apps/hostile/attacks.c apps/hostile/fuzz.c
chaos_SRCS   := apps/chaos/main.c apps/chaos/worker.c apps/common/options.c
compress_SRCS := apps/compress/main.c apps/compress/lz.c apps/common/options.c
balancer_SRCS := apps/balancer/main.c apps/balancer/policy.c
topology_SRCS := apps/topology/main.c

# Examples that use all cores.
TEAM := apps/common/options.c apps/common/team.c
matmul_SRCS   := apps/matmul/main.c $(TEAM)
sort_SRCS     := apps/sort/main.c $(TEAM)
kv_SRCS       := apps/kv/main.c apps/kv/client.c apps/kv/shard.c apps/kv/scale.c apps/kv/kv.capnp $(TEAM)
pipeline_SRCS := apps/pipeline/main.c apps/pipeline/stage.capnp $(TEAM)
stream_SRCS   := apps/stream/main.c $(TEAM)
