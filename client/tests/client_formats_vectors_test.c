/* SPDX-License-Identifier: Apache-2.0
 *
 * Payloads in every content format, written down by hand or computed independently: what they mean, what the client
 * writes, and what is refused with which reason.
 */
#include "formats_support.h"

static const bjc_path server_0 = { 2, { 1, 0 } };
static const bjc_path object_1 = { 1, { 1 } };
static const bjc_path instance_0 = { 2, { EVERYTHING, 0 } };

#define SENML_JSON                                                                                                     \
    "[{\"bn\":\"/1/0/\",\"n\":\"0\",\"v\":1},{\"n\":\"1\",\"v\":86400},{\"n\":\"6\",\"vb\":false},"                    \
    "{\"n\":\"7\",\"vs\":\"U\"}]"
#define SENML_CBOR                                                                                                     \
    "84 A3 21 65 2F 31 2F 30 2F 00 61 30 02 01 A2 00 61 31 02 1A 00 01 51 80 A2 00 61 36 04 F4 "                       \
    "A2 00 61 37 03 61 55"
#define LWM2M_CBOR "A1 01 A1 00 A4 00 01 01 1A 00 01 51 80 06 F4 07 61 55"
#define LWM2M_JSON                                                                                                     \
    "{\"bn\":\"/1/0/\",\"e\":[{\"n\":\"0\",\"v\":1},{\"n\":\"1\",\"v\":86400},{\"n\":\"6\",\"bv\":false},"             \
    "{\"n\":\"7\",\"sv\":\"U\"}]}"

static void expect_read(furnished *f, bjc_path path, int number, const char *payload) {
    uint8_t expected[400];
    size_t length = payload_of(payload, expected);
    bjc_buffer out;
    bjc_buffer_init(&out, &f->core.allocator);
    assert_int_equal(bjc_model_read(&f->model, &path, bjc_format_find(number), true, &out), BOOTJACK_OK);
    assert_int_equal(out.length, length);
    assert_memory_equal(out.data, expected, length);
    bjc_buffer_free(&out);
}

