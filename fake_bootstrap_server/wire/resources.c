/* SPDX-License-Identifier: Apache-2.0
 *
 * See resources.h. Types follow the registered object definitions: /0 1.2, /1 1.2, /2 1.1, /3 1.2, /21 2.0, /23 1.0,
 * /24 1.0.
 */
#include "wire/resources.h"

#include <string.h>

/* One letter a Resource, in the order of their ids. Identities (/0/x/3) count as secrets: they name a device. */
static const struct {
    int object;
    const char *types;
} objects[] = {
    { 0, "SBIKOKIOKSIIIUSUUPUUUUUUUSPPIIS" },
    { 1, "IIII?IBS??PUTUUBBUUUUBSBPSIU" },
    { 2, "IIII" },
    { 3, "SSSS??IIIIII?TSSSSSSIIP" },
    { 21, "KOOIIK" },
    { 23, "SIK" },
    { 24, "BSSBUUSSK" },
};

static const char *types_of(int object) {
    for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++) {
        if (objects[i].object == object) {
            return objects[i].types;
        }
    }
    return "";
}

char bj_resource_type(int object, int resource) {
    const char *types = types_of(object);
    return resource >= 0 && (size_t) resource < strlen(types) ? types[resource] : '?';
}

bool bj_target_has_secrets(const bj_target *target) {
    return target->ids[0] < 0 || strchr(types_of(target->ids[0]), 'K');
}

/* The number that is all of the segment at *path, which moves behind it; -1 when it is no number. */
static int read_segment(const char **path) {
    size_t length = strcspn(*path, "/");
    int id = length && length <= 5 ? 0 : -1;
    for (size_t i = 0; i < length && id >= 0; i++) {
        char c = (*path)[i];
        id = c >= '0' && c <= '9' ? id * 10 + (c - '0') : -1;
    }
    *path += length + ((*path)[length] == '/');
    return id;
}

bj_target bj_target_of(const char *path) {
    bj_target none = { { -1, -1, -1, -1 } };
    bj_target target = none;
    size_t count = 0;
    if (!path) {
        return none;
    }
    path += *path == '/';
    while (*path) {
        int id = read_segment(&path);
        if (id < 0 ? count > 0 && *path : count == 4) {
            return none;
        }
        if (id >= 0) {
            target.ids[count++] = id;
        }
    }
    return target;
}
