/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "numa/plan/json.h"

static void put_string(FILE *out, const char *string)
{
	fputc('"', out);
	for (const unsigned char *at = (const unsigned char *)string; *at != 0; at++) {
		if (*at == '"' || *at == '\\')
			fprintf(out, "\\%c", *at);
		else if (*at < ' ')
			fprintf(out, "\\u%04x", *at);
		else
			fputc(*at, out);
	}
	fputc('"', out);
}

static const char *comma(unsigned index)
{
	return index == 0 ? "" : ",";
}

static void put_nodes(FILE *out, const struct host *host, const struct plan *plan)
{
	fputs("\"nodes\":[", out);
	for (unsigned v = 0; v < plan->nodes; v++) {
		const struct plan_node *node = &plan->node[v];

		fprintf(out, "%s{\"host_node\":%u,\"first\":%u,\"cpus\":%u,\"memory_mib\":%llu}", comma(v), host->node[node->host_node].os,
		        node->first, node->cpus, (unsigned long long)node->memory_mib);
	}
	fputs("],\"distances\":[", out);
	for (unsigned a = 0; a < plan->nodes; a++) {
		fprintf(out, "%s[", comma(a));
		for (unsigned b = 0; b < plan->nodes; b++)
			fprintf(out, "%s%u", comma(b), plan->distance[a][b]);
		fputc(']', out);
	}
	fputs("],", out);
}

static void put_processors(FILE *out, const struct host *host, const struct plan *plan)
{
	fputs("\"processors\":[", out);
	for (unsigned i = 0; i < plan->cpus; i++) {
		const struct host_processor *p = &host->processor[plan->cpu[i].processor];

		fprintf(out, "%s{\"processor\":%u,\"core\":%u,\"package\":%u,\"node\":%u,\"kind\":%u}", comma(i), p->os, p->core,
		        p->package, plan->cpu[i].node, p->kind);
	}
	fputs("],\"spare\":[", out);
	for (unsigned i = 0; i < plan->spares; i++)
		fprintf(out, "%s%u", comma(i), host->processor[plan->spare[i]].os);
	fputs("],", out);
}

void plan_print(FILE *out, const struct host *host, const struct plan *plan)
{
	uint64_t memory_mib = 0;

	for (unsigned v = 0; v < plan->nodes; v++)
		memory_mib += plan->node[v].memory_mib;
	fputs("{\"host\":", out);
	put_string(out, host->name);
	fprintf(out, ",\"this_host\":%s,\"cpus\":%u,\"memory_mib\":%llu,", host->this_one ? "true" : "false", plan->cpus,
	        (unsigned long long)memory_mib);
	fprintf(out, "\"smp\":{\"sockets\":%u,\"dies\":%u,\"cores\":%u,\"threads\":%u},", plan->sockets, plan->dies, plan->cores,
	        plan->threads);
	put_nodes(out, host, plan);
	put_processors(out, host, plan);
	fputs("\"why\":[", out);
	for (unsigned i = 0; i < plan->sentences; i++) {
		fputs(comma(i), out);
		put_string(out, plan->sentence[i]);
	}
	fputs("]}\n", out);
}
