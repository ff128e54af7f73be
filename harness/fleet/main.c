/* SPDX-License-Identifier: Apache-2.0
 *
 * bootjack-fleet: many of our clients in one simulated world; prints what they did, what it cost, and how many
 * Bootstrap-Requests came in which second.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/fleet.h"

enum { WRONG_USAGE = 64, CANNOT_RUN = 2, INCOMPLETE = 1 };

#define OPTIONS(X)                                                                                                     \
    X(CLIENTS, "clients", "N", 1, 20000, "how many clients (default: 1000)")                                           \
    X(SERVERS, "servers", "N", 1, FLEET_SERVERS_MOST, "LwM2M Servers of each (default: 2)")                            \
    X(OBSERVATIONS, "observations", "N", 0, FLEET_OBSERVATIONS_MOST, "of each client by each server (default: 10)")    \
    X(MINUTES, "minutes", "N", 1, 100000, "of virtual time (default: 20)")                                             \
    X(SPREAD, "spread", "SECONDS", 0, 1000000, "the clients are switched on within so long (default: 0, at once)")     \
    X(HOLDOFF, "holdoff", "SECONDS", 0, 1000000, "Client Hold Off Time, /0/x/11 (default: 10)")                        \
    X(JITTER, "jitter", "PERCENT", 0, 10000, "by which a hold-off is longer at random (default: 50)")                  \
    X(LIFETIME, "lifetime", "SECONDS", 1, 2000000000, "of registrations, /1/x/1 (default: 600)")                       \
    X(PMAX, "pmax", "SECONDS", 0, 2000000000, "Default Maximum Period, /1/x/3 (default: 300; 0: absent)")              \
    X(CURVE, "curve", "SECONDS", 0, 1000000, "how much of the curve is kept (default: 120)")                           \
    X(SEED, "seed", "N", 0, 4000000000, "(default: 1)")

enum {
    OPT_FIRST = 256,
#define OPTION_ENUM(NAME, name, argument, least, most, help) OPT_##NAME,
    OPTIONS(OPTION_ENUM)
#undef OPTION_ENUM
        OPT_HELP,
    OPT_PLOT
};

#define OPTION_LONG(NAME, name, argument, least, most, help) { name, required_argument, NULL, OPT_##NAME },
static const struct option options[] = { OPTIONS(OPTION_LONG){ "plot", no_argument, NULL, OPT_PLOT },
                                         { "help", no_argument, NULL, OPT_HELP },
                                         { 0 } };
#undef OPTION_LONG

static void print_help(void) {
    puts("usage: bootjack-fleet [OPTION]...\n"
         "Many of our clients bootstrap, register and are observed in one simulated world.\n");
#define OPTION_HELP(NAME, name, argument, least, most, help) printf("  --%-22s %s\n", name " " argument, help);
    OPTIONS(OPTION_HELP)
#undef OPTION_HELP
    puts("  --plot                   also prints the curve, a line a second: second, Bootstrap-Requests\n"
         "  --help                   this text\n\n"
         "Exit status: 0 every client is registered and observed, 1 some are not, 2 it cannot be run, 64 wrong usage.");
}

static bool number_of(const char *text, uint64_t least, uint64_t most, uint64_t *number) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    *number = value;
    return *text >= '0' && *text <= '9' && !*end && !errno && value >= least && value <= most;
}

static void take(fleet_config *config, int option, uint64_t number) {
    switch (option) {
    case OPT_CLIENTS:
        config->clients = (unsigned) number;
        break;
    case OPT_SERVERS:
        config->servers = (unsigned) number;
        break;
    case OPT_OBSERVATIONS:
        config->observations = (unsigned) number;
        break;
    case OPT_MINUTES:
        config->duration = number * 60 * BJ_SECOND;
        break;
    case OPT_SPREAD:
        config->spread = number * BJ_SECOND;
        break;
    case OPT_HOLDOFF:
        config->holdoff_s = (uint32_t) number;
        break;
    case OPT_JITTER:
        config->jitter = (unsigned) number;
        break;
    case OPT_LIFETIME:
        config->lifetime_s = (uint32_t) number;
        break;
    case OPT_PMAX:
        config->pmax_s = (uint32_t) number;
        break;
    case OPT_CURVE:
        config->curve_s = (unsigned) number;
        break;
    default:
        config->seed = number;
        break;
    }
}

static bool take_checked(fleet_config *config, int option, const char *text) {
    static const struct {
        int option;
        const char *name;
        uint64_t least, most;
    } rows[] = {
#define OPTION_ROW(NAME, name, argument, least, most, help) { OPT_##NAME, name, least, most },
        OPTIONS(OPTION_ROW)
#undef OPTION_ROW
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t number;
        if (rows[i].option == option && !number_of(text, rows[i].least, rows[i].most, &number)) {
            fprintf(stderr, "bootjack-fleet: --%s takes a whole number from %" PRIu64 " to %" PRIu64 ", found \"%s\"\n",
                    rows[i].name, rows[i].least, rows[i].most, text);
            return false;
        }
        if (rows[i].option == option) {
            take(config, option, number);
        }
    }
    return true;
}

/* The second with the most requests. */
static unsigned peak_of(const fleet_config *config, const fleet_result *result) {
    unsigned best = 0;
    for (unsigned i = 1; i < config->curve_s; i++) {
        best = result->curve[i] > result->curve[best] ? i : best;
    }
    return best;
}

