/* SPDX-License-Identifier: Apache-2.0
 *
 * Attributes of notifications.
 */
#include "reporting/attributes.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/number.h"

typedef enum kind { SECONDS, NUMBER, STEP, FLAG } kind;

typedef struct attribute {
    const char *name;
    unsigned bit;
    kind kind;
    unsigned since;
    size_t at; /* in bjc_attributes */
} attribute;

static const attribute table_of_names[] = {
    { "pmin", BJC_PMIN, SECONDS, 10, offsetof(bjc_attributes, pmin_s) },
    { "pmax", BJC_PMAX, SECONDS, 10, offsetof(bjc_attributes, pmax_s) },
    { "gt", BJC_GT, NUMBER, 10, offsetof(bjc_attributes, gt) },
    { "lt", BJC_LT, NUMBER, 10, offsetof(bjc_attributes, lt) },
    { "st", BJC_ST, STEP, 10, offsetof(bjc_attributes, st) },
    { "epmin", BJC_EPMIN, SECONDS, 11, offsetof(bjc_attributes, epmin_s) },
    { "epmax", BJC_EPMAX, SECONDS, 11, offsetof(bjc_attributes, epmax_s) },
    { "con", BJC_CON, FLAG, 12, offsetof(bjc_attributes, con) },
};

/* Of a threshold: Discover shows all its digits, and they are to be read again. */
#define LARGEST 1e100

#define NAMES (sizeof table_of_names / sizeof *table_of_names)

static void *place(bjc_attributes *attributes, const attribute *a) {
    return (char *) attributes + a->at;
}

/* --- reading ---------------------------------------------------------------------------------------------------- */

static const attribute *find(bootjack_version release, const char *name, size_t length) {
    for (size_t i = 0; i < NAMES; i++) {
        const attribute *a = &table_of_names[i];
        if (strlen(a->name) == length && memcmp(a->name, name, length) == 0) {
            return a->since <= (unsigned) release ? a : NULL;
        }
    }
    return NULL;
}

static bool is_digits(const uint8_t *text, size_t length) {
    size_t at = 0;
    while (at < length && text[at] >= '0' && text[at] <= '9') {
        at++;
    }
    return length > 0 && at == length;
}

/* 1*DIGIT [ "." 1*DIGIT ], with a sign. */
static bool is_decimal(const uint8_t *text, size_t length) {
    size_t sign = length > 0 && text[0] == '-';
    const uint8_t *point = memchr(text, '.', length);
    size_t whole = (point ? (size_t) (point - text) : length) - sign;
    return is_digits(text + sign, whole) && (!point || is_digits(point + 1, length - sign - whole - 1));
}

static bool take_value(bjc_attributes *set, const attribute *a, const uint8_t *text, size_t length) {
    int64_t whole = 0;
    double real = 0;
    if (a->kind == NUMBER || a->kind == STEP) {
        bool good = is_decimal(text, length) && bjc_number_real(text, length, &real) && fabs(real) <= LARGEST &&
                    (a->kind == NUMBER || real > 0);
        *(double *) place(set, a) = real;
        return good;
    }
    if (!is_digits(text, length) || !bjc_number_integer(text, length, &whole)) {
        return false;
    }
    if (a->kind == FLAG) {
        *(bool *) place(set, a) = whole == 1;
        return whole == 0 || whole == 1;
    }
    *(int64_t *) place(set, a) = whole;
    return whole <= UINT32_MAX;
}

static bool take(bootjack_version release, const bjc_text *option, bjc_attributes *set, unsigned *unset) {
    const char *equals = option->length ? memchr(option->data, '=', option->length) : NULL;
    size_t name = equals ? (size_t) (equals - option->data) : option->length;
    const attribute *a = find(release, option->data, name);
    if (!a || ((set->present | *unset) & a->bit)) {
        return false;
    }
    if (!equals || name + 1 == option->length) {
        *unset |= a->bit;
        return true;
    }
    set->present |= a->bit;
    return take_value(set, a, (const uint8_t *) equals + 1, option->length - name - 1);
}

