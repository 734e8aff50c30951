/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#include "cpudriver/abi/elf.h"
#include "cpudriver/abi/capabilities.h"

#include <string.h>

/* System V gABI 4.1, figure 4-3: the file header. */
struct file_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
_Static_assert(sizeof(struct file_header) == 64, "as in the file");

/* Figure 5-1: a program header. */
struct program_header {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
_Static_assert(sizeof(struct program_header) == 56, "as in the file");

#define SECTION_HEADER_BYTES 64 /* figure 4-8 */

enum { IDENT_CLASS = 4, IDENT_DATA, IDENT_VERSION, IDENT_OSABI, IDENT_ABIVERSION };
enum { CLASS_64 = 2, DATA_LITTLE = 1, VERSION_CURRENT = 1, OSABI_SYSV = 0, OSABI_GNU = 3 };
enum { TYPE_EXEC = 2, MACHINE_X86_64 = 62 };
enum { PT_LOAD = 1, PT_INTERP = 3 };
enum { PF_X = 1, PF_W = 2, PF_R = 4 };

struct reader {
	const uint8_t *file;
	size_t bytes;
	uint64_t low, high;
	struct file_header header;
	struct elf_program *out;
	const char *why;
};

static bool refuse(struct reader *r, const char *why)
{
	r->why = why;
	return false;
}

/* Whether [offset, offset + bytes) lies in the file. */
static bool in_file(const struct reader *r, uint64_t offset, uint64_t bytes)
{
	return offset <= r->bytes && bytes <= r->bytes - offset;
}

static bool check_ident(struct reader *r)
{
	const uint8_t *ident = r->header.ident;

	if (memcmp(ident, "\177ELF", 4) != 0)
		return refuse(r, "e_ident does not begin with \\177ELF: this is no ELF file");
	if (ident[IDENT_CLASS] != CLASS_64)
		return refuse(r, "e_ident[EI_CLASS] is not ELFCLASS64");
	if (ident[IDENT_DATA] != DATA_LITTLE)
		return refuse(r, "e_ident[EI_DATA] is not little-endian");
	if (ident[IDENT_VERSION] != VERSION_CURRENT)
		return refuse(r, "e_ident[EI_VERSION] is not 1");
	if (ident[IDENT_OSABI] != OSABI_SYSV && ident[IDENT_OSABI] != OSABI_GNU)
		return refuse(r, "e_ident[EI_OSABI] is neither System V nor GNU");
	if (ident[IDENT_ABIVERSION] != 0)
		return refuse(r, "e_ident[EI_ABIVERSION] is not 0");
	return true;
}

static bool check_file_header(struct reader *r)
{
	const struct file_header *h = &r->header;

	if (h->type != TYPE_EXEC)
		return refuse(r, "e_type is not ET_EXEC: the program is not linked to fixed addresses");
	if (h->machine != MACHINE_X86_64)
		return refuse(r, "e_machine is not x86-64");
	if (h->version != VERSION_CURRENT)
		return refuse(r, "e_version is not 1");
	if (h->flags != 0)
		return refuse(r, "e_flags is not 0, and x86-64 defines none");
	if (h->ehsize != sizeof(struct file_header))
		return refuse(r, "e_ehsize is not 64");
	if (h->phnum == 0)
		return refuse(r, "e_phnum is 0: there is nothing to load");
	if (h->phentsize != sizeof(struct program_header))
		return refuse(r, "e_phentsize is not 56");
	if (h->phoff < sizeof(struct file_header) || !in_file(r, h->phoff, (uint64_t)h->phnum * sizeof(struct program_header)))
		return refuse(r, "e_phoff and e_phnum put the program headers outside the file");
	if (h->phoff % 8 != 0)
		return refuse(r, "e_phoff is not a multiple of 8");
	return true;
}

/* Nothing is read from the sections. But their headers stand at the end of most files, so this finds the ones that were cut off. */
static bool check_sections(struct reader *r)
{
	const struct file_header *h = &r->header;

	if (h->shnum == 0)
		return h->shoff == 0 || refuse(r, "e_shoff is not 0, but e_shnum is");
	if (h->shentsize != SECTION_HEADER_BYTES)
		return refuse(r, "e_shentsize is not 64");
	if (h->shoff < sizeof(struct file_header) || !in_file(r, h->shoff, (uint64_t)h->shnum * SECTION_HEADER_BYTES))
		return refuse(r, "e_shoff and e_shnum put the section headers outside the file: it may have been cut off");
	if (h->shstrndx >= h->shnum)
		return refuse(r, "e_shstrndx names no section");
	return true;
}

static bool check_segment(struct reader *r, const struct program_header *p)
{
	if (p->filesz > p->memsz)
		return refuse(r, "p_filesz of a segment is greater than its p_memsz");
	if (!in_file(r, p->offset, p->filesz))
		return refuse(r, "p_offset and p_filesz put a segment outside the file: it may have been cut off");
	if (p->vaddr < r->low || p->vaddr >= r->high || p->memsz > r->high - p->vaddr)
		return refuse(r, "p_vaddr and p_memsz put a segment outside the addresses that this program may have");
	if (p->align > 1 && ((p->align & (p->align - 1)) != 0 || (p->vaddr - p->offset) % p->align != 0))
		return refuse(r, "p_align of a segment is no power of 2, or its p_vaddr and p_offset disagree by it");
	if (p->flags & ~(uint32_t)(PF_R | PF_W | PF_X))
		return refuse(r, "p_flags of a segment has unknown bits");
	if (!(p->flags & PF_R))
		return refuse(r, "p_flags of a segment has no right to read");
	if ((p->flags & PF_W) && (p->flags & PF_X))
		return refuse(r, "p_flags of a segment has the rights to write and to execute together");
	return true;
}

/* Keeps the segments in ascending order. Rights are given by the page, so no two segments may touch the same one. */
static bool insert_segment(struct reader *r, const struct elf_segment *s)
{
	struct elf_program *out = r->out;

	if (out->segments == ELF_SEGMENTS_MAX)
		return refuse(r, "e_phnum: there are more than 8 segments to load");
	uint32_t at = out->segments;
	while (at > 0 && out->segment[at - 1].vaddr > s->vaddr)
		at--;
	if (at > 0 && page_up(out->segment[at - 1].vaddr + out->segment[at - 1].bytes) > page_down(s->vaddr))
		return refuse(r, "p_vaddr of a segment overlaps the pages of another segment");
	if (at < out->segments && page_up(s->vaddr + s->bytes) > page_down(out->segment[at].vaddr))
		return refuse(r, "p_vaddr of a segment overlaps the pages of another segment");

	for (uint32_t i = out->segments; i > at; i--)
		out->segment[i] = out->segment[i - 1];
	out->segment[at] = *s;
	out->segments++;
	return true;
}

static uint64_t rights_of(uint32_t flags)
{
	return (flags & PF_R ? RIGHT_READ : 0) | (flags & PF_W ? RIGHT_WRITE : 0) | (flags & PF_X ? RIGHT_EXECUTE : 0);
}

static bool read_program_header(struct reader *r, uint32_t index)
{
	struct program_header p;

	memcpy(&p, r->file + r->header.phoff + index * sizeof(p), sizeof(p));
	if (p.type == PT_INTERP)
		return refuse(r, "p_type is PT_INTERP: the program needs a dynamic linker");
	if (p.type != PT_LOAD || p.memsz == 0)
		return true;
	return check_segment(r, &p) && insert_segment(r, &(struct elf_segment){p.vaddr, p.offset, p.filesz, p.memsz, rights_of(p.flags)});
}

/* Which address the program headers have in memory, if any: programs are told, to find their thread-local storage. */
static uint64_t find_headers(const struct reader *r)
{
	uint64_t start = r->header.phoff, bytes = (uint64_t)r->header.phnum * sizeof(struct program_header);

	for (uint32_t i = 0; i < r->out->segments; i++) {
		const struct elf_segment *s = &r->out->segment[i];
		if (start >= s->offset && start - s->offset <= s->file_bytes && bytes <= s->file_bytes - (start - s->offset))
			return s->vaddr + (start - s->offset);
	}
	return 0;
}

static bool check_entry(struct reader *r)
{
	for (uint32_t i = 0; i < r->out->segments; i++) {
		const struct elf_segment *s = &r->out->segment[i];
		if ((s->rights & RIGHT_EXECUTE) && r->header.entry >= s->vaddr && r->header.entry - s->vaddr < s->bytes)
			return true;
	}
	return refuse(r, "e_entry lies in no executable segment");
}

static bool read_program(struct reader *r)
{
	if (r->bytes < sizeof(r->header))
		return refuse(r, "the file is shorter than an ELF header");
	memcpy(&r->header, r->file, sizeof(r->header));
	if (!check_ident(r) || !check_file_header(r) || !check_sections(r))
		return false;
	for (uint32_t i = 0; i < r->header.phnum; i++)
		if (!read_program_header(r, i))
			return false;
	if (r->out->segments == 0)
		return refuse(r, "p_type is PT_LOAD in no program header: there is nothing to load");
	return check_entry(r);
}

err_t elf_read(const void *file, size_t bytes, uint64_t low, uint64_t high, struct elf_program *out, const char **why)
{
	struct reader r = {.file = file, .bytes = bytes, .low = low, .high = high, .out = out};

	*out = (struct elf_program){0};
	if (!read_program(&r)) {
		*why = r.why;
		return ERR(FORMAT);
	}
	const struct elf_segment *last = &out->segment[out->segments - 1];
	out->entry = r.header.entry;
	out->phdr = find_headers(&r);
	out->phdr_count = r.header.phnum;
	out->low = page_down(out->segment[0].vaddr);
	out->high = page_up(last->vaddr + last->bytes);
	return OK;
}
