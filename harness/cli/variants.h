/* SPDX-License-Identifier: Apache-2.0
 *
 * `run --variants`: same meaning, same result. A scenario is run in every way of saying the same (vary.h), and what the
 * client was seen to do, but for times, must be the same in all of them.
 */
#ifndef BJ_CLI_VARIANTS_H
#define BJ_CLI_VARIANTS_H

#include "cli/report.h"

/* Runs all variants of the scenario of `one`, several at once, and makes its result: that of the first variant, with
 * the verdict fail and the first difference when another one went another way; skip where nothing can be varied. */
void cli_variants(cli_case *one, const bj_run_options *options, size_t jobs);

#endif
