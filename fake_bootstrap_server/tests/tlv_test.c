/* SPDX-License-Identifier: Apache-2.0
 *
 * TLV against byte vectors, what its checker refuses, what holds for any content, and how it is printed.
 */
#include "wire/tlv.h"
#include "wire_bytes.h"

typedef struct output {
    uint8_t at[2048];
    bj_tlv_writer w;
} output;

static void begin(output *o) {
    o->w = (bj_tlv_writer){ .out = o->at, .room = sizeof o->at };
}

static void assert_written(const output *o, const char *want) {
    BJ_TEXT(why, 100);
    assert_false(o->w.overflow);
    assert_hex(o->at, o->w.used, want);
    assert_true(bj_tlv_check(o->at, o->w.used, &why));
}

static void assert_printed(const char *data, const char *path, const char *want) {
    bytes b = hex(data);
    BJ_TEXT(text, 1000);
    bj_tlv_print(&text, b.at, b.length, path);
    assert_string_equal(text.start, want);
}

static const char server_minimum[] = "C1 00 01 C4 01 00 01 51 80 C1 06 00 C1 07 55";

static void put_server_minimum(output *o) {
    bj_tlv_put_int(&o->w, BJ_TLV_RESOURCE, 0, 1);
    bj_tlv_put_int(&o->w, BJ_TLV_RESOURCE, 1, 86400);
    bj_tlv_put_bool(&o->w, BJ_TLV_RESOURCE, 6, false);
    bj_tlv_put(&o->w, BJ_TLV_RESOURCE, 7, "U", 1);
}

static void server_account(void **state) {
    (void) state;
    output o;
    begin(&o);
    put_server_minimum(&o);
    assert_written(&o, server_minimum);
    begin(&o);
    size_t instance = bj_tlv_begin(&o.w);
    put_server_minimum(&o);
    bj_tlv_end(&o.w, instance, BJ_TLV_INSTANCE, 0);
    assert_written(&o, "08 00 0F C1 00 01 C4 01 00 01 51 80 C1 06 00 C1 07 55");
}

static void bootstrap_account(void **state) {
    (void) state;
    output o;
    begin(&o);
    size_t instance = bj_tlv_begin(&o.w);
    bj_tlv_put(&o.w, BJ_TLV_RESOURCE, 0, "coap://bs.example", 17);
    bj_tlv_put_bool(&o.w, BJ_TLV_RESOURCE, 1, true);
    bj_tlv_put_int(&o.w, BJ_TLV_RESOURCE, 2, 3);
    for (uint16_t id = 3; id <= 5; id++) {
        bj_tlv_put(&o.w, BJ_TLV_RESOURCE, id, NULL, 0);
    }
    bj_tlv_end(&o.w, instance, BJ_TLV_INSTANCE, 1);
    assert_written(&o, "08 01 20 C8 00 11 63 6F 61 70 3A 2F 2F 62 73 2E 65 78 61 6D 70 6C 65 C1 01 01 C1 02 03 C0 03 "
                       "C0 04 C0 05");
}

static const char psk_account[] = "08 00 37 C8 00 11 63 6F 61 70 73 3A 2F 2F 73 2E 65 78 61 6D 70 6C 65 C1 01 00 C1 "
                                  "02 00 C3 03 65 70 31 C0 04 C8 05 10 00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E "
                                  "0F C1 0A 01";

static void account_with_a_key(void **state) {
    (void) state;
    uint8_t key[16];
    for (size_t i = 0; i < sizeof key; i++) {
        key[i] = (uint8_t) i;
    }
    output o;
    begin(&o);
    size_t instance = bj_tlv_begin(&o.w);
    bj_tlv_put(&o.w, BJ_TLV_RESOURCE, 0, "coaps://s.example", 17);
    bj_tlv_put_bool(&o.w, BJ_TLV_RESOURCE, 1, false);
    bj_tlv_put_int(&o.w, BJ_TLV_RESOURCE, 2, 0);
    bj_tlv_put(&o.w, BJ_TLV_RESOURCE, 3, "ep1", 3);
    bj_tlv_put(&o.w, BJ_TLV_RESOURCE, 4, NULL, 0);
    bj_tlv_put(&o.w, BJ_TLV_RESOURCE, 5, key, sizeof key);
    bj_tlv_put_int(&o.w, BJ_TLV_RESOURCE, 10, 1);
    bj_tlv_end(&o.w, instance, BJ_TLV_INSTANCE, 0);
    assert_written(&o, psk_account);
}

