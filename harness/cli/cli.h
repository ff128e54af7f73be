/* SPDX-License-Identifier: Apache-2.0
 *
 * The program `bootjack`: what its commands share.
 */
#ifndef BJ_CLI_CLI_H
#define BJ_CLI_CLI_H

#include <getopt.h>
#include <signal.h>
#include <stdio.h>

#include "attach/run.h"
#include "base/addr.h"
#include "base/arena.h"
#include "script/program.h"

/* Exit statuses, the same for every command. */
enum { CLI_PASSED = 0, CLI_FAILED = 1, CLI_COULD_NOT_RUN = 2, CLI_USAGE = 64 };

/* The commands; argv[0] is the command's name. */
int cli_run(int argc, char **argv);
int cli_serve(int argc, char **argv);
int cli_replay(int argc, char **argv);
int cli_client_command(int argc, char **argv);
int cli_minimise(int argc, char **argv);
int cli_control(int argc, char **argv);
/* report_page.c: makes a report's page, or compares two runs (harness/report, in Python), and waits for it. Its exit
 * status, or CLI_COULD_NOT_RUN with a message. */
int cli_report_page(int argc, const char *const *argv);
/* `bootjack bench-server` (harness/servers, in Python); the same. */
int cli_bench_server(int argc, char **argv);

/* Not 0: the signal that asked this program to stop (SIGINT, SIGTERM, SIGHUP), once they are caught. */
extern volatile sig_atomic_t cli_interrupted;
void cli_catch_signals(void);

/* "bootjack: ..." on standard error. */
void cli_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What a file or a client says, as a terminal may have it: control characters are written as \\x1b. */
void cli_put(FILE *stream, const char *text);
/* Closes the file. false: something of it was not written, now or before (errno is of now). */
bool cli_close_file(FILE *file);
/* Wrong usage: the complaint and where help is to be found; returns CLI_USAGE. */
int cli_usage_error(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A number of an option: false when `text` is not one in its range. */
bool cli_parse_u64(const char *text, uint64_t least, uint64_t most, uint64_t *number);
/* Can this file be written? Told before what it shall hold takes long to make; it is neither made nor changed. After a
 * complaint false. */
bool cli_can_write(const char *file);
/* Seconds, with decimals, to milliseconds. */
bool cli_parse_seconds(const char *text, unsigned *milliseconds);

/* --- options.c: command lines. They return -1: go on; or the exit status, after a message. --- */

/* Takes an option, whose value is in optarg. */
typedef int cli_take_fn(void *context, int option);
/* All options of a command line; operands stand from argv[optind] on. */
int cli_read_options(const char *command, int argc, char **argv, const char *short_options,
                     const struct option *long_options, cli_take_fn *take, void *context);
/* Values of --seed, --limit and --listen; an address without a port has that of CoAP, and 0 is one. `interface`: of a
 * link-local address, which needs one; 0 for others. */
int cli_take_seed(const char *command, const char *text, uint64_t *seed);
int cli_take_limit(const char *command, const char *text, unsigned *milliseconds);
int cli_take_listen(const char *command, const char *given, bj_addr *address, uint32_t *interface);

/* A file's record, in the arena; NULL: its mistakes were said on standard error. */
bj_record *cli_load(bj_arena *arena, bj_kind kind, const char *file);

/* The preload library: what the user says, $BOOTJACK_PRELOAD_LIBRARY, ../lib/ beside the program. In the arena. */
const char *cli_preload_path(bj_arena *arena, const char *given);

/* An arena for one scenario; ends the program when there is no memory. */
bj_arena *cli_arena(void);

#endif