/* The same account in all formats, at the level of the instance and of the Object. */
static void the_same_account(void **state) {
    (void) state;
    static const struct {
        int format;
        bjc_path target;
        const char *payload;
    } rows[] = {
        { BJC_FORMAT_TLV, { 2, { 1, 0 } }, "C1 00 01 C4 01 00 01 51 80 C1 06 00 C1 07 55" },
        { BJC_FORMAT_SENML_JSON, { 2, { 1, 0 } }, SENML_JSON },
        { BJC_FORMAT_SENML_JSON, { 1, { 1 } }, SENML_JSON },
        { BJC_FORMAT_SENML_CBOR, { 2, { 1, 0 } }, SENML_CBOR },
        { BJC_FORMAT_SENML_CBOR, { 1, { 1 } }, SENML_CBOR },
        { BJC_FORMAT_LWM2M_CBOR, { 2, { 1, 0 } }, LWM2M_CBOR },
        { BJC_FORMAT_LWM2M_CBOR, { 1, { 1 } }, LWM2M_CBOR },
        { BJC_FORMAT_LWM2M_CBOR, { 2, { 1, 0 } }, "A1 82 01 00 A4 00 01 01 1A 00 01 51 80 06 F4 07 61 55" },
        { BJC_FORMAT_LWM2M_CBOR,
          { 2, { 1, 0 } },
          "BF 9F 01 00 FF BF 00 01 01 1A 00 01 51 80 06 F4 07 7F 60 61 55 FF FF FF" },
        { BJC_FORMAT_JSON, { 2, { 1, 0 } }, LWM2M_JSON },
        { BJC_FORMAT_JSON,
          { 2, { 1, 0 } },
          "{\"e\":[{\"n\":\"0\",\"v\":1},{\"v\":864e2,\"n\":\"1\"},{\"n\":\"6\",\"bv\":false},{\"n\":\"7\",\"sv\":"
          "\"\\u0055\"}]}" },
        { BJC_FORMAT_JSON,
          { 2, { 1, 0 } },
          "{\"bt\":1.5,\"e\":[{\"n\":\"1/0/0\",\"v\":1,\"t\":0},{\"n\":\"1/0/1\",\"v\":86400},{\"n\":\"1/0/6\",\"bv\":"
          "false},{\"n\":\"1/0/7\",\"sv\":\"U\"}],\"bn\":\"\\/\",\"x\":[{}]}" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        furnished f;
        furnish(&f);
        assert_int_equal(write_payload(&f.model, rows[i].target, rows[i].format, rows[i].payload), BOOTJACK_OK);
        expect_read(&f, server_0, BJC_FORMAT_TLV, "C1 00 01 C4 01 00 01 51 80 C1 06 00 C1 07 55");
        expect_read(&f, server_0, BJC_FORMAT_SENML_JSON, SENML_JSON);
        expect_read(&f, server_0, BJC_FORMAT_SENML_CBOR, SENML_CBOR);
        expect_read(&f, server_0, BJC_FORMAT_LWM2M_CBOR, LWM2M_CBOR);
        expect_read(&f, server_0, BJC_FORMAT_JSON, LWM2M_JSON);
        expect_read(&f, object_1, BJC_FORMAT_LWM2M_CBOR, LWM2M_CBOR);
        unfurnish(&f);
    }
}

static void single_resources(void **state) {
    (void) state;
    static const bjc_path lifetime = { 3, { 1, 0, 1 } }, storing = { 3, { 1, 0, 6 } }, binding = { 3, { 1, 0, 7 } };
    furnished f;
    furnish(&f);
    assert_int_equal(write_payload(&f.model, server_0, BJC_FORMAT_SENML_CBOR, SENML_CBOR), BOOTJACK_OK);
    expect_read(&f, lifetime, BJC_FORMAT_CBOR, "1A 00 01 51 80");
    expect_read(&f, storing, BJC_FORMAT_CBOR, "F4");
    expect_read(&f, binding, BJC_FORMAT_CBOR, "61 55");
    expect_read(&f, lifetime, BJC_FORMAT_TEXT, "38 36 34 30 30");
    expect_read(&f, lifetime, BJC_FORMAT_SENML_JSON, "[{\"bn\":\"/1/0/1\",\"v\":86400}]");
    expect_read(&f, lifetime, BJC_FORMAT_JSON, "{\"bn\":\"/1/0/1\",\"e\":[{\"v\":86400}]}");
    expect_read(&f, lifetime, BJC_FORMAT_SENML_CBOR, "81 A2 21 66 2F 31 2F 30 2F 31 02 1A 00 01 51 80");
    expect_read(&f, lifetime, BJC_FORMAT_LWM2M_CBOR, "A1 83 01 00 01 1A 00 01 51 80");
    assert_int_equal(write_payload(&f.model, lifetime, BJC_FORMAT_CBOR, "18 3C"), BOOTJACK_OK);
    assert_int_equal(bjc_store_integer(&f.server, 0, 1, 0), 60);
    assert_int_equal(write_payload(&f.model, lifetime, BJC_FORMAT_LWM2M_CBOR, "A1 83 01 00 01 18 3D"), BOOTJACK_OK);
    assert_int_equal(bjc_store_integer(&f.server, 0, 1, 0), 61);
    assert_int_equal(write_payload(&f.model, lifetime, BJC_FORMAT_SENML_JSON, "[{\"bn\":\"/1/0/1\",\"v\":62}]"),
                     BOOTJACK_OK);
    assert_int_equal(bjc_store_integer(&f.server, 0, 1, 0), 62);
    assert_int_equal(write_payload(&f.model, lifetime, BJC_FORMAT_JSON, "{\"bn\":\"/1/0/1\",\"e\":[{\"v\":63}]}"),
                     BOOTJACK_OK);
    assert_int_equal(bjc_store_integer(&f.server, 0, 1, 0), 63);
    /* Nothing and too much. */
    assert_int_equal(write_payload(&f.model, lifetime, BJC_FORMAT_SENML_JSON, "[]"), BOOTJACK_ERR_FORMAT);
    assert_int_equal(write_payload(&f.model, lifetime, BJC_FORMAT_LWM2M_CBOR, "A0"), BOOTJACK_ERR_FORMAT);
    assert_int_equal(write_payload(&f.model, lifetime, BJC_FORMAT_CBOR, "18 3C 00"), BOOTJACK_ERR_FORMAT);
    assert_int_equal(write_payload(&f.model, server_0, BJC_FORMAT_CBOR, "18 3C"), BOOTJACK_ERR_FORMAT);
    unfurnish(&f);
}

/* Several instances of two Objects' worth of entries, in an order that no tree has. */
static void any_order(void **state) {
    (void) state;
    bench b;
    char text[600];
    bench_open(&b);
    bjc_path object = { 1, { EVERYTHING } };
    assert_int_equal(write_payload(&b.model, object, BJC_FORMAT_SENML_JSON, "[{\"bn\":\"/9000/1/1\",\"v\":1}]"),
                     BOOTJACK_OK);
    assert_int_equal(write_payload(&b.model, object, BJC_FORMAT_SENML_JSON,
                                   "[{\"bn\":\"/9000/\",\"n\":\"0/1\",\"v\":5},{\"n\":\"1/11/3\",\"v\":7},"
                                   "{\"n\":\"0/11/9\",\"v\":8},{\"n\":\"0/2\",\"v\":6},{\"n\":\"1/11/1\",\"v\":9},"
                                   "{\"n\":\"4\"},{\"n\":\"0/12\"}]"),
                     BOOTJACK_OK);
    print_store(&b.store, text, sizeof text);
    assert_string_equal(text, "/0 /0/1/0=5 /0/2/0=6 /0/11/9=8 /1 /1/11/1=9 /1/11/3=7 /4 ");
    bjc_path multiple = { 3, { EVERYTHING, 1, 11 } };
    assert_int_equal(write_payload(&b.model, multiple, BJC_FORMAT_SENML_CBOR,
                                   "81 A3 21 6B 2F 39 30 30 30 2F 31 2F 31 31 2F 00 61 35 02 05"),
                     BOOTJACK_OK);
    print_store(&b.store, text, sizeof text);
    assert_string_equal(text, "/0 /0/1/0=5 /0/2/0=6 /0/11/9=8 /1 /1/11/5=5 /4 ");
    bench_close(&b);
}

typedef struct value_row {
    int format;
    const char *payload, *expected; /* NULL = refused */
} value_row;

/* One payload for /9000/0; `expected` without the instance itself. */
static void check_rows(const value_row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        bench b;
        char text[600] = "";
        bench_open(&b);
        bootjack_error error = write_payload(&b.model, instance_0, rows[i].format, rows[i].payload);
        if ((error == BOOTJACK_OK) != (rows[i].expected != NULL)) {
            fail_msg("%s: %s", rows[i].payload, bootjack_error_text(error));
        }
        print_store(&b.store, text, sizeof text);
        if (rows[i].expected) {
            assert_string_equal(strchr(text, ' ') + 1, rows[i].expected);
        } else {
            assert_string_equal(text, "");
        }
        bench_close(&b);
    }
}

