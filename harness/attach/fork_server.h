/* SPDX-License-Identifier: Apache-2.0
 *
 * Many runs of an unmodified program that was started once: when the scenario is through with its own steps, which is
 * behind the program's initialisation, the process stands still and becomes a fork server, with the protocol of AFL++
 * (4.04c): it says that it is there with four bytes; for each four bytes that it reads it forks, and writes the fork's
 * process id, and, when that has ended, its wait status. A fork takes its input, the byte form of a scenario of which
 * only the steps count, from a file, and goes on with these steps; the world is healed afterwards.
 *
 * A fork has a copy of the world; the event log is the supervisor's to read, until the next fork begins.
 */
#ifndef BJ_ATTACH_FORK_SERVER_H
#define BJ_ATTACH_FORK_SERVER_H

/* The file of the input. */
#define BJ_FORK_VARIABLE "BOOTJACK_FORK_INPUT"

enum { BJ_FORK_CONTROL = 198, BJ_FORK_STATUS = 199, BJ_FORK_INPUT_MOST = 1 << 16 };

#endif