bool bjc_attributes_parse(bootjack_version release, const bjc_text *query, size_t count, bjc_attributes *set,
                          unsigned *unset) {
    *set = (bjc_attributes){ 0 };
    *unset = 0;
    for (size_t i = 0; i < count; i++) {
        if (!take(release, &query[i], set, unset)) {
            return false;
        }
    }
    return true;
}

bool bjc_attributes_consistent(const bjc_attributes *attributes) {
    bool both = (attributes->present & (BJC_GT | BJC_LT)) == (BJC_GT | BJC_LT);
    double step = attributes->present & BJC_ST ? attributes->st : 0;
    return !both || attributes->lt + 2 * step < attributes->gt;
}

/* --- putting together ------------------------------------------------------------------------------------------- */

static void copy(bjc_attributes *to, const bjc_attributes *from, const attribute *a) {
    size_t size = a->kind == FLAG ? sizeof(bool) : a->kind == NUMBER || a->kind == STEP ? sizeof(double) : 8;
    memcpy(place(to, a), (const char *) from + a->at, size);
    to->present |= a->bit;
}

void bjc_attributes_merge(bjc_attributes *attributes, const bjc_attributes *over) {
    for (size_t i = 0; i < NAMES; i++) {
        if (over->present & table_of_names[i].bit) {
            copy(attributes, over, &table_of_names[i]);
        }
    }
}

/* The fewest digits that say it; returns their number. `*exponent`: of ten, of the first of them. */
static size_t digits_of(double number, char digits[BJC_NUMBER_TEXT], long *exponent) {
    char text[BJC_NUMBER_TEXT];
    size_t count = 0;
    for (int precision = 0; precision <= 16; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, number);
        if (strtod(text, NULL) == number) {
            break;
        }
    }
    const char *at = text;
    for (; *at != 'e'; at++) {
        if (*at >= '0' && *at <= '9') { /* and no sign, and no point, whatever that is here */
            digits[count++] = *at;
        }
    }
    *exponent = strtol(at + 1, NULL, 10);
    return count;
}

/* The attributes' grammar has no exponents. */
static void print_number(double number, bjc_buffer *out) {
    char digits[BJC_NUMBER_TEXT];
    long exponent, count = (long) digits_of(number, digits, &exponent);
    bjc_buffer_text(out, number < 0 ? "-" : "");
    long last = exponent - count + 1 < 0 ? exponent - count + 1 : 0;
    for (long power = exponent > 0 ? exponent : 0; power >= last; power--) {
        long i = exponent - power;
        bjc_buffer_byte(out, i >= 0 && i < count ? (unsigned char) digits[i] : '0');
        if (power == 0 && last < 0) {
            bjc_buffer_byte(out, '.');
        }
    }
}

static void print_one(const bjc_attributes *attributes, const attribute *a, bjc_buffer *out) {
    const void *value = (const char *) attributes + a->at;
    bjc_buffer_format(out, ";%s=", a->name);
    if (a->kind == FLAG) {
        bjc_buffer_text(out, *(const bool *) value ? "1" : "0");
    } else if (a->kind == NUMBER || a->kind == STEP) {
        print_number(*(const double *) value, out);
    } else {
        bjc_buffer_format(out, "%" PRId64, *(const int64_t *) value);
    }
}

void bjc_attributes_print(const bjc_attributes *attributes, bjc_buffer *out) {
    for (size_t i = 0; i < NAMES; i++) {
        if (attributes->present & table_of_names[i].bit) {
            print_one(attributes, &table_of_names[i], out);
        }
    }
}

/* --- what servers set ------------------------------------------------------------------------------------------- */

static bool same_path(const bjc_path *a, const bjc_path *b) {
    return a->depth == b->depth && bjc_path_inside(a, b);
}