#define J(record) BJC_FORMAT_SENML_JSON, "[{\"bn\":\"/9000/0/\"," record "}]"

static void senml_json(void **state) {
    (void) state;
    static const value_row rows[] = {
        { J("\"n\":\"1\",\"v\":9007199254740993"), "/0/1/0=9007199254740993 " },
        { J("\"n\":\"1\",\"v\":-9223372036854775808"), "/0/1/0=-9223372036854775808 " },
        { J("\"n\":\"1\",\"v\":9223372036854775808"), NULL },
        { J("\"n\":\"2\",\"v\":18446744073709551615"), "/0/2/0=18446744073709551615 " },
        { J("\"n\":\"2\",\"v\":18446744073709551616"), NULL },
        { J("\"n\":\"2\",\"v\":-1"), NULL },
        { J("\"n\":\"1\",\"v\":1.5e1"), "/0/1/0=15 " },
        { J("\"n\":\"1\",\"v\":150E-1"), "/0/1/0=15 " },
        { J("\"n\":\"1\",\"v\":1e400"), NULL },
        { J("\"n\":\"1\",\"v\":0e999999999999"), "/0/1/0=0 " },
        { J("\"n\":\"1\",\"v\":1.5"), NULL },
        { J("\"n\":\"3\",\"v\":-1.5"), "/0/3/0=-0x1.8p+0 " },
        { J("\"n\":\"3\",\"v\":1e400"), NULL },
        { J("\"n\":\"3\",\"v\":5e-324"), "/0/3/0=0x0.0000000000001p-1022 " },
        { J("\"n\":\"4\",\"vb\":true"), "/0/4/0=true " },
        { J("\"n\":\"4\",\"vb\":1"), NULL },
        { J("\"n\":\"4\",\"v\":1"), NULL },
        { J("\"n\":\"5\",\"vd\":\"AP_-\""), "/0/5/0=00FFFE " },
        { J("\"n\":\"5\",\"vd\":\"\\u0041P_-\""), "/0/5/0=00FFFE " },
        { J("\"n\":\"5\",\"vd\":\"\""), "/0/5/0= " },
        { J("\"n\":\"5\",\"vd\":\"AA==\""), NULL },
        { J("\"n\":\"5\",\"vd\":\"AB\""), NULL },
        { J("\"n\":\"5\",\"vd\":\"AP/+\""), NULL },
        { J("\"n\":\"5\",\"vs\":\"AP_-\""), NULL },
        { J("\"n\":\"6\",\"v\":1e9"), "/0/6/0=1000000000 " },
        { J("\"n\":\"7\",\"vlo\":\"3:65535\""), "/0/7/0=3:65535 " },
        { J("\"n\":\"7\",\"vlo\":\"3:65536\""), NULL },
        { J("\"n\":\"7\",\"vs\":\"3:0\""), NULL },
        { J("\"n\":\"0\",\"vlo\":\"3:0\""), NULL },
        { J("\"n\":\"0\",\"vs\":\"a\\\"\\\\\\/\\u00e4\\ud83d\\ude00\\n\""),
          "/0/0/0=a\"\\/\xC3\xA4\xF0\x9F\x98\x80\n " },
        { J("\"n\":\"0\",\"vs\":\"\\ud83d\""), NULL },
        { J("\"n\":\"0\",\"vs\":\"\\ude00\\ud83d\""), NULL },
        { J("\"n\":\"0\",\"vs\":\"\\x\""), NULL },
        { J("\"n\":\"0\",\"vs\":\"a\nb\""), NULL },
        { J("\"n\":\"0\",\"vs\":\"\xC3\x28\""), NULL },
        { J("\"n\":\"0\",\"vs\":null"), NULL },
        { J("\"n\":\"0\",\"v\":1"), NULL },
        { J("\"n\":\"1\",\"v\":1,\"t\":5,\"u\":\"s\",\"ut\":1,\"bt\":1.5,\"bu\":\"m\",\"bver\":10"), "/0/1/0=1 " },
        { J("\"n\":\"1\",\"v\":1,\"bver\":11"), NULL },
        { J("\"n\":\"1\",\"v\":1,\"bver\":\"10\""), NULL },
        { J("\"n\":\"1\",\"v\":1,\"t\":\"5\""), NULL },
        { J("\"n\":\"1\",\"v\":1,\"bv\":1"), NULL },
        { J("\"n\":\"1\",\"s\":1"), NULL },
        { J("\"n\":\"1\",\"v\":1,\"foo\":{\"a\":[1,{}],\"b\":null}"), "/0/1/0=1 " },
        { J("\"n\":\"1\",\"v\":1,\"foo_\":1"), NULL },
        { J("\"n\":\"1\",\"v\":1,\"f\":[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]"), NULL },
        { J("\"n\":\"1\",\"v\":1,\"v\":2"), NULL },
        { J("\"n\":\"1\",\"n\":\"1\",\"v\":1"), NULL },
        { J("\"bn\":\"/9000/0/\",\"n\":\"1\",\"v\":1"), NULL },
        { J("\"n\":\"1\",\"v\":1,\"vs\":\"a\""), NULL },
        { J("\"n\":\"1\",\"v\":1},{\"n\":\"1\",\"v\":2"), NULL },
        { J("\"n\":\"1\",\"v\":1},{\"n\":\"11\",\"v\":2"), NULL },
        { J("\"n\":\"1/0\",\"v\":2"), NULL },
        { J("\"n\":\"11/65535\",\"v\":2"), NULL },
        { J("\"n\":\"11/65534\",\"v\":2"), "/0/11/65534=2 " },
        { J("\"n\":\"11/0/0\",\"v\":2"), NULL },
        { J("\"n\":\"01\",\"v\":2"), NULL },
        { J("\"n\":\"1/\",\"v\":2"), NULL },
        { J("\"n\":\"\",\"v\":2"), NULL },
        { J("\"n\":\"1\",\"v\":01"), NULL },
        { J("\"n\":\"1\",\"v\":+1"), NULL },
        { J("\"n\":\"1\",\"v\":.5"), NULL },
        { J("\"n\":\"1\",\"v\":1."), NULL },
        { J("\"n\":\"1\""), NULL },
        { J("\"n\":\"99\",\"v\":1"), "" },
        { BJC_FORMAT_SENML_JSON, "[{\"bn\":\"/9000\"},{\"n\":\"/0/1\",\"v\":1}]", "/0/1/0=1 " },
        { BJC_FORMAT_SENML_JSON, "[{\"n\":\"/9000/0/1\",\"v\":1}, {\"bn\":\"/9000/0/2\" , \"v\":2}\r\n]\t",
          "/0/1/0=1 /0/2/0=2 " },
        { BJC_FORMAT_SENML_JSON, "[{\"n\":\"/9000/1/1\",\"v\":1}]", NULL },
        { BJC_FORMAT_SENML_JSON, "[{\"n\":\"/1/0/1\",\"v\":1}]", NULL },
        { BJC_FORMAT_SENML_JSON, "[{\"n\":\"9000/0/1\",\"v\":1}]", NULL },
        { BJC_FORMAT_SENML_JSON, "[{\"n\":\"/9000/0/1\",\"v\":1}]]", NULL },
        { BJC_FORMAT_SENML_JSON, "[{\"n\":\"/9000/0/1\",\"v\":1},]", NULL },
        { BJC_FORMAT_SENML_JSON, "{\"n\":\"/9000/0/1\",\"v\":1}", NULL },
        { BJC_FORMAT_SENML_JSON, "[1]", NULL },
        { BJC_FORMAT_SENML_JSON, "", NULL },
        { BJC_FORMAT_SENML_JSON, "[]", "" },
        { BJC_FORMAT_SENML_JSON, "[{}]", "" },
    };
    check_rows(rows, sizeof rows / sizeof *rows);
}