static void access_control(void **state) {
    (void) state;
    output o;
    begin(&o);
    bj_tlv_put_int(&o.w, BJ_TLV_RESOURCE, 0, 1);
    bj_tlv_put_int(&o.w, BJ_TLV_RESOURCE, 1, 0);
    size_t acl = bj_tlv_begin(&o.w);
    bj_tlv_put_int(&o.w, BJ_TLV_RESOURCE_INSTANCE, 1, 15);
    bj_tlv_end(&o.w, acl, BJ_TLV_MULTIPLE, 2);
    bj_tlv_put_int(&o.w, BJ_TLV_RESOURCE, 3, 1);
    assert_written(&o, "C1 00 01 C1 01 00 83 02 41 01 0F C1 03 01");
    begin(&o);
    size_t instance = bj_tlv_begin(&o.w);
    bj_tlv_put_int(&o.w, BJ_TLV_RESOURCE, 0, 3);
    bj_tlv_put_int(&o.w, BJ_TLV_RESOURCE, 1, 0);
    acl = bj_tlv_begin(&o.w);
    bj_tlv_put_int(&o.w, BJ_TLV_RESOURCE_INSTANCE, 0, 31);
    bj_tlv_end(&o.w, acl, BJ_TLV_MULTIPLE, 2);
    bj_tlv_put_int(&o.w, BJ_TLV_RESOURCE, 3, 65535); /* signed: 4 bytes */
    bj_tlv_end(&o.w, instance, BJ_TLV_INSTANCE, 0);
    assert_written(&o, "08 00 11 C1 00 03 C1 01 00 83 02 41 00 1F C4 03 00 00 FF FF");
}

static void vectors_of_the_test_specification(void **state) {
    (void) state;
    output o;
    begin(&o);
    bj_tlv_put_int(&o.w, BJ_TLV_RESOURCE, 2, 101);
    bj_tlv_put_int(&o.w, BJ_TLV_RESOURCE, 3, 1010);
    bj_tlv_put_int(&o.w, BJ_TLV_RESOURCE, 5, 2000);
    bj_tlv_put_bool(&o.w, BJ_TLV_RESOURCE, 6, true);
    bj_tlv_put(&o.w, BJ_TLV_RESOURCE, 7, "U", 1);
    assert_written(&o, "C1 02 65 C2 03 03 F2 C2 05 07 D0 C1 06 01 C1 07 55");
    begin(&o);
    bj_tlv_put_int(&o.w, BJ_TLV_RESOURCE, 13, 0x5182428F);
    bj_tlv_put(&o.w, BJ_TLV_RESOURCE, 14, "+02:00", 6);
    bj_tlv_put(&o.w, BJ_TLV_RESOURCE, 15, "Europe/Paris", 12);
    assert_written(&o, "C4 0D 51 82 42 8F C6 0E 2B 30 32 3A 30 30 C8 0F 0C 45 75 72 6F 70 65 2F 50 61 72 69 73");
    begin(&o);
    bj_tlv_put_int(&o.w, BJ_TLV_RESOURCE, 0x1234, 1);
    assert_written(&o, "E1 12 34 01");
}

static void integers_at_their_borders(void **state) {
    (void) state;
    static const struct {
        int64_t value;
        size_t size;
    } cases[] = { { 0, 1 },         { 127, 1 },       { 128, 2 },       { -128, 1 },
                  { -129, 2 },      { 32767, 2 },     { 32768, 4 },     { -32768, 2 },
                  { -32769, 4 },    { INT32_MAX, 4 }, { INT32_MIN, 4 }, { INT64_C(2147483648), 8 },
                  { INT64_MAX, 8 }, { INT64_MIN, 8 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        output o;
        bj_tlv entry;
        int64_t back;
        begin(&o);
        bj_tlv_put_int(&o.w, BJ_TLV_RESOURCE, 1, cases[i].value);
        const uint8_t *at = o.at;
        size_t left = o.w.used;
        assert_true(bj_tlv_next(&at, &left, &entry));
        assert_int_equal(entry.length, cases[i].size);
        assert_true(bj_tlv_int(&entry, &back));
        assert_true(back == cases[i].value);
    }
}

static void integers_of_other_lengths_are_none(void **state) {
    (void) state;
    static const uint8_t value[9];
    static const size_t lengths[] = { 0, 3, 5, 6, 7, 9 };
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        bj_tlv entry = { .value = value, .length = lengths[i] };
        int64_t number;
        assert_false(bj_tlv_int(&entry, &number));
    }
}

