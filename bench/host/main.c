/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The channel on two bare cores of this machine, against the hardware's floor and against Concurrency Kit's ring.
 *
 * On a shared host the price of a cache line changes while one looks, by a factor of five, because the hypervisor moves
 * the virtual CPUs between core complexes. Absolute figures of two runs can therefore not be compared, nor can two
 * figures of one run unless they were taken side by side. So all contenders are measured in turns of some 30 us, a round
 * counts only if the floor's batches before and after it agree, the rounds are sorted into the host's states by their
 * floor, and what is judged is the median of the rounds' own ratios. If too few rounds count, there is no result.
 *
 * A round trip through the channel may take a little less than one of the floor: a waiting core pauses, and whether an
 * answer comes just before a look or just after it is a matter of how two loops fall into step.
 *
 * A sample is the mean of one batch (256 round trips, 2,048 messages). Exit status: 0 all bars met, 1 a bar missed,
 * 2 cannot measure here, 3 unstable. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/common/stats.h"
#include "bench/host/pair.h"

enum { EXIT_MET = 0, EXIT_MISSED = 1, EXIT_CANNOT = 2, EXIT_UNSTABLE = 3 };

enum { ROUNDS_DEFAULT = 2000, ROUNDS_MIN = 100, ROUNDS_MAX = 1000000 };

static const double rtt_bar = 1.25; /* channel.rtt / floor.rtt at most */
static const double stream_bar = 3; /* channel.stream * channel.rtt at least */
static const double agree = 1.25;   /* the floors around a round, greater by smaller, at most */
static const double next_state = 2; /* a floor this many times the fastest (5th percentile) is another state */

/* Moves the rounds whose floor held still to the front, with the mean of both floors as theirs; answers how many. */
static unsigned keep_steady(struct round *rounds, unsigned count)
{
	unsigned kept = 0;

	for (unsigned i = 0; i + 1 < count; i++) {
		double before = rounds[i].ns[FLOOR_RTT], after = rounds[i + 1].ns[FLOOR_RTT];

		if (before > after * agree || after > before * agree)
			continue;
		rounds[kept] = rounds[i];
		rounds[kept++].ns[FLOOR_RTT] = (before + after) / 2;
	}
	return kept;
}

/* A column of some rounds, which the caller frees; `value` may combine several. */
typedef double column_fn(const struct round *round, enum contender_index contender);

static double column_time(const struct round *round, enum contender_index c)
{
	return round->ns[c];
}
static double column_rate(const struct round *round, enum contender_index c)
{
	return 1e9 / round->ns[c];
}
static double column_of_floor(const struct round *round, enum contender_index c)
{
	return round->ns[c] / round->ns[FLOOR_RTT];
}
static double column_per_rtt(const struct round *round, enum contender_index c)
{
	return round->ns[c == CK_STREAM ? CK_RTT : CHANNEL_RTT] / round->ns[c];
}

static struct summary summary_of(const struct round *rounds, unsigned count, column_fn *value, enum contender_index c)
{
	static double samples[ROUNDS_MAX];

	for (unsigned i = 0; i < count; i++)
		samples[i] = value(&rounds[i], c);
	return summarise(samples, count);
}

static int by_floor(const void *left, const void *right)
{
	double a = ((const struct round *)left)->ns[FLOOR_RTT], b = ((const struct round *)right)->ns[FLOOR_RTT];

	return (a > b) - (a < b);
}

/* Sorts by the floor; answers how many of the rounds belong to the faster state. */
static unsigned split_states(struct round *rounds, unsigned count)
{
	unsigned fast = 0;
	double limit;

	qsort(rounds, count, sizeof rounds[0], by_floor);
	limit = rounds[count / 20].ns[FLOOR_RTT] * next_state;
	while (fast < count && rounds[fast].ns[FLOOR_RTT] <= limit)
		fast++;
	return fast;
}

static void print_table(const struct round *rounds, unsigned count)
{
	printf("\n%u rounds with a floor of %.0f ns (median)\n", count, summary_of(rounds, count, column_time, FLOOR_RTT).p50);
	printf("%-22s %10s %10s %10s   %s\n", "", "min", "median", "p99", "median ratio");
	for (enum contender_index c = 0; c < CONTENDERS; c++) {
		bool stream = contenders[c].is_stream;
		struct summary s = summary_of(rounds, count, stream ? column_rate : column_time, c);
		double ratio = summary_of(rounds, count, stream ? column_per_rtt : column_of_floor, c).p50;
		double scale = stream ? 1e-6 : 1;

		printf("%-22s %10.1f %10.1f %10.1f %-5s %5.2f %s\n", contenders[c].id, s.min * scale, s.p50 * scale, s.p99 * scale,
		       stream ? "M/s" : "ns", ratio, stream ? "messages per round trip" : "of the floor");
	}
}

