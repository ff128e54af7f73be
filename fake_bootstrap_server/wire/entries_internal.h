/* SPDX-License-Identifier: Apache-2.0
 *
 * What the readers and writers of the formats share. Private to wire/.
 */
#ifndef BJ_WIRE_ENTRIES_INTERNAL_H
#define BJ_WIRE_ENTRIES_INTERNAL_H

#include "wire/entries.h"
#include "wire/payload.h"

/* A mistake: always false, so that readers can return it. */
bool bj__damaged(bj_entries *in, bj_text *why, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* "/1/0/0" (with what base and name make together); false when it is no path. */
bool bj__read_path(const char *text, size_t length, bj_path *path);
bool bj__read_objlnk(const uint8_t *text, size_t length, int64_t *link); /* "3:0" */
bool bj__utf8(const uint8_t *bytes, size_t length);
/* A number as in JSON and in text/plain, all of the text: INT, UINT or FLOAT. */
bool bj__read_number(const uint8_t *text, size_t length, bj_entry *number);
/* Is it one at all, of whatever length (RFC 8259 §6)? */
bool bj__is_number(const uint8_t *text, size_t length);
enum { BJ_LONGEST_NUMBER = 200 }; /* characters */
/* NaN when it is more than a number, or longer than one may be. */
double bj__real_of_text(const uint8_t *text, size_t length);
/* The shortest decimal that gives the same double again, whatever the process's locale. */
void bj__print_real(bj_text *out, double value);

/* One record of SenML or of LwM2M JSON, its fields in any order. */
typedef struct bj_record_fields {
    uint32_t seen; /* bits by bj_field_index */
    char base[BJ_NAME], name[BJ_NAME];
    size_t base_length, name_length;
    bj_entry value, base_value, version;
    const char *unlike; /* what the text of its value must be and is not; NULL */
} bj_record_fields;

/* RFC 8428 §4: labels -6 to 8, and vlo of LwM2M. */
enum {
    BJ_SENML_BS = -6,
    BJ_SENML_BV = -5,
    BJ_SENML_BU = -4,
    BJ_SENML_BT = -3,
    BJ_SENML_BN = -2,
    BJ_SENML_BVER = -1,
    BJ_SENML_N = 0,
    BJ_SENML_U = 1,
    BJ_SENML_V = 2,
    BJ_SENML_VS = 3,
    BJ_SENML_VB = 4,
    BJ_SENML_S = 5,
    BJ_SENML_T = 6,
    BJ_SENML_UT = 7,
    BJ_SENML_VD = 8,
    BJ_SENML_VLO = 9,
    BJ_SENML_UNKNOWN = 10,
};

static inline uint32_t bj__senml_bit(int label) {
    return UINT32_C(1) << (label - BJ_SENML_BS);
}
static inline bool bj__senml_has(const bj_record_fields *fields, int label) {
    return fields->seen & bj__senml_bit(label);
}
/* Notes a field, once; false when it was there before. */
bool bj__senml_once(bj_record_fields *fields, int label);
/* The entry that the fields make, with what earlier records left. */
bool bj__senml_resolve(bj_entries *in, const bj_record_fields *fields, bj_entry *entry, bj_text *why);

/* The name of a member and the colon behind it. One for which there is no room is none that is known: what is given in
 * its place is empty, or the underscore with which it ends (RFC 8428 §4.4). */
bool bj__json_member_name(bj_reader *r, char *name, size_t room, size_t *length);
/* The value of the field; false when it does not hold what it must. */
bool bj__json_field(bj_entries *in, int label, bj_record_fields *fields);

bool bj__tlv_entry(bj_entries *in, bj_entry *entry, bj_text *why);
bool bj__senml_json_entry(bj_entries *in, bj_entry *entry, bj_text *why);
bool bj__senml_cbor_entry(bj_entries *in, bj_entry *entry, bj_text *why);
bool bj__lwm2m_cbor_entry(bj_entries *in, bj_entry *entry, bj_text *why);
bool bj__lwm2m_json_entry(bj_entries *in, bj_entry *entry, bj_text *why);

void bj__put(bj_entry_writer *w, const void *bytes, size_t length);
/* Makes room for `length` bytes at `mark` and puts them there: for headers that are known at the end. */
void bj__put_at(bj_entry_writer *w, size_t mark, const void *bytes, size_t length);
/* Base name and name that stand for an entry's path, in formats with base names: `name` is empty where the base name
 * says all. Is the base name another than before? */
bool bj__names(bj_entry_writer *w, const bj_path *path, bj_text *base, bj_text *name);

void bj__senml_json_write(bj_entry_writer *w, const bj_entry *entry);
void bj__senml_cbor_write(bj_entry_writer *w, const bj_entry *entry);
void bj__lwm2m_cbor_write(bj_entry_writer *w, const bj_entry *entry);
void bj__lwm2m_json_write(bj_entry_writer *w, const bj_entry *entry);
void bj__senml_json_end(bj_entry_writer *w);
void bj__senml_cbor_end(bj_entry_writer *w);
void bj__lwm2m_cbor_end(bj_entry_writer *w);
void bj__lwm2m_json_end(bj_entry_writer *w);

#endif