static void floats_are_short_where_that_is_exact(void **state) {
    (void) state;
    output o;
    begin(&o);
    bj_tlv_put_double(&o.w, BJ_TLV_RESOURCE, 1, 1.5);
    assert_hex(o.at, o.w.used, "C4 01 3F C0 00 00");
    begin(&o);
    bj_tlv_put_double(&o.w, BJ_TLV_RESOURCE, 1, 0.1);
    assert_hex(o.at, o.w.used, "C8 01 08 3F B9 99 99 99 99 99 9A");
    begin(&o);
    bj_tlv_put_double(&o.w, BJ_TLV_RESOURCE, 1, 1e300);
    assert_int_equal(o.w.used, 11);
}

/* --- the checker ---------------------------------------------------------------------------------------------- */

static void assert_refused(const char *data, const char *reason) {
    bytes b = hex(data);
    BJ_TEXT(why, 200);
    uint8_t *copy = tight(b.at, b.length);
    assert_false(bj_tlv_check(copy, b.length, &why));
    assert_string_equal(why.start, reason);
    free(copy);
}

static void damage_is_named(void **state) {
    (void) state;
    assert_refused("C1", "an entry is longer than the 1 bytes that are left");
    assert_refused("C1 00", "an entry is longer than the 2 bytes that are left");
    assert_refused("C8 00", "an entry is longer than the 2 bytes that are left");
    assert_refused("C8 00 05 01", "an entry is longer than the 4 bytes that are left");
    assert_refused("D8 00 FF FF FF", "an entry is longer than the 5 bytes that are left");
    assert_refused("E1 00", "an entry is longer than the 2 bytes that are left");
    assert_refused("C1 00 01 C1", "an entry is longer than the 1 bytes that are left");
    assert_refused("41 00 01", "Resource Instance 0 outside a multiple Resource");
    assert_refused("05 00 03 00 C1 00 01", "Object Instance 0 inside Object Instance");
    assert_refused("03 00 41 01 0F", "Resource Instance 1 inside Object Instance");
    assert_refused("83 02 C1 01 0F", "Resource 1 inside multiple Resource");
    assert_refused("82 02 41 01", "an entry is longer than the 2 bytes that are left");
    assert_refused("03 00 C1 00 01 C1 00 01", "Object Instances and Resources side by side");
}

static void what_is_unusual_but_lawful_passes(void **state) {
    (void) state;
    static const char *const lawful[] = { "",
                                          "80 02",                     /* a multiple Resource without instances */
                                          "00 07",                     /* an Object Instance without Resources */
                                          "C1 00 01 C1 00 02",         /* the same Resource twice */
                                          "C8 00 01 05",               /* a length longer than need be */
                                          "CF 00 01 05",               /* bits 2-0 beside a length field */
                                          "E1 FF FF 01",               /* the greatest identifier */
                                          "02 00 C0 01 02 01 C0 01" }; /* several instances */
    for (size_t i = 0; i < sizeof lawful / sizeof lawful[0]; i++) {
        bytes b = hex(lawful[i]);
        BJ_TEXT(why, 200);
        assert_true(bj_tlv_check(b.at, b.length, &why));
    }
}

static void a_damaged_entry_leaves_its_length(void **state) {
    (void) state;
    bytes b = hex("C1 00 01 C8 01 FF 00");
    const uint8_t *at = b.at;
    size_t left = b.length;
    bj_tlv entry;
    assert_true(bj_tlv_next(&at, &left, &entry));
    assert_false(bj_tlv_next(&at, &left, &entry));
    assert_int_equal(left, 4);
    assert_ptr_equal(at, b.at + 3);
}

/* --- the writer ----------------------------------------------------------------------------------------------- */

static void the_writer_keeps_to_its_room(void **state) {
    (void) state;
    uint8_t value[300] = { 1 };
    for (size_t room = 0; room < 310; room++) {
        uint8_t *out = malloc(room + 1);
        assert_non_null(out);
        out[room] = 0xA5;
        bj_tlv_writer w = { .out = out, .room = room };
        size_t mark = bj_tlv_begin(&w);
        bj_tlv_put(&w, BJ_TLV_RESOURCE, 300, value, sizeof value);
        bj_tlv_end(&w, mark, BJ_TLV_INSTANCE, 1);
        assert_int_equal(w.overflow, room < 5 + 300 + 4);
        assert_true(w.used <= room);
        assert_int_equal(out[room], 0xA5);
        free(out);
    }
}