static bjc_attributes_entry **slot_of(bjc_attributes_table *table, uint16_t ssid, const bjc_path *path, size_t *count) {
    bjc_attributes_entry **slot = &table->list;
    for (*count = 0; *slot && !((*slot)->ssid == ssid && same_path(&(*slot)->path, path)); slot = &(*slot)->next) {
        (*count)++;
    }
    return slot;
}

static void drop(bjc_attributes_table *table, bjc_attributes_entry **slot) {
    bjc_attributes_entry *entry = *slot;
    *slot = entry->next;
    bjc_release(&table->core->allocator, entry);
}

void bjc_attributes_free(bjc_attributes_table *table) {
    while (table->list) {
        drop(table, &table->list);
    }
}

/* Room for attributes at a path that has none; `*entry` is not in the list yet. */
static bootjack_error entry_new(const bjc_attributes_table *table, const bjc_attributes_change *change, size_t count,
                                bjc_attributes_entry **entry) {
    if (count >= BJC_ATTRIBUTES_MAX) {
        return BOOTJACK_ERR_LIMIT;
    }
    *entry = bjc_allocate(&table->core->allocator, sizeof **entry);
    if (!*entry) {
        return BOOTJACK_ERR_MEMORY;
    }
    **entry = (bjc_attributes_entry){ .ssid = change->ssid, .path = change->path };
    return BOOTJACK_OK;
}

bootjack_error bjc_attributes_write(bjc_attributes_table *table, const bjc_attributes_change *change,
                                    bjc_attributes_consent *consent, void *context) {
    size_t count;
    bjc_attributes_entry **slot = slot_of(table, change->ssid, &change->path, &count), *made = NULL;
    bjc_attributes result = *slot ? (*slot)->own : (bjc_attributes){ 0 };
    bootjack_error error = BOOTJACK_OK;
    bjc_attributes_merge(&result, &change->set);
    result.present &= ~change->unset;
    if (!bjc_attributes_consistent(&result)) {
        return BOOTJACK_ERR_INCONSISTENT;
    }
    if (!*slot && result.present) {
        error = entry_new(table, change, count, &made);
    }
    error = !error && consent ? consent(context, change) : error;
    if (error) {
        bjc_release(&table->core->allocator, made);
        return error;
    }
    if (made) {
        *slot = made;
    }
    if (*slot) {
        (*slot)->own = result;
    }
    if (*slot && !result.present) {
        drop(table, slot);
    }
    return BOOTJACK_OK;
}

bjc_attributes bjc_attributes_own(const bjc_attributes_table *table, uint16_t ssid, const bjc_path *path) {
    for (const bjc_attributes_entry *entry = table->list; entry; entry = entry->next) {
        if (entry->ssid == ssid && same_path(&entry->path, path)) {
            return entry->own;
        }
    }
    return (bjc_attributes){ 0 };
}

bjc_attributes bjc_attributes_effective(const bjc_attributes_table *table, uint16_t ssid, const bjc_path *path) {
    bjc_attributes result = { 0 };
    for (unsigned depth = 1; depth <= path->depth; depth++) {
        bjc_path above = *path;
        above.depth = depth;
        bjc_attributes own = bjc_attributes_own(table, ssid, &above);
        bjc_attributes_merge(&result, &own);
    }
    return result;
}

void bjc_attributes_forget_path(bjc_attributes_table *table, const bjc_path *path) {
    for (bjc_attributes_entry **slot = &table->list; *slot;) {
        if (bjc_path_inside(&(*slot)->path, path)) {
            drop(table, slot);
        } else {
            slot = &(*slot)->next;
        }
    }
}

void bjc_attributes_forget_server(bjc_attributes_table *table, uint16_t ssid) {
    for (bjc_attributes_entry **slot = &table->list; *slot;) {
        if ((*slot)->ssid == ssid) {
            drop(table, slot);
        } else {
            slot = &(*slot)->next;
        }
    }
}
