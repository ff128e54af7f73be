/* SPDX-License-Identifier: Apache-2.0
 *
 * `bootjack serve --suite`: a whole suite over real sockets, for devices that somebody or something else restarts.
 */
#ifndef BJ_CLI_BENCH_H
#define BJ_CLI_BENCH_H

/* argv[0] is "serve". Returns the exit status of cli.h. */
int cli_bench(int argc, char **argv);

#endif
