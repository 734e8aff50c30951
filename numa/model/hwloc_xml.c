/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "numa/hwloc_xml.h"
#include "numa/model/text.h"

enum {
	LEVELS = MACHINE_CACHES + 4,
	WORD_BITS = 32,
	APIC_BITS = 32,
	CORE_WORDS = MACHINE_CORES / WORD_BITS,
	NODE_WORDS = (MACHINE_NODES + WORD_BITS - 1) / WORD_BITS,
	INDENT_MOST = 40,
	CORE_LIST_BYTES = 4 * MACHINE_CORES,
	DISTANCES_IN_A_LINE = 16,
	KIND_LATENCY_FROM_SYSTEM = 5, /* hwloc's HWLOC_DISTANCES_KIND_FROM_OS and _MEANS_LATENCY */
};

/* A kind of object that cores with equal APIC IDs but for the lowest bits share. */
struct level {
	const char *type;
	const struct machine_cache *cache; /* or NULL */
	uint8_t shift;
	uint8_t within; /* its number is that of the bits below these, and above `shift` */
};

/* Cores order[first] to order[end - 1]. */
struct stretch {
	unsigned first, end;
};

struct writer {
	const struct machine *machine;
	const struct machine_annotation *annotation;
	unsigned annotations;
	machine_put_fn *put;
	void *context;
	bool silent; /* only find out where nodes go */
	unsigned indent;
	unsigned objects; /* so far: hwloc wants each to have a number */
	unsigned levels;
	struct level level[LEVELS];
	uint16_t order[MACHINE_CORES];       /* as they are in the tree */
	struct stretch span[MACHINE_NODES];  /* from the first of a node's cores to the last */
	struct stretch place[MACHINE_NODES]; /* of the object whose memory it is */
	bool placed[MACHINE_NODES];
};

/* ---- Text ---- */

static void say(struct writer *w, const char *text)
{
	if (!w->silent)
		w->put(w->context, text);
}

static void say_number(struct writer *w, const char *name, uint64_t number)
{
	char buffer[24];
	struct text text = text_begin(buffer, sizeof(buffer));

	text_decimal(&text, number);
	say(w, " ");
	say(w, name);
	say(w, "=\"");
	say(w, buffer);
	say(w, "\"");
}

static void say_indent(struct writer *w)
{
	for (unsigned i = 0; i < w->indent && i < INDENT_MOST; i++)
		say(w, " ");
}

/* The text of a program, which may hold anything. */
static void say_escaped(struct writer *w, const char *string)
{
	for (; *string != 0; string++) {
		char letter[2] = {*string >= ' ' && *string <= '~' ? *string : '?', 0};

		say(w, *letter == '&' ? "&amp;" : *letter == '<' ? "&lt;" : *letter == '>' ? "&gt;" : *letter == '"' ? "&quot;" : letter);
	}
}

/* hwloc's way to write a set: words of 32 bits, the highest first. */
static void say_set(struct writer *w, const char *name, const uint32_t *word, unsigned words)
{
	unsigned highest = words - 1;

	while (highest > 0 && word[highest] == 0)
		highest--;
	say(w, " ");
	say(w, name);
	say(w, "=\"");
	for (unsigned i = highest + 1; i-- > 0;) {
		char buffer[12];
		struct text text = text_begin(buffer, sizeof(buffer));

		text_string(&text, i == highest ? "0x" : ",0x");
		text_hex(&text, word[i], 8);
		say(w, buffer);
	}
	say(w, "\"");
}

/* ---- Sets ---- */

static void add(uint32_t *word, unsigned bit)
{
	word[bit / WORD_BITS] |= UINT32_C(1) << bit % WORD_BITS;
}

static bool overlap(struct stretch a, struct stretch b)
{
	return a.first < b.end && b.first < a.end;
}

