/* SPDX-License-Identifier: Apache-2.0
 *
 * Inputs of session targets, read from files.
 */
#ifndef BJ_FUZZ_INPUT_H
#define BJ_FUZZ_INPUT_H

#include "script/program.h"

typedef struct input_list {
    char **names;
    size_t count, room;
} input_list;

/* Adds a file, or all files of a folder (not below it; hidden ones are left out) in the order of their names. false:
 * a message was printed. */
bool inputs_add(input_list *list, const char *path);
/* The same of several; after false the list is empty. */
bool inputs_add_all(input_list *list, char *const *paths, int count);
void inputs_free(input_list *list);

/* The program that a file holds: a scenario where its name ends in .yaml; else an input of the target that its name
 * begins with ("datagrams-", "secure_session-"), the byte form of a scenario where it begins with neither. NULL: a
 * message was printed. */
const bj_record *input_load(bj_arena *arena, const char *name);

#endif
