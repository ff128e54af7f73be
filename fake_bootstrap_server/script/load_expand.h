/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the loader: one file, many cases; steps from another file. Both are done with the nodes of the document,
 * before anything is made of them, so that programs, their byte form and the engine know nothing of it.
 */
#ifndef BJ_SCRIPT_LOAD_EXPAND_H
#define BJ_SCRIPT_LOAD_EXPAND_H

#include "script/load_yaml.h"

/* A name and what stands for `${name}`. */
typedef struct bj_parameter {
    bj_string name;
    bj_position position;
    const bj_yaml *value; /* may refer to other parameters; tagged !none: what is given it is left out */
    bool used;
    bool open; /* its value is being expanded: it must not refer to itself */
} bj_parameter;

typedef struct bj_scope {
    bj_parameter items[BJ_LIMIT_NAMES];
    size_t count;
    bool closed; /* a `${name}` that is no parameter is a mistake; else it is left: it may be a captured request */
} bj_scope;

/* Adds a parameter; one of that name that is there already keeps its place and gets the new value. false after a
 * mistake: there are too many, or `key` is no name. */
bool bj_scope_add(bj_loading *loading, bj_scope *scope, const bj_yaml *key, const bj_yaml *value);

/* A copy of `node` with its parameters and includes put in, in loading->scratch; NULL after a mistake. */
bj_yaml *bj_expand(bj_loading *loading, bj_scope *scope, const bj_yaml *node);

/* The document of one case: loading->case_name, or the only one when that is NULL. Without `cases` and `parameters`,
 * everything put in. NULL after a mistake. */
bj_yaml *bj_pick_case(bj_loading *loading, const bj_yaml *document);
/* The names of a document's cases in their order, in loading->arena; *count is 0 where it has none. */
bool bj_list_cases(bj_loading *loading, const bj_yaml *document, const char ***names, size_t *count);

/* The value of a key of a map, NULL when it is not there. */
const bj_yaml *bj_yaml_member(const bj_yaml *map, const char *key);

/* Opens a file that `file`, a path beside the file of `at`, names, and reads it; NULL after a mistake. load.c */
bj_yaml *bj_read_beside(bj_loading *loading, const bj_yaml *file);

#endif