/* 68 2F393030302F302F = "/9000/0/" */
#define C(map, rest) BJC_FORMAT_SENML_CBOR, "81 A" map " 21 68 2F 39 30 30 30 2F 30 2F " rest

static void senml_cbor(void **state) {
    (void) state;
    static const value_row rows[] = {
        { C("3", "00 61 31 02 1B 7F FF FF FF FF FF FF FF"), "/0/1/0=9223372036854775807 " },
        { C("3", "00 61 31 02 3B 7F FF FF FF FF FF FF FF"), "/0/1/0=-9223372036854775808 " },
        { C("3", "00 61 31 02 1B 80 00 00 00 00 00 00 00"), NULL },
        { C("3", "00 61 31 02 3B 80 00 00 00 00 00 00 00"), NULL },
        { C("3", "00 61 32 02 1B FF FF FF FF FF FF FF FF"), "/0/2/0=18446744073709551615 " },
        { C("3", "00 61 32 02 20"), NULL },
        { C("3", "00 61 33 02 F9 3E 00"), "/0/3/0=0x1.8p+0 " },
        { C("3", "00 61 33 02 FA 3F C0 00 00"), "/0/3/0=0x1.8p+0 " },
        { C("3", "00 61 33 02 FB 3F F8 00 00 00 00 00 00"), "/0/3/0=0x1.8p+0 " },
        { C("3", "00 61 33 02 F9 00 01"), "/0/3/0=0x1p-24 " },
        { C("3", "00 61 33 02 05"), "/0/3/0=0x1.4p+2 " },
        { C("3", "00 61 31 02 F9 C5 00"), "/0/1/0=-5 " },
        { C("3", "00 61 31 02 F9 3E 00"), NULL },
        { C("3", "00 61 31 02 FB 43 E0 00 00 00 00 00 00"), NULL },
        { C("3", "00 61 34 04 F5"), "/0/4/0=true " },
        { C("3", "00 61 34 02 01"), NULL },
        { C("3", "00 61 34 04 01"), NULL },
        { C("3", "00 61 34 04 F6"), NULL },
        { C("3", "00 61 35 08 42 00 FF"), "/0/5/0=00FF " },
        { C("3", "00 61 35 08 5F 41 00 40 41 FF FF"), "/0/5/0=00FF " },
        { C("3", "00 61 35 08 5F 61 00 FF"), NULL },
        { C("3", "00 61 35 08 5F 5F 41 00 FF FF"), NULL },
        { C("3", "00 61 35 08 62 41 41"), NULL },
        { C("3", "00 61 36 02 C1 1A 00 01 51 80"), "/0/6/0=86400 " },
        { C("3", "00 61 31 02 C1 05"), NULL },
        { C("3", "00 61 36 02 C2 41 05"), NULL },
        { C("3", "00 61 37 63 76 6C 6F 63 33 3A 30"), "/0/7/0=3:0 " },
        { C("3", "00 61 37 03 63 33 3A 30"), NULL },
        { C("3", "00 61 30 03 7F 61 61 60 61 62 FF"), "/0/0/0=ab " },
        { C("3", "00 61 30 03 7F 61 C3 61 A4 FF"), NULL },
        { C("3", "00 61 30 03 61 C3"), NULL },
        { C("3", "00 7F 61 31 FF 02 01"), "/0/1/0=1 " },
        { C("3", "61 6E 61 31 02 01"), NULL },
        { C("4", "00 61 31 02 01 20 0A"), "/0/1/0=1 " },
        { C("4", "00 61 31 02 01 20 0B"), NULL },
        { C("4", "00 61 31 02 01 24 01"), NULL },
        { C("4", "00 61 31 02 01 02 02"), NULL },
        { C("4", "00 61 31 02 01 00 61 31"), NULL },
        { C("4", "00 61 31 02 01 18 63 82 01 A1 02 9F FF"), "/0/1/0=1 " },
        { C("4", "00 61 31 02 01 18 63 FF"), NULL },
        { C("4", "00 61 31 02 01 62 61 5F 01"), NULL },
        { C("4", "00 61 31 02 01 61 61 81 81 81 81 81 81 81 81 81 81 81 81 81 81 81 81 81 81 01"), NULL },
        { C("4", "00 61 31 02 01 F5 01"), NULL },
        { BJC_FORMAT_SENML_CBOR, "9F BF 00 6A 2F 39 30 30 30 2F 30 2F 31 31 02 01 FF FF", NULL },
        { BJC_FORMAT_SENML_CBOR, "9F BF 00 69 2F 39 30 30 30 2F 30 2F 31 02 01 FF FF", "/0/1/0=1 " },
        { BJC_FORMAT_SENML_CBOR, "9F BF 00 69 2F 39 30 30 30 2F 30 2F 31 02 01 FF FF 00", NULL },
        { BJC_FORMAT_SENML_CBOR, "9B FF FF FF FF FF FF FF FF A2 00 69 2F 39 30 30 30 2F 30 2F 31 02 01", NULL },
        { BJC_FORMAT_SENML_CBOR, "81 A2 00 5B FF FF FF FF FF FF FF FF 41", NULL },
        { BJC_FORMAT_SENML_CBOR, "A0", NULL },
        { BJC_FORMAT_SENML_CBOR, "", NULL },
        { BJC_FORMAT_SENML_CBOR, "80", "" },
    };
    check_rows(rows, sizeof rows / sizeof *rows);
}