/* Both forms of an object's sets. Nodes without cores are everybody's. */
static void say_sets(struct writer *w, const uint32_t *cores, struct stretch around)
{
	uint32_t nodes[NODE_WORDS] = {0};

	for (unsigned n = 0; n < w->machine->node_count; n++)
		if (overlap(w->place[n], around))
			add(nodes, n);
	say_set(w, "cpuset", cores, CORE_WORDS);
	say_set(w, "complete_cpuset", cores, CORE_WORDS);
	say_set(w, "nodeset", nodes, NODE_WORDS);
	say_set(w, "complete_nodeset", nodes, NODE_WORDS);
}

static void say_stretch(struct writer *w, struct stretch s)
{
	uint32_t cores[CORE_WORDS] = {0};

	for (unsigned i = s.first; i < s.end; i++)
		add(cores, w->order[i]);
	say_sets(w, cores, s);
}

/* ---- Objects ---- */

static void open_object(struct writer *w, const char *type)
{
	say_indent(w);
	say(w, "<object type=\"");
	say(w, type);
	say(w, "\"");
	say_number(w, "gp_index", ++w->objects);
	w->indent++;
}

static void close_object(struct writer *w)
{
	w->indent--;
	say_indent(w);
	say(w, "</object>\n");
}

static void say_info(struct writer *w, const char *name, const char *value)
{
	say_indent(w);
	say(w, "<info name=\"");
	say_escaped(w, name);
	say(w, "\" value=\"");
	say_escaped(w, value);
	say(w, "\"/>\n");
}

/* Attributes come before an object's children, boxes behind them. */
static void say_annotations(struct writer *w, enum machine_place at, unsigned index, bool boxes)
{
	for (unsigned i = 0; i < w->annotations; i++) {
		const struct machine_annotation *a = &w->annotation[i];

		if (a->at != at || a->index != index || (a->value == NULL) != boxes)
			continue;
		if (!boxes) {
			say_info(w, a->name, a->value);
			continue;
		}
		open_object(w, "Misc");
		say(w, " name=\"");
		say_escaped(w, a->name);
		say(w, "\"/>\n");
		w->indent--;
	}
}

/* As in "0-3,6". */
static void say_cores_of(struct writer *w, unsigned node)
{
	char buffer[CORE_LIST_BYTES];
	struct text text = text_begin(buffer, sizeof(buffer));

	for (unsigned c = 0, end; c < w->machine->core_count; c = end) {
		end = c + 1;
		if (w->machine->cores[c].node != node)
			continue;
		while (end < w->machine->core_count && w->machine->cores[end].node == node)
			end++;
		text_string(&text, text.length == 0 ? "" : ",");
		text_decimal(&text, c);
		if (end > c + 1) {
			text_string(&text, "-");
			text_decimal(&text, end - 1);
		}
	}
	say_info(w, "Cores", text.length == 0 ? "none" : buffer);
}

static void put_node(struct writer *w, unsigned node, struct stretch around)
{
	uint32_t cores[CORE_WORDS] = {0}, nodes[NODE_WORDS] = {0};

	w->place[node] = around;
	w->placed[node] = true;
	for (unsigned c = 0; c < w->machine->core_count; c++)
		if (w->machine->cores[c].node == node)
			add(cores, c);
	add(nodes, node);
	open_object(w, "NUMANode");
	say_number(w, "os_index", node);
	say_set(w, "cpuset", cores, CORE_WORDS);
	say_set(w, "complete_cpuset", cores, CORE_WORDS);
	say_set(w, "nodeset", nodes, NODE_WORDS);
	say_set(w, "complete_nodeset", nodes, NODE_WORDS);
	say_number(w, "local_memory", w->machine->nodes[node].memory_bytes);
	say(w, ">\n");
	say_cores_of(w, node);
	say_annotations(w, MACHINE_AT_NODE, node, false);
	say_annotations(w, MACHINE_AT_NODE, node, true);
	close_object(w);
}

