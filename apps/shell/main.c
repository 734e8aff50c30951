/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* A small shell for the serial console. Each command is a function in the table below; `help` prints the table. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/capability.h>
#include <atoll/domain.h>
#include <atoll/revocation.h>

#define WORDS_MAX    32
#define DOMAINS_MAX  64
#define SERVICES_MAX 256
#define RECLAIM_MS   1000

struct command {
	const char *name, *arguments, *summary;
	void (*run)(int words, char **word);
};

static const char *const state_names[] = {
    [DISPATCHER_NEW] = "new",         [DISPATCHER_RUNNABLE] = "runnable",
    [DISPATCHER_WAITING] = "waiting", [DISPATCHER_WAITING_CALL] = "serving",
    [DISPATCHER_CALLING] = "calling", [DISPATCHER_WAITING_REPLY] = "calling",
    [DISPATCHER_STOPPED] = "stopped",
};

/* Reads a whole number; false, with a sentence, if the text is none. */
static bool read_number(const char *text, uint64_t *out)
{
	char *end;

	*out = strtoull(text, &end, 0);
	if (*text >= '0' && *text <= '9' && *end == 0)
		return true;
	printf("%s is not a number\n", text);
	return false;
}

static bool list_cores(struct core_info *cores, unsigned *count)
{
	err_t e = core_list(cores, MACHINE_CORES, count);

	if (is_err(e))
		printf("the cores can't be listed: %s\n", err_sentence(e));
	return is_ok(e);
}

static void command_cores(int words, char **word)
{
	static struct core_info cores[MACHINE_CORES];
	unsigned count;

	(void)words, (void)word;
	if (!list_cores(cores, &count))
		return;
	printf("core   APIC  node  state  up after\n");
	for (unsigned i = 0; i < count; i++)
		printf("%4u  %5u  %4u  %-5s  %6llu us\n", cores[i].core, cores[i].apic, cores[i].node, cores[i].alive ? "up" : "out",
		       (unsigned long long)cores[i].boot_us);
}

static void print_domains(unsigned core)
{
	static struct domain_info domains[DOMAINS_MAX];
	unsigned count;
	err_t e = domain_list(core, domains, DOMAINS_MAX, &count);

	if (is_err(e)) {
		printf("the domains of core %u can't be listed: %s\n", core, err_sentence(e));
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		const struct domain_info *d = &domains[i];
		const char *state = d->state < sizeof(state_names) / sizeof(state_names[0]) ? state_names[d->state] : "?";

		printf("%8u  %4u  %-8s  %6llu KiB  %9llu ms  %.24s\n", d->domain, d->core, state, (unsigned long long)(d->ram_bytes / KIB),
		       (unsigned long long)(d->tsc_run / (time_tsc_hz() / 1000 + 1)), d->name);
	}
}

static void command_ps(int words, char **word)
{
	static struct core_info cores[MACHINE_CORES];
	unsigned count;

	(void)words, (void)word;
	if (!list_cores(cores, &count))
		return;
	printf("  domain  core  state         memory        time  program\n");
	for (unsigned i = 0; i < count; i++)
		if (cores[i].alive)
			print_domains(cores[i].core);
}

/* The shell's own capability space, slot by slot. */
static void command_caps(int words, char **word)
{
	unsigned count = 0;

	(void)words, (void)word;
	printf(" slot  type         rights  base                size\n");
	for (unsigned root = ROOT_TASK; root < CNODE_SLOTS; root++) {
		for (unsigned slot = 0; slot < CNODE_SLOTS; slot++) {
			struct cap_identity c;
			err_t e = cap_identify(CAP(root, slot), &c);

			if (err_is(e, ERR_NUMBER_CAP_ADDRESS))
				break;
			if (is_err(e))
				continue;
			count++;
			printf("%02x:%02x  %-11s  %c%c%c%c    0x%016llx  0x%llx\n", root, slot, cap_type_name(c.type),
			       c.rights & RIGHT_READ ? 'r' : '-', c.rights & RIGHT_WRITE ? 'w' : '-', c.rights & RIGHT_EXECUTE ? 'x' : '-',
			       c.rights & RIGHT_CONTROL ? 'c' : '-', (unsigned long long)c.base, (unsigned long long)c.size);
		}
	}
	printf("%u capabilities\n", count);
}

/* run PROGRAM [core] [arguments]: a word that is a number right behind the program is the core. */
static void command_run(int words, char **word)
{
	uint64_t core = CORE_HERE;
	uint32_t domain;
	int64_t status = 0;
	enum end_cause cause = END_EXIT;
	err_t e;

	if (words > 2 && word[2][0] >= '0' && word[2][0] <= '9') {
		if (!read_number(word[2], &core))
			return;
		word[2] = word[1];
		word++;
	}
	e = domain_spawn((const char *const *)&word[1], NULL, core, 0, &domain);
	if (is_err(e)) {
		printf("%s can't be started: %s\n", word[1], err_sentence(e));
		return;
	}
	e = domain_wait(domain, &status, &cause);
	if (is_err(e))
		printf("lost sight of domain %u: %s\n", domain, err_sentence(e));
	else if (cause != END_EXIT || status != 0)
		printf("domain %u ended, cause %u, status %lld\n", domain, cause, (long long)status);
}