/* 19 2328 = 9000 */
#define L(rest) BJC_FORMAT_LWM2M_CBOR, "A1 82 19 23 28 00 " rest

static void lwm2m_cbor(void **state) {
    (void) state;
    static const value_row rows[] = {
        { L("A1 01 20"), "/0/1/0=-1 " },
        { L("A1 03 F9 3E 00"), "/0/3/0=0x1.8p+0 " },
        { L("A1 03 07"), "/0/3/0=0x1.cp+2 " },
        { L("A1 01 F9 3C 00"), NULL },
        { L("A1 05 41 AB"), "/0/5/0=AB " },
        { L("A1 06 C1 05"), "/0/6/0=5 " },
        { L("A1 06 C1 F9 3C 00"), NULL },
        { L("A1 06 C1 C1 05"), NULL },
        { L("A1 07 63 33 3A 30"), "/0/7/0=3:0 " },
        { L("A1 07 63 33 3A 78"), NULL },
        { L("A1 0B A2 00 05 03 06"), "/0/11/0=5 /0/11/3=6 " },
        { L("A1 82 0B 03 06"), "/0/11/3=6 " },
        { L("A2 82 0B 03 06 82 0B 01 05"), "/0/11/1=5 /0/11/3=6 " },
        { L("A1 0B A0"), "" },
        { L("A1 01 A0"), NULL },
        { L("A1 01 A1 00 05"), NULL },
        { L("A1 0B 05"), NULL },
        { L("A1 0B A1 00 A1 00 05"), NULL },
        { L("A1 80 05"), NULL },
        { L("A1 81 81 01 05"), NULL },
        { L("A1 61 31 05"), NULL },
        { L("A1 20 05"), NULL },
        { L("A1 19 FF FF 05"), NULL },
        { L("A1 1A 00 01 00 01 05"), NULL },
        { L("A1 01 80"), NULL },
        { L("A1 01 F6"), NULL },
        { L("A2 01 05 01 06"), NULL },
        { L("A1 01"), NULL },
        { L("A1 01 05 00"), NULL },
        { L("BF 01 05 FF"), "/0/1/0=5 " },
        { L("BF 01 FF"), NULL },
        { L("05"), NULL },
        { L("A0"), "" },
        { BJC_FORMAT_LWM2M_CBOR, "A1 83 19 23 28 00 01 05", "/0/1/0=5 " },
        { BJC_FORMAT_LWM2M_CBOR, "A1 84 19 23 28 00 0B 02 05", "/0/11/2=5 " },
        { BJC_FORMAT_LWM2M_CBOR, "A1 85 19 23 28 00 0B 02 00 05", NULL },
        { BJC_FORMAT_LWM2M_CBOR, "A1 19 23 28 A1 01 A1 01 05", NULL },
        { BJC_FORMAT_LWM2M_CBOR, "A1 01 A0", NULL },
        { BJC_FORMAT_LWM2M_CBOR, "A2 19 23 28 A1 00 A1 01 05 82 19 23 28 00 A1 02 06", NULL },
        { BJC_FORMAT_LWM2M_CBOR, "81 01", NULL },
        { BJC_FORMAT_LWM2M_CBOR, "", NULL },
        { BJC_FORMAT_LWM2M_CBOR, "A0", "" },
    };
    check_rows(rows, sizeof rows / sizeof *rows);
}

