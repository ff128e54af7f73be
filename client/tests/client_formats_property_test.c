/* SPDX-License-Identifier: Apache-2.0
 *
 * What holds for all values and all bytes: what one format writes, every format carries on to the same values; whatever
 * arrives is read or refused, and what is refused changes nothing; memory may run out anywhere. Seeds are fixed.
 */
#include "formats_support.h"

#define TEXT_SIZE 65536

static const int tree_formats[] = { BJC_FORMAT_TLV, BJC_FORMAT_SENML_JSON, BJC_FORMAT_SENML_CBOR,
                                    BJC_FORMAT_LWM2M_CBOR };
#define TREE_FORMATS (sizeof tree_formats / sizeof *tree_formats)

static uint64_t seed;

/* SplitMix64. */
static uint64_t any_number(void) {
    uint64_t z = seed += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static unsigned below(unsigned limit) {
    return (unsigned) (any_number() % limit);
}

/* Of every size, and often at an edge. */
static uint64_t any_size(void) {
    uint64_t number = any_number() >> below(64);
    return below(4) ? number : (UINT64_C(1) << below(64)) - below(2);
}

static double any_real(void) {
    static const double edges[] = { 0.0,
                                    -0.0,
                                    1.5,
                                    -65504,
                                    65505,
                                    65536,
                                    131008,
                                    5e-324,
                                    1.7976931348623157e308,
                                    0.1,
                                    9007199254740993.0,
                                    5.960464477539063e-8,
                                    3.4028234663852886e38,
                                    3.4028236e38 };
    uint64_t bits = any_number();
    double real;
    memcpy(&real, &bits, sizeof real);
    bool finite = real - real == 0;
    if (!finite || below(4) == 0) {
        return edges[below(sizeof edges / sizeof *edges)];
    }
    return below(2) ? real : (double) (int64_t) any_size();
}

static const uint8_t *any_bytes(bool text, size_t *length) {
    static uint8_t bytes[300];
    static const char *const pieces[] = {
        "a", "\"", "\\", "/", "\n", "\x7F", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "{[", "0:1", "\x01"
    };
    size_t wanted = below(8) ? below(12) : below(280);
    *length = 0;
    while (*length < wanted) {
        const char *piece = pieces[below(sizeof pieces / sizeof *pieces)];
        do {
            bytes[(*length)++] = text ? (uint8_t) *piece++ : (uint8_t) any_number();
        } while (text && *piece);
    }
    return bytes;
}

static bootjack_value any_value(bootjack_type type) {
    bootjack_value value = { .type = type };
    switch (type) {
    case BOOTJACK_TYPE_INTEGER:
    case BOOTJACK_TYPE_TIME:
        value.as.integer = (int64_t) (below(2) ? any_size() : 0 - any_size());
        break;
    case BOOTJACK_TYPE_UNSIGNED:
        value.as.unsigned_integer = any_size();
        break;
    case BOOTJACK_TYPE_FLOAT:
        value.as.real = any_real();
        break;
    case BOOTJACK_TYPE_BOOLEAN:
        value.as.boolean = below(2);
        break;
    case BOOTJACK_TYPE_OBJLNK:
        value.as.link.object = (uint16_t) any_size();
        value.as.link.instance = (uint16_t) any_number();
        break;
    default:
        value.as.bytes.data = any_bytes(type != BOOTJACK_TYPE_OPAQUE, &value.as.bytes.length);
    }
    return value;
}

static void any_resource(bjc_store *store, uint16_t iid, const bootjack_resource *resource) {
    unsigned count = resource->flags & BOOTJACK_MULTIPLE ? 1 + below(3) : 1;
    for (unsigned i = 0; i < count; i++) {
        bootjack_value value = any_value(resource->type);
        uint16_t riid = resource->flags & BOOTJACK_MULTIPLE ? (uint16_t) (below(2) ? below(3) : below(65535)) : 0;
        assert_int_equal(bjc_store_set(store, iid, resource->id, riid, &value), BOOTJACK_OK);
    }
}

/* Every instance has a resource at least: not every format can show one without. */
static void any_tree(bjc_store *store) {
    unsigned instances = 1 + below(3);
    for (unsigned i = 0; i < instances; i++) {
        uint16_t iid = (uint16_t) (below(2) ? i : 100 + below(65000));
        bootjack_error error = bjc_store_create(store, iid);
        assert_true(error == BOOTJACK_OK || error == BOOTJACK_ERR_EXISTS);
        any_resource(store, iid, &everything_resources[below(everything.resource_count)]);
        for (size_t r = 0; r < everything.resource_count; r++) {
            if (below(3) == 0) {
                any_resource(store, iid, &everything_resources[r]);
            }
        }
    }
}

/* From one model through a payload into another. */
static bool carry(bench *from, bench *to, bjc_path target, int number) {
    bjc_buffer payload;
    const bjc_format *format = bjc_format_find(number);
    bjc_buffer_init(&payload, &from->core.allocator);
    bootjack_error error = bjc_model_read(&from->model, &target, format, true, &payload);
    if (error == BOOTJACK_ERR_NOT_ACCEPTABLE) {
        bjc_buffer_free(&payload);
        return false;
    }
    assert_int_equal(error, BOOTJACK_OK);
    assert_int_equal(bjc_model_write(&to->model, &target, format, payload.data, payload.length), BOOTJACK_OK);
    bjc_buffer_free(&payload);
    return true;
}

static void expect_same(const bjc_store *a, const bjc_store *b) {
    static char text_a[TEXT_SIZE], text_b[TEXT_SIZE];
    print_store(a, text_a, sizeof text_a);
    print_store(b, text_b, sizeof text_b);
    assert_string_equal(text_a, text_b);
}

static void whole_objects(void **state) {
    (void) state;
    bjc_path object = { 1, { EVERYTHING } };
    for (unsigned round = 0; round < 300; round++) {
        seed = (uint64_t) round << 32;
        bench a, b, c;
        bench_open(&a);
        any_tree(&a.store);
        for (size_t i = 0; i < TREE_FORMATS * TREE_FORMATS; i++) {
            bench_open(&b);
            bench_open(&c);
            assert_true(carry(&a, &b, object, tree_formats[i / TREE_FORMATS]));
            expect_same(&a.store, &b.store);
            assert_true(carry(&b, &c, object, tree_formats[i % TREE_FORMATS]));
            expect_same(&a.store, &c.store);
            bench_close(&b);
            bench_close(&c);
        }
        bench_close(&a);
    }
}

static void instances_and_resources(void **state) {
    (void) state;
    static const int formats[] = { BJC_FORMAT_TEXT,       BJC_FORMAT_OPAQUE,     BJC_FORMAT_CBOR,
                                   BJC_FORMAT_SENML_JSON, BJC_FORMAT_SENML_CBOR, BJC_FORMAT_TLV,
                                   BJC_FORMAT_LWM2M_CBOR, BJC_FORMAT_JSON };
    unsigned carried[sizeof formats / sizeof *formats] = { 0 };
    for (unsigned round = 0; round < 600; round++) {
        seed = (uint64_t) round << 40;
        bench a, b;
        size_t which = round % (sizeof formats / sizeof *formats);
        const bootjack_resource *resource = &everything_resources[below(everything.resource_count)];
        bjc_path target = { 3, { EVERYTHING, (uint16_t) below(65535), resource->id } };
        bench_open(&a);
        bench_open(&b);
        assert_int_equal(bjc_store_create(&a.store, target.ids[1]), BOOTJACK_OK);
        any_resource(&a.store, target.ids[1], resource);
        if (carry(&a, &b, target, formats[which])) {
            expect_same(&a.store, &b.store);
            carried[which]++;
        }
        /* The same instance again, over what is there: replaced. */
        target.depth = 2;
        bootjack_error error = bjc_store_create(&b.store, target.ids[1]);
        assert_true(error == BOOTJACK_OK || error == BOOTJACK_ERR_EXISTS);
        any_resource(&b.store, target.ids[1], &everything_resources[below(everything.resource_count)]);
        assert_true(carry(&a, &b, target, tree_formats[round % TREE_FORMATS]));
        expect_same(&a.store, &b.store);
        bench_close(&a);
        bench_close(&b);
    }
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        assert_true(carried[i] > 0);
    }
}