static void command_services(int words, char **word)
{
	static struct service_info services[SERVICES_MAX];
	unsigned count;
	err_t e = service_list(services, SERVICES_MAX, &count);

	(void)words, (void)word;
	if (is_err(e)) {
		printf("the services can't be listed: %s\n", err_sentence(e));
		return;
	}
	printf("  domain  core  interface           service\n");
	for (unsigned i = 0; i < count; i++)
		printf("%8u  %4u  0x%016llx  %.24s\n", services[i].domain, services[i].core, (unsigned long long)services[i].interface,
		       services[i].name);
}

/* An amount of bytes, with K or M behind the number. */
static bool read_bytes(const char *text, uint64_t *out)
{
	char *end;
	unsigned shift = 0;

	*out = strtoull(text, &end, 10);
	if (end != text && (*end == 'K' || *end == 'M'))
		shift = *end++ == 'K' ? 10 : 20;
	*out <<= shift;
	if (*text >= '0' && *text <= '9' && *end == 0)
		return true;
	printf("%s is no amount such as 8M\n", text);
	return false;
}

/* Numbers with commas between them. */
static bool read_cores(char *text, uint64_t cores[CORE_SET_WORDS])
{
	uint64_t core;

	for (char *next; text != NULL; text = next) {
		next = strchr(text, ',');
		if (next != NULL)
			*next++ = 0;
		if (!read_number(text, &core))
			return false;
		if (core >= 64 * CORE_SET_WORDS) {
			printf("no machine has a core %s\n", text);
			return false;
		}
		cores[core / 64] |= UINT64_C(1) << core % 64;
	}
	return true;
}

/* core=N, cores=N,N, node=N, memory=BYTES, quota=BYTES, pinned=1 */
static bool read_option(char *key, char *value, struct domain_options *o)
{
	uint64_t number;

	if (strcmp(key, "memory") == 0)
		return read_bytes(value, &o->memory);
	if (strcmp(key, "quota") == 0)
		return read_bytes(value, &o->quota);
	if (strcmp(key, "pinned") == 0) {
		o->pinned = strcmp(value, "0") != 0;
		return true;
	}
	if (o->where != DOMAIN_HERE) {
		printf("a program has one place: core=, cores= or node=\n");
		return false;
	}
	if (strcmp(key, "cores") == 0) {
		o->where = DOMAIN_ON_CORES;
		return read_cores(value, o->cores);
	}
	if (strcmp(key, "core") != 0 && strcmp(key, "node") != 0) {
		printf("%s= is none of core=, cores=, node=, memory=, quota=, pinned=\n", key);
		return false;
	}
	if (!read_number(value, &number))
		return false;
	o->where = *key == 'c' ? DOMAIN_ON_CORE : DOMAIN_ON_NODE;
	if (o->where == DOMAIN_ON_CORE)
		o->core = number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
	else
		o->node = number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
	return true;
}

/* spawn [OPTION=VALUE] PROGRAM [arguments]: starts it and goes on. */
static void command_spawn(int words, char **word)
{
	char why[160];
	struct domain_options o = {.why = why, .why_bytes = sizeof(why)};
	uint32_t domain;
	int at = 1;

	for (char *value; at < words && (value = strchr(word[at], '=')) != NULL; at++) {
		*value++ = 0;
		if (!read_option(word[at], value, &o))
			return;
	}
	o.arguments = (const char *const *)&word[at];
	if (is_err(domain_spawn_with(&o, &domain)))
		printf("%s\n", why);
	else
		printf("domain %u\n", domain);
}

static bool read_domain(const char *text, uint32_t *domain)
{
	uint64_t number;

	if (!read_number(text, &number))
		return false;
	*domain = number > UINT32_MAX ? 0 : (uint32_t)number;
	return true;
}

static void command_wait(int words, char **word)
{
	uint32_t domain;
	int64_t status;
	enum end_cause cause;
	err_t e;

	(void)words;
	if (!read_domain(word[1], &domain))
		return;
	e = domain_wait(domain, &status, &cause);
	if (is_err(e))
		printf("domain %s can't be waited for: %s\n", word[1], err_sentence(e));
	else
		printf("domain %u ended, cause %u, status %lld\n", domain, cause, (long long)status);
}

static void command_kill(int words, char **word)
{
	uint32_t domain;
	err_t e;

	(void)words;
	if (!read_domain(word[1], &domain))
		return;
	e = domain_kill(domain);
	if (is_err(e))
		printf("domain %s can't be ended: %s\n", word[1], err_sentence(e));
}