static void what_is_too_long_for_a_length_overflows(void **state) {
    (void) state;
    bj_tlv_writer w = { .out = NULL, .room = SIZE_MAX };
    bj_tlv_put(&w, BJ_TLV_RESOURCE, 0, "", 0x1000000);
    assert_true(w.overflow);
}

static void lengths_at_their_borders(void **state) {
    (void) state;
    static const size_t lengths[] = { 0, 7, 8, 255, 256, 65535, 65536 };
    static uint8_t value[65536];
    static uint8_t out[65600];
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        bj_tlv_writer w = { .out = out, .room = sizeof out };
        const uint8_t *at = out;
        bj_tlv entry;
        bj_tlv_put(&w, BJ_TLV_RESOURCE, 255, value, lengths[i]);
        size_t left = w.used;
        assert_true(bj_tlv_next(&at, &left, &entry));
        assert_int_equal(entry.length, lengths[i]);
        assert_int_equal(entry.id, 255);
        assert_int_equal(left, 0);
        assert_int_equal(w.used - lengths[i], lengths[i] < 8 ? 2 : lengths[i] < 256 ? 3 : lengths[i] < 65536 ? 4 : 5);
    }
}

/* --- what holds for any content ------------------------------------------------------------------------------- */

enum { ENTRIES = 24 };

typedef struct content {
    size_t count;
    uint16_t ids[ENTRIES];
    size_t lengths[ENTRIES];
    uint8_t value[512];
} content;

static content random_content(uint64_t *seed) {
    content c = { .count = below(seed, ENTRIES) };
    fill_random(seed, c.value, sizeof c.value);
    for (size_t i = 0; i < c.count; i++) {
        c.ids[i] = (uint16_t) (below(seed, 2) ? below(seed, 30) : below(seed, 65536));
        c.lengths[i] = below(seed, 3) ? below(seed, 12) : below(seed, 400);
    }
    return c;
}

/* Resources, every third one multiple with one instance that has the value. */
static void put_content(bj_tlv_writer *w, const content *c) {
    for (size_t i = 0; i < c->count; i++) {
        if (i % 3 == 2) {
            size_t mark = bj_tlv_begin(w);
            bj_tlv_put(w, BJ_TLV_RESOURCE_INSTANCE, (uint16_t) i, c->value, c->lengths[i]);
            bj_tlv_end(w, mark, BJ_TLV_MULTIPLE, c->ids[i]);
        } else {
            bj_tlv_put(w, BJ_TLV_RESOURCE, c->ids[i], c->value, c->lengths[i]);
        }
    }
}

static void assert_content(const uint8_t *data, size_t length, const content *c) {
    bj_tlv entry;
    size_t i = 0;
    for (; bj_tlv_next(&data, &length, &entry); i++) {
        assert_true(i < c->count);
        assert_int_equal(entry.id, c->ids[i]);
        assert_int_equal(entry.type, i % 3 == 2 ? BJ_TLV_MULTIPLE : BJ_TLV_RESOURCE);
        if (i % 3 == 2) {
            bj_tlv inner;
            assert_true(bj_tlv_next(&entry.value, &entry.length, &inner));
            assert_int_equal(inner.id, i);
            entry = inner;
        }
        assert_int_equal(entry.length, c->lengths[i]);
        assert_memory_equal(entry.value, c->value, entry.length);
    }
    assert_int_equal(length, 0);
    assert_int_equal(i, c->count);
}

static void what_is_written_is_read_back(void **state) {
    (void) state;
    uint64_t seed = 11;
    for (int round = 0; round < 2000; round++) {
        static uint8_t out[16384];
        content c = random_content(&seed);
        bj_tlv_writer w = { .out = out, .room = sizeof out };
        BJ_TEXT(why, 200);
        size_t mark = bj_tlv_begin(&w);
        put_content(&w, &c);
        bj_tlv_end(&w, mark, BJ_TLV_INSTANCE, 7);
        assert_false(w.overflow);
        assert_true(bj_tlv_check(out, w.used, &why));
        const uint8_t *at = out;
        size_t left = w.used;
        bj_tlv instance;
        assert_true(bj_tlv_next(&at, &left, &instance));
        assert_int_equal(instance.id, 7);
        assert_content(instance.value, instance.length, &c);
    }
}