#define O(record) BJC_FORMAT_JSON, "{\"bn\":\"/9000/0/\",\"e\":[{" record "}]}"

static void lwm2m_json(void **state) {
    (void) state;
    static const value_row rows[] = {
        { O("\"n\":\"1\",\"v\":9007199254740993"), "/0/1/0=9007199254740993 " },
        { O("\"n\":\"5\",\"sv\":\"AP/+\""), "/0/5/0=00FFFE " },
        { O("\"n\":\"5\",\"sv\":\"A\\u0050/+\""), "/0/5/0=00FFFE " },
        { O("\"n\":\"5\",\"sv\":\"AP_-\""), NULL },
        { O("\"n\":\"7\",\"ov\":\"3:0\""), "/0/7/0=3:0 " },
        { O("\"n\":\"7\",\"sv\":\"3:0\""), NULL },
        { O("\"n\":\"4\",\"bv\":true"), "/0/4/0=true " },
        { O("\"n\":\"4\",\"bv\":\"true\""), NULL },
        { O("\"n\":\"11/2\",\"v\":4"), "/0/11/2=4 " },
        { O("\"n\":\"1\",\"v\":4,\"sv\":\"a\""), NULL },
        { O("\"n\":\"1\",\"n\":\"2\",\"v\":4"), NULL },
        { O("\"n\":\"1\""), NULL },
        { O("\"n\":\"0\",\"sv\":\"a\"},{\"n\":\"1\",\"v\":4"), "/0/0/0=a /0/1/0=4 " },
        { BJC_FORMAT_JSON, "{\"bn\":\"/9000/0/\",\"bn\":\"/9000/0/\",\"e\":[]}", NULL },
        { BJC_FORMAT_JSON, "{\"bn\":\"/9000/0/\"}", NULL },
        { BJC_FORMAT_JSON, "{\"bn\":\"/9000/1/\",\"e\":[{\"n\":\"1\",\"v\":4}]}", NULL },
        { BJC_FORMAT_JSON, "{\"bn\":\"/9000/0/\",\"e\":[]}", "" },
        { BJC_FORMAT_JSON, "{\"bn\":\"/9000/0/\",\"e\":[]}}", NULL },
        { BJC_FORMAT_JSON, "[]", NULL },
        { BJC_FORMAT_JSON, "", NULL },
    };
    check_rows(rows, sizeof rows / sizeof *rows);
    bench b;
    bench_open(&b);
    bjc_path object = { 1, { EVERYTHING } };
    assert_int_equal(write_payload(&b.model, object, BJC_FORMAT_JSON, "{\"bn\":\"/9000/0/\",\"e\":[]}"),
                     BOOTJACK_ERR_FORMAT);
    bench_close(&b);
}