static void put_core(struct writer *w, unsigned at)
{
	unsigned core = w->order[at];
	char buffer[24];
	struct text text = text_begin(buffer, sizeof(buffer));

	text_decimal(&text, w->machine->cores[core].apic);
	open_object(w, "PU");
	say_number(w, "os_index", core);
	say_stretch(w, (struct stretch){at, at + 1});
	say(w, ">\n");
	say_info(w, "APIC", buffer);
	say_annotations(w, MACHINE_AT_CORE, core, false);
	say_annotations(w, MACHINE_AT_CORE, core, true);
	close_object(w);
}

/* ---- The tree ---- */

static uint32_t apic_at(const struct writer *w, unsigned at)
{
	return w->machine->cores[w->order[at]].apic;
}

/* Where the part ends that begins there. */
static unsigned part_end(const struct writer *w, unsigned level, unsigned first, unsigned end)
{
	unsigned shift = level == w->levels ? 0 : w->level[level].shift, at = first + 1;

	while (at < end && apic_at(w, at) >> shift == apic_at(w, first) >> shift)
		at++;
	return at;
}

/* A part is a level's object; below the last level it is a single core, which can't have memory of its own. */
static bool fits_in_one(const struct writer *w, unsigned level, struct stretch part, struct stretch span)
{
	return level < w->levels && span.first >= part.first && span.end <= part.end;
}

static bool is_whole(const struct writer *w, unsigned node)
{
	return w->span[node].end - w->span[node].first == w->machine->nodes[node].core_count;
}

/* Whether the node's cores are neighbouring parts of s, beginning with `first`. */
static bool makes_group(const struct writer *w, unsigned level, unsigned node, unsigned first, struct stretch s)
{
	unsigned at = first;

	if (w->placed[node] || w->span[node].first != first || w->span[node].end > s.end || !is_whole(w, node))
		return false;
	while (at < w->span[node].end)
		at = part_end(w, level, at, s.end);
	return at == w->span[node].end;
}

/* Memory of the object that has been opened: of nodes that have all its cores, or of such as can't be placed deeper. The first object is
 * the machine, which gets nodes without cores. */
static void put_nodes(struct writer *w, struct stretch s, unsigned level)
{
	for (unsigned n = 0; n < w->machine->node_count; n++) {
		struct stretch span = w->span[n];
		bool deeper = false, coreless = w->machine->nodes[n].core_count == 0;

		if (w->placed[n] || (!coreless && (span.first < s.first || span.end > s.end)))
			continue;
		if (!coreless && (span.first != s.first || span.end != s.end || !is_whole(w, n))) {
			for (unsigned at = s.first, end; at < s.end && !deeper; at = end) {
				end = part_end(w, level, at, s.end);
				deeper = fits_in_one(w, level, (struct stretch){at, end}, span) || makes_group(w, level, n, at, s);
			}
		}
		if (!deeper)
			put_node(w, n, s);
	}
}

static void put_parts(struct writer *w, struct stretch s, unsigned level);

static void put_part(struct writer *w, struct stretch part, unsigned level)
{
	const struct level *l = &w->level[level];

	if (level == w->levels) {
		put_core(w, part.first);
		return;
	}
	open_object(w, l->type);
	if (l->cache == NULL)
		say_number(w, "os_index", (apic_at(w, part.first) & (uint32_t)((UINT64_C(1) << l->within) - 1)) >> l->shift);
	say_stretch(w, part);
	if (l->cache != NULL) {
		say_number(w, "cache_size", l->cache->bytes);
		say_number(w, "depth", l->cache->level);
		say_number(w, "cache_linesize", l->cache->line_bytes);
		say(w, l->cache->ways == 0 ? " cache_associativity=\"-1\"" : "");
		if (l->cache->ways != 0)
			say_number(w, "cache_associativity", l->cache->ways);
		say_number(w, "cache_type", l->cache->kind == MACHINE_CACHE_UNIFIED ? 0 : l->cache->kind);
	}
	say(w, ">\n");
	put_nodes(w, part, level + 1);
	put_parts(w, part, level + 1);
	close_object(w);
}