static bool print_facts(const struct pair *pair, const struct round *rounds, unsigned count)
{
	char line[512];

	for (enum contender_index c = 0; c < CONTENDERS; c++) {
		bool stream = contenders[c].is_stream;
		struct fact fact = {
		    .id = contenders[c].id,
		    .lens = "host",
		    .unit = stream ? "messages/s" : "ns",
		    .from = pair->cpus[stream ? FOLLOWER : LEADER],
		    .to = pair->cpus[stream ? LEADER : FOLLOWER],
		    .of = summary_of(rounds, count, stream ? column_rate : column_time, c),
		};

		if (!fact_line(line, sizeof line, &fact))
			return false;
		printf("%s\n", line);
	}
	return true;
}

static bool judge(const struct round *rounds, unsigned count)
{
	double rtt = summary_of(rounds, count, column_of_floor, CHANNEL_RTT).p50;
	double stream = summary_of(rounds, count, column_per_rtt, CHANNEL_STREAM).p50;
	bool rtt_met = rtt <= rtt_bar, stream_met = stream >= stream_bar;

	printf("\nchannel.rtt     %.2f of floor.rtt, at most %.2f: %s\n", rtt, rtt_bar, rtt_met ? "met" : "MISSED");
	printf("channel.stream  %.2f messages per channel.rtt, at least %.2f: %s\n\n", stream, stream_bar, stream_met ? "met" : "MISSED");
	return rtt_met && stream_met;
}

static int report(const struct pair *pair, struct round *rounds, unsigned count)
{
	unsigned steady = keep_steady(rounds, count);
	unsigned fast, slow;
	const struct round *common;

	printf("two threads on CPU %d (node %d) and CPU %d (node %d), chosen and bound by hwloc; rings of %d lines\n", pair->cpus[LEADER],
	       pair->nodes[LEADER], pair->cpus[FOLLOWER], pair->nodes[FOLLOWER], RING_LINES);
	printf("%u rounds, %u left out because the floor moved meanwhile\n", count, count - steady);
	if (steady < count / 2) {
		printf(
		    "unstable: the floor moved in more than half of the rounds, so there is no result; try when this machine is quieter\n");
		return EXIT_UNSTABLE;
	}
	fast = split_states(rounds, steady);
	slow = steady - fast;
	common = fast >= slow ? rounds : rounds + fast;
	if (fast > 0 && slow >= ROUNDS_MIN / 2)
		print_table(fast >= slow ? rounds + fast : rounds, fast >= slow ? slow : fast);
	print_table(common, fast >= slow ? fast : slow);
	if (!print_facts(pair, common, fast >= slow ? fast : slow))
		return EXIT_CANNOT;
	return judge(common, fast >= slow ? fast : slow) ? EXIT_MET : EXIT_MISSED;
}

static bool parse_number(const char *text, char end, long least, long most, const char **after, long *value)
{
	char *stop;

	errno = 0;
	*value = strtol(text, &stop, 10);
	*after = stop + (end != '\0');
	return errno == 0 && stop != text && *stop == end && *value >= least && *value <= most;
}

static bool parse(int argc, char **argv, struct pair *pair, long *rounds)
{
	for (int i = 1; i < argc; i += 2) {
		const char *option = argv[i], *value = i + 1 < argc ? argv[i + 1] : "", *after;
		long first, second;

		if (strcmp(option, "--rounds") == 0 && parse_number(value, '\0', ROUNDS_MIN, ROUNDS_MAX, &after, rounds))
			continue;
		if (strcmp(option, "--cpus") == 0 && parse_number(value, ',', 0, 65535, &after, &first) &&
		    parse_number(after, '\0', 0, 65535, &after, &second)) {
			pair->cpus[LEADER] = (int)first;
			pair->cpus[FOLLOWER] = (int)second;
			continue;
		}
		fprintf(stderr, "bench-host: cannot use \"%s %s\"; known are --cpus A,B and --rounds N (%d to %d)\n", option, value,
		        ROUNDS_MIN, ROUNDS_MAX);
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct pair pair = {.cpus = {-1, -1}};
	long count = ROUNDS_DEFAULT;
	struct round *rounds;

	if (!parse(argc, argv, &pair, &count))
		return EXIT_CANNOT;
	rounds = calloc((size_t)count, sizeof *rounds);
	if (rounds == NULL) {
		fprintf(stderr, "bench-host: no memory for %ld rounds\n", count);
		return EXIT_CANNOT;
	}
	if (!pair_measure(&pair, rounds, (unsigned)count)) {
		fprintf(stderr, "bench-host: cannot measure: %s\n", pair.trouble);
		return EXIT_CANNOT;
	}
	return report(&pair, rounds, (unsigned)count);
}