/* A good payload with some bytes changed, cut, or nothing but noise. */
static size_t spoil(uint8_t *bytes, size_t length) {
    static const uint8_t tasty[] = { 0x00, 0x1B, 0x3B, 0x5B, 0x5F, 0x7F, 0x9B, 0x9F, 0xBB, 0xBF, 0xC1, 0xF9, 0xFB, 0xFF,
                                     '"',  '\\', '[',  ']',  '{',  '}',  ':',  ',',  '-',  '0',  'e',  '.',  'u' };
    for (unsigned i = 0, count = below(4); i < count && length > 0; i++) {
        bytes[below((unsigned) length)] = below(2) ? tasty[below(sizeof tasty)] : (uint8_t) any_number();
    }
    if (below(4) == 0) {
        length = length ? below((unsigned) length + 1) : 0;
    }
    if (below(8) == 0) {
        length = below(40);
        for (size_t i = 0; i < length; i++) {
            bytes[i] = below(2) ? tasty[below(sizeof tasty)] : (uint8_t) any_number();
        }
    }
    return length;
}

static void spoilt_payload(bench *a, bench *b, unsigned round) {
    static const int formats[] = { 0, 42, 60, 110, 112, 11542, 11543, 11544 };
    static char before[TEXT_SIZE], after[TEXT_SIZE];
    uint8_t bytes[4096];
    int written = tree_formats[round % TREE_FORMATS];
    bjc_path target = { below(8) ? 1 : 1 + below(3), { EVERYTHING, 0, (uint16_t) below(18) } };
    bjc_path whole = { 1, { EVERYTHING } };
    bjc_buffer payload;
    bjc_buffer_init(&payload, &a->core.allocator);
    assert_int_equal(bjc_model_read(&a->model, &whole, bjc_format_find(written), true, &payload), BOOTJACK_OK);
    size_t length = payload.length < sizeof bytes ? payload.length : sizeof bytes;
    memcpy(bytes, payload.data, length);
    bjc_buffer_free(&payload);
    length = spoil(bytes, length);
    uint8_t *exact = malloc(length + !length); /* so that a sanitizer sees every byte read beyond it */
    assert_non_null(exact);
    memcpy(exact, bytes, length);
    const bjc_format *format = bjc_format_find(below(8) ? written : formats[below(8)]);
    print_store(&b->store, before, sizeof before);
    if (bjc_model_write(&b->model, &target, format, exact, length) != BOOTJACK_OK) {
        print_store(&b->store, after, sizeof after);
        assert_string_equal(before, after);
    }
    free(exact);
}