/* move DOMAIN CORE */
static void command_move(int words, char **word)
{
	uint32_t domain;
	uint64_t core;
	err_t e;

	if (words != 3) {
		printf("move DOMAIN CORE\n");
		return;
	}
	if (!read_domain(word[1], &domain) || !read_number(word[2], &core))
		return;
	e = core > UINT32_MAX ? ERR(CORE_UNKNOWN) : domain_move(domain, (unsigned)core);
	if (is_err(e))
		printf("domain %s can't be moved to core %s: %s\n", word[1], word[2], err_sentence(e));
}

/* reclaim DOMAIN KIND AMOUNT [MILLISECONDS [CORE]] */
static bool read_reclaim(int words, char **word, struct revocation_order *o)
{
	static const char *const kinds[REVOCATION_KINDS] = {
	    [REVOKE_MEMORY] = "memory", [REVOKE_CORES] = "cores", [REVOKE_CHANNELS] = "channels"};
	unsigned kind = REVOKE_MEMORY;

	if (words < 4) {
		printf("reclaim what, and how much? As in: reclaim 65537 memory 4M 100\n");
		return false;
	}
	while (kind < REVOCATION_KINDS && strcmp(word[2], kinds[kind]) != 0)
		kind++;
	if (kind == REVOCATION_KINDS) {
		printf("%s is none of memory, cores, channels\n", word[2]);
		return false;
	}
	*o = (struct revocation_order){.kind = (enum revocation_kind)kind, .core = CORE_HERE, .deadline_ms = RECLAIM_MS};
	return read_domain(word[1], &o->domain) && read_bytes(word[3], &o->amount) &&
	       (words < 5 || read_number(word[4], &o->deadline_ms)) && (words < 6 || read_number(word[5], &o->core));
}

static void command_reclaim(int words, char **word)
{
	struct revocation_order o;
	struct revocation_result r;
	err_t e;

	if (!read_reclaim(words, word, &o))
		return;
	e = revocation_ask(&o, &r);
	if (is_err(e))
		printf("%s %s can't be had from domain %s: %s\n", word[3], word[2], word[1], err_sentence(e));
	else
		printf("given %llu, taken %llu\n", (unsigned long long)r.given, (unsigned long long)r.taken);
}

static void command_start(int words, char **word)
{
	uint64_t core;
	err_t e;

	(void)words;
	if (!read_number(word[1], &core))
		return;
	e = core_start(core);
	if (is_err(e))
		printf("core %llu can't be started: %s\n", (unsigned long long)core, err_sentence(e));
}

static void command_poweroff(int words, char **word)
{
	err_t e;

	(void)words, (void)word;
	fflush(stdout);
	e = system_power_off(0);
	printf("the machine can't be powered off: %s\n", err_sentence(e));
}

static void command_help(int words, char **word);

static const struct command commands[] = {
    {"ps", "", "the domains of all cores", command_ps},
    {"cores", "", "the cores, their nodes, when they came up", command_cores},
    {"caps", "", "this shell's capabilities", command_caps},
    {"run", "PROGRAM [core] [arguments]", "starts a program and waits for its end", command_run},
    {"spawn", "[OPTION=VALUE] PROGRAM ...", "starts a program and goes on; core=, cores=, node=, memory=, quota=, pinned=", command_spawn},
    {"wait", "DOMAIN", "waits for a domain's end", command_wait},
    {"kill", "DOMAIN", "ends a domain", command_kill},
    {"move", "DOMAIN CORE", "moves a domain to another core; its peers go on", command_move},
    {"reclaim", "DOMAIN KIND AMOUNT [MS [CORE]]", "asks for memory, cores or channels back; after MS milliseconds takes them",
     command_reclaim},
    {"services", "", "the services that have a name", command_services},
    {"start", "CORE", "starts a core that has died", command_start},
    {"poweroff", "", "ends the system", command_poweroff},
    {"help", "", "this list", command_help},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void command_help(int words, char **word)
{
	(void)words, (void)word;
	for (size_t i = 0; i < COMMANDS; i++)
		printf("%-9s%-31s%s\n", commands[i].name, commands[i].arguments, commands[i].summary);
	printf("Programs that use all cores: matmul, sort, kv, pipeline, stream; each says by --help what else it can be told.\n");
}

/* Finds the command and runs it. */
static void run_line(char *line)
{
	char *word[WORDS_MAX + 1];
	int words = 0;

	for (char *w = strtok(line, " \t\n"); w != NULL && words < WORDS_MAX; w = strtok(NULL, " \t\n"))
		word[words++] = w;
	word[words] = NULL;
	if (words == 0)
		return;
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(word[0], commands[i].name) != 0)
			continue;
		if (words == 1 && commands[i].arguments[0] >= 'A' && commands[i].arguments[0] <= 'Z')
			printf("%s %s: %s\n", commands[i].name, commands[i].arguments, commands[i].summary);
		else
			commands[i].run(words, word);
		return;
	}
	printf("there is no command %s; help lists them\n", word[0]);
}

int main(void)
{
	char line[512];

	printf("Atoll. help lists the commands.\n");
	for (;;) {
		printf("atoll> ");
		fflush(stdout);
		if (fgets(line, sizeof(line), stdin) == NULL)
			return EXIT_SUCCESS;
		run_line(line);
	}
}