/* A node of several neighbours: a Group around them. */
static void put_group(struct writer *w, unsigned node, unsigned level)
{
	struct stretch s = w->span[node];

	open_object(w, "Group");
	say_stretch(w, s);
	say(w, ">\n");
	put_node(w, node, s);
	put_parts(w, s, level);
	close_object(w);
}

static void put_parts(struct writer *w, struct stretch s, unsigned level)
{
	for (unsigned at = s.first, end; at < s.end; at = end) {
		unsigned node = w->machine->cores[w->order[at]].node;

		end = part_end(w, level, at, s.end);
		if (!fits_in_one(w, level, (struct stretch){at, end}, w->span[node]) && makes_group(w, level, node, at, s)) {
			end = w->span[node].end;
			put_group(w, node, level);
		} else {
			put_part(w, (struct stretch){at, end}, level);
		}
	}
}

static void put_machine(struct writer *w)
{
	struct stretch all = {0, w->machine->core_count};
	uint32_t cores[CORE_WORDS] = {0}, nodes[NODE_WORDS] = {0};

	for (unsigned n = 0; n < w->machine->node_count; n++) {
		w->placed[n] = false;
		add(nodes, n);
	}
	for (unsigned c = 0; c < w->machine->core_count; c++)
		add(cores, c);
	w->objects = 0;
	open_object(w, "Machine");
	say_number(w, "os_index", 0);
	say_sets(w, cores, all);
	say_set(w, "allowed_cpuset", cores, CORE_WORDS);
	say_set(w, "allowed_nodeset", nodes, NODE_WORDS);
	say(w, ">\n");
	say_info(w, "Backend", "Atoll");
	say_annotations(w, MACHINE_AT_ALL, 0, false);
	put_nodes(w, all, 0);
	put_parts(w, all, 0);
	say_annotations(w, MACHINE_AT_ALL, 0, true);
	close_object(w);
}

/* ---- Distances ---- */

/* One element for a row, or a part of a long one; `length` is that of its text. */
static void put_numbers(struct writer *w, const char *element, const uint8_t *numbers, unsigned count)
{
	char buffer[DISTANCES_IN_A_LINE * 4 + 1], length[24];

	for (unsigned first = 0; first < count; first += DISTANCES_IN_A_LINE) {
		struct text text = text_begin(buffer, sizeof(buffer)), digits = text_begin(length, sizeof(length));

		for (unsigned i = first; i < count && i < first + DISTANCES_IN_A_LINE; i++) {
			text_decimal(&text, numbers[i]);
			text_string(&text, " ");
		}
		text_decimal(&digits, text.length);
		say_indent(w);
		say(w, "<"), say(w, element), say(w, " length=\""), say(w, length), say(w, "\">");
		say(w, buffer);
		say(w, "</"), say(w, element), say(w, ">\n");
	}
}

static void put_distances(struct writer *w)
{
	uint8_t index[MACHINE_NODES];

	for (unsigned n = 0; n < w->machine->node_count; n++)
		index[n] = (uint8_t)n;
	say_indent(w);
	say(w, "<distances2 type=\"NUMANode\"");
	say_number(w, "nbobjs", w->machine->node_count);
	say_number(w, "kind", KIND_LATENCY_FROM_SYSTEM);
	say(w, " name=\"NUMALatency\" indexing=\"os\">\n");
	w->indent++;
	put_numbers(w, "indexes", index, w->machine->node_count);
	for (unsigned n = 0; n < w->machine->node_count; n++)
		put_numbers(w, "u64values", w->machine->distances[n], w->machine->node_count);
	w->indent--;
	say_indent(w);
	say(w, "</distances2>\n");
}