static void spoilt_payloads(void **state) {
    (void) state;
    bench a, b;
    bench_open(&a);
    bench_open(&b);
    seed = 7;
    any_tree(&a.store);
    any_tree(&b.store);
    for (unsigned round = 0; round < 8000; round++) {
        if (round % 200 == 0) {
            bench_close(&a);
            bench_close(&b);
            bench_open(&a);
            bench_open(&b);
            any_tree(&a.store);
            any_tree(&b.store);
        }
        spoilt_payload(&a, &b, round);
    }
    bench_close(&a);
    bench_close(&b);
}

/* --- memory ----------------------------------------------------------------------------------------------------- */

static void *rationed(void *context, size_t size) {
    unsigned *left = context;
    if (*left == 0) {
        return NULL;
    }
    --*left;
    return malloc(size);
}

static void release(void *context, void *memory) {
    (void) context;
    free(memory);
}

static void no_memory(void **state) {
    (void) state;
    static const struct {
        int format;
        const char *payload;
    } rows[] = {
        { BJC_FORMAT_SENML_JSON, "[{\"bn\":\"/9000/0/\",\"n\":\"0\",\"vs\":\"\\n\"},{\"n\":\"5\",\"vd\":\"\\u0041A\"},"
                                 "{\"n\":\"11/3\",\"v\":5}]" },
        { BJC_FORMAT_LWM2M_CBOR, "A1 82 19 23 28 00 A3 00 7F 61 61 FF 05 5F 41 00 FF 0B A1 03 05" },
        { BJC_FORMAT_TLV, "C1 00 61 C1 05 00 83 0B 41 03 05" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool done = false;
        for (unsigned allowed = 0; !done; allowed++) {
            bench b;
            char text[200];
            unsigned left = 1000;
            bench_open(&b);
            b.core.allocator = (bootjack_allocator){ rationed, release, &left };
            left = allowed;
            bootjack_error error =
                write_payload(&b.model, (bjc_path){ 2, { EVERYTHING, 0 } }, rows[i].format, rows[i].payload);
            done = error == BOOTJACK_OK;
            assert_true(done || error == BOOTJACK_ERR_MEMORY);
            print_store(&b.store, text, sizeof text);
            assert_int_equal(strlen(text) > 0, done);
            assert_in_range(allowed, 0, 100);
            bench_close(&b);
        }
    }
}

/* More entries than anything could hold, in little room. */
static void too_many(void **state) {
    (void) state;
    static uint8_t bytes[3 * 3000];
    bench b;
    bench_open(&b);
    for (size_t i = 0; i < 3000; i++) {
        bytes[3 * i] = 0xE0;
        bytes[3 * i + 1] = (uint8_t) ((1000 + i) >> 8);
        bytes[3 * i + 2] = (uint8_t) (1000 + i);
    }
    bjc_path target = { 2, { EVERYTHING, 0 } };
    assert_int_equal(bjc_model_write(&b.model, &target, bjc_format_find(BJC_FORMAT_TLV), bytes, sizeof bytes),
                     BOOTJACK_ERR_LIMIT);
    assert_null(b.store.instances);
    bench_close(&b);
}

/* What JSON and text cannot say is not written. */
static void not_a_number(void **state) {
    (void) state;
    bench b;
    bench_open(&b);
    double zero = 0;
    bootjack_value value = { .type = BOOTJACK_TYPE_FLOAT, .as.real = zero / zero };
    assert_int_equal(bjc_store_create(&b.store, 0), BOOTJACK_OK);
    assert_int_equal(bjc_store_set(&b.store, 0, 3, 0, &value), BOOTJACK_OK);
    static const struct {
        int format;
        bootjack_error error;
    } rows[] = {
        { BJC_FORMAT_TEXT, BOOTJACK_ERR_NOT_ACCEPTABLE },
        { BJC_FORMAT_SENML_JSON, BOOTJACK_ERR_NOT_ACCEPTABLE },
        { BJC_FORMAT_CBOR, BOOTJACK_OK },
        { BJC_FORMAT_SENML_CBOR, BOOTJACK_OK },
        { BJC_FORMAT_TLV, BOOTJACK_OK },
        { BJC_FORMAT_JSON, BOOTJACK_ERR_NOT_ACCEPTABLE },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bjc_path path = { 3, { EVERYTHING, 0, 3 } };
        bjc_buffer out;
        bjc_buffer_init(&out, &b.core.allocator);
        assert_int_equal(bjc_model_read(&b.model, &path, bjc_format_find(rows[i].format), true, &out), rows[i].error);
        bjc_buffer_free(&out);
    }
    bench_close(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_objects),   cmocka_unit_test(instances_and_resources),
        cmocka_unit_test(spoilt_payloads), cmocka_unit_test(no_memory),
        cmocka_unit_test(too_many),        cmocka_unit_test(not_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