/* Cut anywhere but between entries, a payload is damaged. */
static void cut_payloads_are_refused(void **state) {
    (void) state;
    bytes whole = hex(psk_account);
    for (size_t cut = 1; cut < whole.length; cut++) {
        uint8_t *part = tight(whole.at, cut);
        BJ_TEXT(why, 200);
        assert_false(bj_tlv_check(part, cut, &why));
        assert_true(why.used > 0);
        free(part);
    }
}

static void any_bytes_are_survived(void **state) {
    (void) state;
    uint64_t seed = 12;
    bytes whole = hex(psk_account);
    for (int round = 0; round < 20000; round++) {
        uint8_t data[96];
        size_t length = round % 2 ? whole.length : below(&seed, sizeof data);
        fill_random(&seed, data, length);
        if (round % 2) {
            memcpy(data, whole.at, length);
            data[below(&seed, (uint32_t) length)] = (uint8_t) next_random(&seed);
        }
        uint8_t *copy = tight(data, length);
        BJ_TEXT(why, 200);
        BJ_TEXT(text, 600);
        bj_tlv_check(copy, length, &why);
        bj_tlv_print(&text, copy, length, round % 3 ? "/0" : NULL);
        free(copy);
    }
}

/* --- printing ------------------------------------------------------------------------------------------------- */

static void known_objects_lend_their_types(void **state) {
    (void) state;
    assert_printed(server_minimum, "/1/0", "{0: 1, 1: 86400, 6: false, 7: \"U\"}");
    assert_printed("08 00 0F C1 00 01 C4 01 00 01 51 80 C1 06 00 C1 07 55", "/1",
                   "{0: {0: 1, 1: 86400, 6: false, 7: \"U\"}}");
    assert_printed("C1 00 01 C1 01 00 83 02 41 01 0F C1 03 01", "/2/0", "{0: 1, 1: 0, 2: {1: 15}, 3: 1}");
    assert_printed("84 10 42 00 C0 A8", "/0/1", "{16: {0: 49320}}");
    assert_printed("C4 11 00 15 00 02", "/0/1", "{17: 21:2}");
    assert_printed("C1 06 05", "/1/0", "{6: 0x05}");
}

static void unknown_objects_are_guessed(void **state) {
    (void) state;
    assert_printed("C1 00 01 C2 01 68 69 C0 02 C3 03 01 02 03", "/3303/0",
                   "{0: 0x01, 1: \"hi\", 2: \"\", 3: 0x010203}");
    assert_printed("C1 00 01", NULL, "{0: 0x01}");
    assert_printed("C1 00 01 C8", "/3303", "{0: 0x01, 1 damaged bytes}");
    assert_printed("", "/1", "{}");
}

static void secrets_are_shown_by_their_length(void **state) {
    (void) state;
    assert_printed(psk_account, "/0",
                   "{0: {0: \"coaps://s.example\", 1: false, 2: 0, 3: <3 bytes>, 4: \"\", 5: <16 bytes>, 10: 1}}");
    assert_printed("C8 05 09 31 32 33 34 35 36 37 38 39", "/0/7", "{5: <9 bytes>}");
    assert_printed("C1 05 41", "/0/7/5", "{5: <1 byte>}");
    /* Where the target is not known, what could be a key is treated as one. */
    assert_printed("C8 05 09 31 32 33 34 35 36 37 38 39", NULL, "{5: <9 bytes>}");
    assert_printed("C8 00 09 31 32 33 34 35 36 37 38 39", "/21/0", "{0: <9 bytes>}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_account),
        cmocka_unit_test(bootstrap_account),
        cmocka_unit_test(account_with_a_key),
        cmocka_unit_test(access_control),
        cmocka_unit_test(vectors_of_the_test_specification),
        cmocka_unit_test(integers_at_their_borders),
        cmocka_unit_test(integers_of_other_lengths_are_none),
        cmocka_unit_test(floats_are_short_where_that_is_exact),
        cmocka_unit_test(damage_is_named),
        cmocka_unit_test(what_is_unusual_but_lawful_passes),
        cmocka_unit_test(a_damaged_entry_leaves_its_length),
        cmocka_unit_test(the_writer_keeps_to_its_room),
        cmocka_unit_test(what_is_too_long_for_a_length_overflows),
        cmocka_unit_test(lengths_at_their_borders),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(cut_payloads_are_refused),
        cmocka_unit_test(any_bytes_are_survived),
        cmocka_unit_test(known_objects_lend_their_types),
        cmocka_unit_test(unknown_objects_are_guessed),
        cmocka_unit_test(secrets_are_shown_by_their_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