static void tlv_duplicates(void **state) {
    (void) state;
    static const value_row rows[] = {
        { BJC_FORMAT_TLV, "C1 01 05 C1 01 06", NULL },
        { BJC_FORMAT_TLV, "03 00 C1 01 05 03 00 C1 01 05", NULL },
        { BJC_FORMAT_TLV, "86 0B 41 00 01 41 00 02", NULL },
        { BJC_FORMAT_TLV, "83 0B 41 00 01 C1 01 06", "/0/1/0=6 /0/11/0=1 " },
        { BJC_FORMAT_TLV, "E1 FF FF 06", NULL },
    };
    check_rows(rows, sizeof rows / sizeof *rows);
}

/* A payload that stops somewhere is refused, wherever it stops. */
static void truncated(void **state) {
    (void) state;
    static const struct {
        int format;
        const char *payload;
    } rows[] = {
        { BJC_FORMAT_SENML_JSON, SENML_JSON },
        { BJC_FORMAT_SENML_CBOR, SENML_CBOR },
        { BJC_FORMAT_LWM2M_CBOR, LWM2M_CBOR },
        { BJC_FORMAT_LWM2M_CBOR, "BF 9F 01 00 FF BF 00 01 01 1A 00 01 51 80 07 7F 60 61 55 FF FF FF" },
        { BJC_FORMAT_JSON, LWM2M_JSON },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t bytes[300];
        size_t length = payload_of(rows[i].payload, bytes);
        for (size_t cut = 0; cut < length; cut++) {
            furnished f;
            furnish(&f);
            uint8_t *copy = malloc(cut + 1);
            assert_non_null(copy);
            memcpy(copy, bytes, cut);
            assert_int_equal(bjc_model_write(&f.model, &server_0, bjc_format_find(rows[i].format), copy, cut),
                             BOOTJACK_ERR_FORMAT);
            assert_null(bjc_store_instance(&f.server, 0));
            free(copy);
            unfurnish(&f);
        }
    }
}

static void releases(void **state) {
    (void) state;
    static const struct {
        int format;
        bootjack_version since;
    } rows[] = { { 0, 10 },  { 42, 10 },  { 11542, 10 }, { 11543, 10 },
                 { 60, 11 }, { 110, 11 }, { 112, 11 },   { 11544, 12 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (unsigned release = BOOTJACK_LWM2M_1_0; release <= BOOTJACK_LWM2M_1_2; release++) {
            const bjc_format *format = bjc_format_of_release(rows[i].format, (bootjack_version) release);
            assert_int_equal(format != NULL, release >= (unsigned) rows[i].since);
        }
    }
    assert_null(bjc_format_find(BJC_FORMAT_LINK));
    assert_null(bjc_format_find(4711));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_account), cmocka_unit_test(single_resources), cmocka_unit_test(any_order),
        cmocka_unit_test(senml_json),       cmocka_unit_test(senml_cbor),       cmocka_unit_test(lwm2m_cbor),
        cmocka_unit_test(lwm2m_json),       cmocka_unit_test(tlv_duplicates),   cmocka_unit_test(truncated),
        cmocka_unit_test(releases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