/* ---- Preparation ---- */

/* The lowest number of a core in the part that a core is in. */
static unsigned lowest(const struct machine *m, unsigned core, unsigned shift)
{
	unsigned c = 0;

	while (m->cores[c].apic >> shift != m->cores[core].apic >> shift)
		c++;
	return c;
}

/* hwloc wants children in the order of their lowest PUs. That is the order of APIC IDs, but for the core that boots, which is core 0. */
static bool comes_before(const struct writer *w, unsigned a, unsigned b)
{
	for (unsigned l = 0; l < w->levels; l++) {
		unsigned first = lowest(w->machine, a, w->level[l].shift), second = lowest(w->machine, b, w->level[l].shift);

		if (first != second)
			return first < second;
	}
	return a < b;
}

static void sort_cores(struct writer *w)
{
	for (unsigned i = 0; i < w->machine->core_count; i++) {
		unsigned at = i;

		for (; at > 0 && comes_before(w, i, w->order[at - 1]); at--)
			w->order[at] = w->order[at - 1];
		w->order[at] = (uint16_t)i;
	}
	for (unsigned n = 0; n < w->machine->node_count; n++) {
		w->span[n] = (struct stretch){w->machine->core_count, 0};
		for (unsigned at = 0; at < w->machine->core_count; at++)
			if (w->machine->cores[w->order[at]].node == n)
				w->span[n] = (struct stretch){at < w->span[n].first ? at : w->span[n].first, at + 1};
	}
}

/* Behind those that are as large: callers come from the outside in. */
static void add_level(struct writer *w, const char *type, const struct machine_cache *cache, uint8_t shift, uint8_t within)
{
	unsigned at = w->levels++;

	for (; at > 0 && w->level[at - 1].shift < shift; at--)
		w->level[at] = w->level[at - 1];
	w->level[at] = (struct level){type, cache, shift, within};
}

static const char *cache_type(const struct machine_cache *cache)
{
	static const char *const unified[] = {"L1Cache", "L2Cache", "L3Cache", "L4Cache", "L5Cache"};
	static const char *const code[] = {"L1iCache", "L2iCache", "L3iCache"};

	if (cache->kind != MACHINE_CACHE_CODE)
		return cache->level >= 1 && cache->level <= sizeof(unified) / sizeof(unified[0]) ? unified[cache->level - 1] : NULL;
	return cache->level >= 1 && cache->level <= sizeof(code) / sizeof(code[0]) ? code[cache->level - 1] : NULL;
}

static void list_levels(struct writer *w)
{
	const struct machine *m = w->machine;

	if (!m->has_levels)
		return;
	add_level(w, "Package", NULL, m->package_shift, APIC_BITS);
	if (m->die_shift < m->package_shift)
		add_level(w, "Die", NULL, m->die_shift, m->package_shift);
	for (unsigned i = 0; i < m->cache_count; i++)
		if (cache_type(&m->caches[i]) != NULL && m->caches[i].shift <= m->package_shift)
			add_level(w, cache_type(&m->caches[i]), &m->caches[i], m->caches[i].shift, 0);
	add_level(w, "Core", NULL, m->core_shift, m->package_shift);
}

void machine_write_hwloc_xml(const struct machine *machine, const struct machine_annotation *annotations, unsigned count,
                             machine_put_fn *put, void *context)
{
	struct writer w = {.machine = machine, .annotation = annotations, .annotations = count, .put = put, .context = context};

	list_levels(&w);
	sort_cores(&w);
	/* What is memory of what is known only at the end, and written everywhere. */
	w.silent = true;
	put_machine(&w);
	w.silent = false;
	say(&w, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE topology SYSTEM \"hwloc2.dtd\">\n<topology version=\"2.0\">\n");
	w.indent = 1;
	put_machine(&w);
	if (machine->node_count > 1)
		put_distances(&w);
	say(&w, "</topology>\n");
}