static void print_result(const fleet_config *config, const fleet_result *result) {
    const fleet_counts *c = &result->counts;
    double each = result->heap > result->heap_before ? (double) (result->heap - result->heap_before) : 0;
    printf(
        "fleet: %u clients, %u servers, %u observations by each; %.0f virtual minutes in %.2f s, %.1f us a datagram\n",
        result->made, config->servers, config->observations, (double) result->virtual_time / 60e6, result->real_s,
        result->real_s * 1e6 / (double) (c->received + c->sent ? c->received + c->sent : 1));
    printf("complete: %u clients", result->complete);
    if (result->complete_at != BJ_NEVER) {
        printf(", all of them after %.3f virtual seconds", (double) result->complete_at / 1e6);
    }
    printf("\nseen: %" PRIu64 " Bootstrap-Requests, %" PRIu64 " bootstraps, %" PRIu64 " Registers, %" PRIu64
           " Updates, %" PRIu64 " observations, %" PRIu64 " notifications, %" PRIu64 " refused; %" PRIu64
           " datagrams from clients, %" PRIu64 " to them\n",
           c->bootstrap_requests, c->bootstraps, c->registers, c->updates, c->observations, c->notifications,
           c->refused, c->received, c->sent);
    printf(
        "memory: %.0f bytes of malloc() a client, libcoap's included; %.1f MB of the process at most, of which %.1f MB "
        "are the world's\n",
        each / (result->made ? result->made : 1), (double) result->resident / 1e6, (double) result->world / 1e6);
    unsigned peak = peak_of(config, result);
    printf("curve: %" PRIu32 " Bootstrap-Requests a second at most, in second %u\n",
           config->curve_s ? result->curve[peak] : 0, peak);
}

static void plot(const fleet_config *config, const fleet_result *result) {
    for (unsigned i = 0; i < config->curve_s; i++) {
        printf("%u %" PRIu32 "\n", i, result->curve[i]);
    }
}

static int run(const fleet_config *config, bool wants_plot) {
    char why[200];
    fleet_result result;
    if (!fleet_run(config, &result, why, sizeof why)) {
        fprintf(stderr, "bootjack-fleet: %s\n", why);
        return CANNOT_RUN;
    }
    print_result(config, &result);
    if (wants_plot && result.curve) {
        plot(config, &result);
    }
    free(result.curve);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("bootjack-fleet: standard output");
        return CANNOT_RUN;
    }
    return result.complete == config->clients ? 0 : INCOMPLETE;
}

int main(int argc, char **argv) {
    fleet_config config;
    bool wants_plot = false;
    fleet_config_init(&config);
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == OPT_HELP) {
            print_help();
            return 0;
        }
        if (option == OPT_PLOT) {
            wants_plot = true;
        } else if (option == '?' || !take_checked(&config, option, optarg)) {
            return WRONG_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "bootjack-fleet: unexpected \"%s\" (see --help)\n", argv[optind]);
        return WRONG_USAGE;
    }
    return run(&config, wants_plot);
}
