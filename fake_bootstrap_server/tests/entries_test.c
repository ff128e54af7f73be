/* SPDX-License-Identifier: Apache-2.0
 *
 * Values in every format: byte vectors, what strict readers refuse, what is written comes back, and no input harms.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/entries.h"
#include "wire/payload.h"
#include "wire_bytes.h"

static char line_room[8192];
static uint8_t room[8192];

/* Every entry of a payload on one line, full paths; the fault behind it. */
static const char *read_bytes(uint32_t format, const char *path, const uint8_t *data, size_t length) {
    bj_text out = bj_text_over(line_room, sizeof line_room);
    BJ_TEXT(why, 200);
    bj_path base = bj_path_of(path);
    bj_entries in;
    bj_entry entry;
    const char *blank = "";
    bj_entries_begin(&in, format, &base, data, length, room, sizeof room);
    while (bj_entries_next(&in, &entry, &why)) {
        bj_text_add(&out, blank);
        bj_path_print(&out, &entry.path);
        bj_text_add(&out, "=");
        bj_entry_print(&out, &entry);
        blank = " ";
    }
    if (in.damaged) {
        bj_text_printf(&out, "%s! %s", blank, why.start);
    }
    assert_false(bj_entries_next(&in, &entry, &why)); /* the end stays the end */
    return line_room;
}

static void assert_read_hex(uint32_t format, const char *path, const char *data, const char *want) {
    bytes b = hex(data);
    uint8_t *copy = tight(b.at, b.length);
    assert_string_equal(read_bytes(format, path, copy, b.length), want);
    free(copy);
}

static void assert_read_text(uint32_t format, const char *path, const char *data, const char *want) {
    uint8_t *copy = tight((const uint8_t *) data, strlen(data));
    assert_string_equal(read_bytes(format, path, copy, strlen(data)), want);
    free(copy);
}

/* --- what is written ------------------------------------------------------------------------------------------ */

static bj_entry at(const char *path, bj_entry entry) {
    entry.path = bj_path_of(path);
    return entry;
}

static bj_entry an_int(const char *path, int64_t value) {
    return at(path, (bj_entry){ .kind = BJ_ENTRY_INT, .integer = value });
}

static bj_entry a_bool(const char *path, bool value) {
    return at(path, (bj_entry){ .kind = BJ_ENTRY_BOOL, .integer = value });
}

static bj_entry a_string(const char *path, const char *text) {
    return at(path, (bj_entry){ .kind = BJ_ENTRY_STRING, .bytes = (const uint8_t *) text, .length = strlen(text) });
}

static bj_entry an_opaque(const char *path, const void *data, size_t length) {
    return at(path, (bj_entry){ .kind = BJ_ENTRY_OPAQUE, .bytes = data, .length = length });
}

static bj_entry a_real(const char *path, double value) {
    return at(path, (bj_entry){ .kind = BJ_ENTRY_FLOAT, .real = value });
}

static bj_entry a_link(const char *path, unsigned object, unsigned instance) {
    return at(path, (bj_entry){ .kind = BJ_ENTRY_OBJLNK, .integer = (int64_t) object << 16 | instance });
}

static size_t write_all(uint32_t format, const char *path, const bj_entry *entries, size_t count, uint8_t *out,
                        size_t size) {
    bj_path base = bj_path_of(path);
    bj_entry_writer w;
    bj_entries_write_begin(&w, format, &base, out, size);
    for (size_t i = 0; i < count; i++) {
        bj_entries_write(&w, &entries[i]);
    }
    return bj_entries_write_end(&w);
}

static void assert_written(uint32_t format, const char *path, const bj_entry *entries, size_t count, const char *want) {
    uint8_t out[1024];
    size_t length = write_all(format, path, entries, count, out, sizeof out);
    assert_hex(out, length, want);
}

static void assert_written_text(uint32_t format, const char *path, const bj_entry *entries, size_t count,
                                const char *want) {
    char out[1024];
    size_t length = write_all(format, path, entries, count, (uint8_t *) out, sizeof out - 1);
    out[length] = '\0';
    assert_string_equal(out, want);
}

static size_t server_account(bj_entry out[4]) {
    out[0] = an_int("/1/0/0", 1);
    out[1] = an_int("/1/0/1", 86400);
    out[2] = a_bool("/1/0/6", false);
    out[3] = a_string("/1/0/7", "U");
    return 4;
}

static const char account_line[] = "/1/0/0=1 /1/0/1=86400 /1/0/6=false /1/0/7=\"U\"";
static const char senml_json[] =
    "[{\"bn\":\"/1/0/\",\"n\":\"0\",\"v\":1},{\"n\":\"1\",\"v\":86400},{\"n\":\"6\",\"vb\":false},{\"n\":\"7\",\"vs\":"
    "\"U\"}]";
static const char senml_cbor[] = "84 A3 21 65 2F 31 2F 30 2F 00 61 30 02 01 A2 00 61 31 02 1A 00 01 51 80 A2 00 61 36 "
                                 "04 F4 A2 00 61 37 03 61 55";
static const char lwm2m_cbor[] = "A1 01 A1 00 A4 00 01 01 1A 00 01 51 80 06 F4 07 61 55";
static const char lwm2m_json[] = "{\"bn\":\"/1/0/\",\"e\":[{\"n\":\"0\",\"v\":1},{\"n\":\"1\",\"v\":86400},{\"n\":"
                                 "\"6\",\"bv\":false},{\"n\":\"7\",\"sv\":\"U\"}]}";

static void vectors_are_written(void **state) {
    (void) state;
    bj_entry account[4];
    size_t count = server_account(account);
    assert_written_text(BJ_FORMAT_SENML_JSON, "/1/0", account, count, senml_json);
    assert_written(BJ_FORMAT_SENML_CBOR, "/1/0", account, count, senml_cbor);
    assert_written(BJ_FORMAT_LWM2M_CBOR, "/1/0", account, count, lwm2m_cbor);
    assert_written_text(BJ_FORMAT_JSON, "/1/0", account, count, lwm2m_json);
    assert_written(BJ_FORMAT_CBOR, "/1/0/0", account, 1, "01");
    assert_written(BJ_FORMAT_CBOR, "/1/0/1", account + 1, 1, "1A 00 01 51 80");
    assert_written(BJ_FORMAT_CBOR, "/1/0/6", account + 2, 1, "F4");
    assert_written(BJ_FORMAT_CBOR, "/1/0/7", account + 3, 1, "61 55");
    assert_written_text(BJ_FORMAT_TEXT, "/1/0/1", account + 1, 1, "86400");
    assert_written_text(BJ_FORMAT_TEXT, "/1/0/6", account + 2, 1, "0");
    assert_written_text(BJ_FORMAT_OPAQUE, "/1/0/7", account + 3, 1, "U");
    bj_entry raw = at("/1/0/7", (bj_entry){ .kind = BJ_ENTRY_RAW, .bytes = (const uint8_t *) "U", .length = 1 });
    assert_written_text(BJ_FORMAT_SENML_JSON, "/1/0/7", &raw, 1, "[{\"bn\":\"/1/0/7\",\"vd\":\"VQ\"}]");
}

static void vectors_are_read(void **state) {
    (void) state;
    assert_read_text(BJ_FORMAT_SENML_JSON, "/1/0", senml_json, account_line);
    assert_read_hex(BJ_FORMAT_SENML_CBOR, "/1/0", senml_cbor, account_line);
    assert_read_hex(BJ_FORMAT_LWM2M_CBOR, "/1/0", lwm2m_cbor, account_line);
    assert_read_hex(BJ_FORMAT_LWM2M_CBOR, "/1/0", "A1 82 01 00 A4 00 01 01 1A 00 01 51 80 06 F4 07 61 55",
                    account_line);
    assert_read_text(BJ_FORMAT_JSON, "/1/0", lwm2m_json, account_line);
    assert_read_hex(BJ_FORMAT_TLV, "/1/0", "C1 00 01 C4 01 00 01 51 80 C1 06 00 C1 07 55",
                    "/1/0/0=1 /1/0/1=86400 /1/0/6=0 /1/0/7=85");
    assert_read_hex(BJ_FORMAT_TLV, "/1", "08 00 0F C1 00 01 C4 01 00 01 51 80 C1 06 00 C1 07 55",
                    "/1/0/0=1 /1/0/1=86400 /1/0/6=0 /1/0/7=85");
    assert_read_hex(BJ_FORMAT_CBOR, "/1/0/0", "01", "/1/0/0=1");
    assert_read_hex(BJ_FORMAT_CBOR, "/1/0/1", "1A 00 01 51 80", "/1/0/1=86400");
    assert_read_hex(BJ_FORMAT_CBOR, "/1/0/6", "F4", "/1/0/6=false");
    assert_read_hex(BJ_FORMAT_CBOR, "/1/0/7", "61 55", "/1/0/7=\"U\"");
    assert_read_text(BJ_FORMAT_TEXT, "/1/0/7", "U", "/1/0/7=\"U\"");
    assert_read_text(BJ_FORMAT_OPAQUE, "/5/0/0", "U", "/5/0/0=0x55");
}

/* Records of the conformance suite, of the Core document and of a Bootstrap-Read. */
static void more_vectors(void **state) {
    (void) state;
    assert_read_hex(BJ_FORMAT_SENML_CBOR, "/",
                    "83 A3 21 61 2F 00 65 31 2F 30 2F 32 02 18 65 A2 00 65 31 2F 30 2F 36 04 F5 A2 00 66 33 2F 30 2F "
                    "31 33 02 00",
                    "/1/0/2=101 /1/0/6=true /3/0/13=0");
    assert_read_text(BJ_FORMAT_SENML_JSON, "/2",
                     "[{\"bn\":\"/2/\",\"n\":\"0/0\",\"v\":1},{\"n\":\"0/1\",\"v\":0},{\"n\":\"0/2/127\",\"v\":7},{"
                     "\"n\":\"0/3\",\"v\":127},{\"n\":\"2/0\",\"v\":3}]",
                     "/2/0/0=1 /2/0/1=0 /2/0/2/127=7 /2/0/3=127 /2/2/0=3");
    assert_read_hex(BJ_FORMAT_SENML_CBOR, "/3/0", "81 A3 21 65 2F 33 2F 30 2F 00 61 30 03 63 4F 4D 41",
                    "/3/0/0=\"OMA\"");
    assert_read_hex(BJ_FORMAT_LWM2M_CBOR, "/3", "A1 83 03 00 00 63 4F 4D 41", "/3/0/0=\"OMA\"");
    assert_read_hex(BJ_FORMAT_LWM2M_CBOR, "/3",
                    "BF 83 03 00 00 63 4F 4D 41 9F 03 00 FF BF 07 A2 00 19 0E D8 01 05 FF FF",
                    "/3/0/0=\"OMA\" /3/0/7/0=3800 /3/0/7/1=5");
    assert_read_hex(BJ_FORMAT_LWM2M_CBOR, "/", "A0", "");
    assert_read_hex(BJ_FORMAT_LWM2M_CBOR, "/", "A1 05 A1 00 A0", "/5/0={}");
    assert_read_hex(BJ_FORMAT_LWM2M_CBOR, "/3/0", "A1 03 A1 00 A1 0D C1 1A 52 00 00 00", "/3/0/13=1375731712");
    assert_read_text(BJ_FORMAT_SENML_JSON, "/", "[]", "");
    assert_read_hex(BJ_FORMAT_SENML_CBOR, "/", "80", "");
}

static void every_type_is_read(void **state) {
    (void) state;
    assert_read_text(
        BJ_FORMAT_SENML_JSON, "/",
        " [ {\"v\" : -1.5e2 , \"n\":\"/9/0/1\", \"u\":\"V\", \"t\":12.5, \"extra\":{\"a\":[1,null,true]}},\r\n"
        "\t{\"bn\":\"/9/0/\",\"n\":\"2\",\"vlo\":\"3:65535\"},{\"n\":\"3\",\"vd\":\"-_8\"},"
        "{\"n\":\"4\",\"vs\":\"\\u00e9\\ud83d\\ude00\\n\\\"\"},{\"n\":\"5\",\"v\":18446744073709551615},"
        "{\"n\":\"6\",\"v\":-9223372036854775808},{\"n\":\"7/2\",\"v\":0.1},{\"n\":\"8\",\"v\":1e400}] ",
        "/9/0/1=-150 /9/0/2=3:65535 /9/0/3=0xfbff /9/0/4=\"\xC3\xA9\xF0\x9F\x98\x80\\n\\\"\" "
        "/9/0/5=18446744073709551615 /9/0/6=-9223372036854775808 /9/0/7/2=0.1 /9/0/8=inf");
    assert_read_text(BJ_FORMAT_SENML_JSON, "/",
                     "[{\"bver\":10,\"bn\":\"/9/0/\",\"bv\":20,\"n\":\"1\",\"v\":1},{\"n\":\"2\",\"v\":0.5}]",
                     "/9/0/1=21 /9/0/2=20.5");
    assert_read_hex(BJ_FORMAT_SENML_CBOR, "/",
                    "9F BF 00 66 2F 39 2F 30 2F 31 02 F9 3E 00 01 61 56 FF"
                    "A2 00 66 2F 39 2F 30 2F 32 63 76 6C 6F 63 33 3A 30"
                    "A2 00 66 2F 39 2F 30 2F 33 08 5F 42 01 02 41 03 FF"
                    "A3 00 66 2F 39 2F 30 2F 34 03 60 18 63 82 01 02"
                    "A2 00 66 2F 39 2F 30 2F 35 02 FA 3F 00 00 00"
                    "A2 00 66 2F 39 2F 30 2F 36 02 FB BF E0 00 00 00 00 00 00"
                    "A2 00 66 2F 39 2F 30 2F 37 02 3B 7F FF FF FF FF FF FF FF FF",
                    "/9/0/1=1.5 /9/0/2=3:0 /9/0/3=0x010203 /9/0/4=\"\" /9/0/5=0.5 /9/0/6=-0.5 "
                    "/9/0/7=-9223372036854775808");
    assert_read_text(
        BJ_FORMAT_JSON, "/3/0",
        "{\"e\":[{\"n\":\"0\",\"sv\":\"x\",\"t\":-5},{\"n\":\"1\",\"ov\":\"66:0\"}],\"bt\":100,\"bn\":\"/3/0/\"}",
        "/3/0/0=\"x\" /3/0/1=66:0");
    assert_read_text(BJ_FORMAT_JSON, "/3/0/9", "{\"bn\":\"/3/0/9\",\"e\":[{\"n\":\"\",\"v\":95}]}", "/3/0/9=95");
    assert_read_text(BJ_FORMAT_JSON, "/3/0/9", "{\"e\":[{\"v\":95}]}", "/3/0/9=95");
    assert_read_text(BJ_FORMAT_JSON, "/3/0", "{\"e\":[{\"n\":\"7/0\",\"v\":9.5}]}", "/3/0/7/0=9.5");
}

/* --- TLV ------------------------------------------------------------------------------------------------------ */

static void tlv_is_read_as_entries(void **state) {
    (void) state;
    assert_read_hex(BJ_FORMAT_TLV, "/2/0", "C1 00 01 C1 01 00 83 02 41 01 0F C1 03 01",
                    "/2/0/0=1 /2/0/1=0 /2/0/2/1=15 /2/0/3=1");
    assert_read_hex(BJ_FORMAT_TLV, "/2", "08 00 0B C1 00 01 C1 01 00 83 02 41 01 0F 00 05",
                    "/2/0/0=1 /2/0/1=0 /2/0/2/1=15 /2/5={}");
    assert_read_hex(BJ_FORMAT_TLV, "/2/0", "80 02 C1 03 01", "/2/0/2={} /2/0/3=1");
    assert_read_hex(BJ_FORMAT_TLV, "/1/0", "03 00 C1 00 01", "/1/0/0=1"); /* an instance's own header */
    assert_read_hex(BJ_FORMAT_TLV, "/1/0", "03 01 C1 00 01", "! /1/1/0 is not in /1/0");
    assert_read_hex(BJ_FORMAT_TLV, "/1", "C1 00 01", "! Resource 0 stands where Object Instances are due");
    assert_read_hex(BJ_FORMAT_TLV, NULL, "C1 00 01 83 02 41 01 0F", "/0=1 /2/1=15");
    assert_read_hex(BJ_FORMAT_TLV, "/1/0", "C4 00 01", "! an entry is longer than the 3 bytes that are left");
    assert_read_hex(BJ_FORMAT_TLV, "/0/0", "C8 05 09 73 45 63 52 65 54 6B 65 79", "/0/0/5=<9 bytes>");
}

/* --- what is refused ------------------------------------------------------------------------------------------ */

static void damaged_json(void **state) {
    (void) state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "", "no array of records" },
        { "{}", "no array of records" },
        { "[", "no record where one is due" },
        { "[1]", "no record where one is due" },
        { "[{}]", "a record has neither name nor value" },
        { "[{\"n\":\"/1/0/0\"}]", "a record has no value" },
        { "[{\"n\":\"/1/0/0\",\"v\":1,\"vb\":true}]", "a record has several values" },
        { "[{\"n\":\"/1/0/0\",\"v\":1,\"v\":1}]", "the field v stands twice in a record" },
        { "[{\"n\":\"/1/0/0\",\"v\":1}", "no comma between records" },
        { "[{\"n\":\"/1/0/0\",\"v\":1}{}]", "no comma between records" },
        { "[{\"n\":\"/1/0/0\",\"v\":1},]", "no record where one is due" },
        { "[{\"n\":\"/1/0/0\",\"v\":1}]x", "more behind the array" },
        { "[{\"n\":\"/1/0/0\" \"v\":1}]", "no comma between fields" },
        { "[{\"n\":\"/1/0/0\",\"v\":01}]", "the field v does not hold what it must" },
        { "[{\"n\":\"/1/0/0\",\"v\":1.}]", "the field v does not hold what it must" },
        { "[{\"n\":\"/1/0/0\",\"v\":+1}]", "the field v does not hold what it must" },
        { "[{\"n\":\"/1/0/0\",\"v\":\"1\"}]", "the field v does not hold what it must" },
        { "[{\"n\":\"/1/0/0\",\"vb\":1}]", "the field vb does not hold what it must" },
        { "[{\"n\":\"/1/0/0\",\"vs\":1}]", "the field vs does not hold what it must" },
        { "[{\"n\":\"/1/0/0\",\"vs\":\"\\x\"}]", "the field vs does not hold what it must" },
        { "[{\"n\":\"/1/0/0\",\"vs\":\"\\ud800\"}]", "the field vs does not hold what it must" },
        { "[{\"n\":\"/1/0/0\",\"vs\":\"\xC0\xAF\"}]", "the field vs does not hold what it must" },
        { "[{\"n\":\"/1/0/0\",\"vs\":\"\n\"}]", "the field vs does not hold what it must" },
        { "[{\"n\":\"/1/0/0\",\"vd\":\"AA==\"}]", "the value is no base64url" },
        { "[{\"n\":\"/1/0/0\",\"vd\":\"AB\"}]", "the value is no base64url" },
        { "[{\"n\":\"/1/0/0\",\"vd\":\"+/8\"}]", "the value is no base64url" },
        { "[{\"n\":\"/1/0/0\",\"vlo\":\"1:2:3\"}]", "the value is no Object Link" },
        { "[{\"n\":\"/1/0/0\",\"vlo\":\"70000:1\"}]", "the value is no Object Link" },
        { "[{\"n\":\"/1/0/0\",\"x_\":1,\"v\":1}]", "the field x_ must be understood" },
        { "[{\"bver\":11,\"n\":\"/1/0/0\",\"v\":1}]", "a version of SenML that is not known" },
        { "[{\"bver\":1.5,\"n\":\"/1/0/0\",\"v\":1}]", "a version of SenML that is not known" },
        { "[{\"n\":\"1/0/0\",\"v\":1}]", "no path: \"1/0/0\"" },
        { "[{\"n\":\"/1/0/65536\",\"v\":1}]", "no path: \"/1/0/65536\"" },
        { "[{\"n\":\"/1/0/0/0/0\",\"v\":1}]", "no path: \"/1/0/0/0/0\"" },
        { "[{\"n\":\"/1//0\",\"v\":1}]", "no path: \"/1//0\"" },
        { "[{\"n\":\"/1/00\",\"v\":1}]", "no path: \"/1/00\"" },
        { "[{\"n\":\"/0/0/1\",\"v\":1}]", "/0/0/1 is not in /1" },
        { "[{\"n\":\"/1/0/0\",\"y\":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]],\"v\":1}]",
          "the field y does not hold what it must" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char want[200];
        snprintf(want, sizeof want, "! %s", cases[i].want);
        const char *line =
            read_bytes(BJ_FORMAT_SENML_JSON, "/1", (const uint8_t *) cases[i].text, strlen(cases[i].text));
        const char *fault = strstr(line, "! ");
        assert_non_null(fault);
        assert_string_equal(fault, want);
    }
}

static void damaged_cbor(void **state) {
    (void) state;
    static const struct {
        uint32_t format;
        const char *data, *want;
    } cases[] = {
        { BJ_FORMAT_SENML_CBOR, "", "! no array of records" },
        { BJ_FORMAT_SENML_CBOR, "A0", "! no array of records" },
        { BJ_FORMAT_SENML_CBOR, "81", "! no record where one is due" },
        { BJ_FORMAT_SENML_CBOR, "81 01", "! no record where one is due" },
        { BJ_FORMAT_SENML_CBOR, "9C", "! no array of records" },
        { BJ_FORMAT_SENML_CBOR, "81 A2 00 66 2F 31 2F 30 2F 30 02 F6", "! the field 2 does not hold what it must" },
        { BJ_FORMAT_SENML_CBOR, "81 A2 00 66 2F 31 2F 30 2F 30 02 61 31", "! the field 2 does not hold what it must" },
        { BJ_FORMAT_SENML_CBOR, "81 A2 00 66 2F 31 2F 30 2F 30 08 61 31", "! the field 8 does not hold what it must" },
        { BJ_FORMAT_SENML_CBOR, "81 A2 00 66 2F 31 2F 30 2F 30 04 01", "! the field 4 does not hold what it must" },
        { BJ_FORMAT_SENML_CBOR, "81 A2 00 66 2F 31 2F 30 2F 30 03 61 FF", "! the field 3 does not hold what it must" },
        { BJ_FORMAT_SENML_CBOR, "81 A2 00 66 2F 31 2F 30 2F 30 02 3B 80 00 00 00 00 00 00 00",
          "/1/0/0=-9.223372036854776e+18" }, /* no integer of LwM2M any more, but a Float */
        { BJ_FORMAT_SENML_CBOR, "81 A2 00 66 2F 31 2F 30 2F 30 02 C4 82 01 02",
          "! the field 2 does not hold what it must" },
        { BJ_FORMAT_SENML_CBOR, "81 A2 00 66 2F 31 2F 30 2F 30 62 78 5F 01", "! the field x_ must be understood" },
        { BJ_FORMAT_SENML_CBOR, "81 A2 02 01 02 01", "! the field 2 stands twice in a record" },
        { BJ_FORMAT_SENML_CBOR, "81 A1 41 00 01", "! the label of a field is no number" },
        { BJ_FORMAT_SENML_CBOR, "81 A2 00 66 2F 31 2F 30 2F 30 02 01 00", "/1/0/0=1 ! more behind the array" },
        { BJ_FORMAT_SENML_CBOR, "9F A2 00 66 2F 31 2F 30 2F 30 02 01", "/1/0/0=1 ! no record where one is due" },
        { BJ_FORMAT_LWM2M_CBOR, "", "! no map where one is due" },
        { BJ_FORMAT_LWM2M_CBOR, "81 01", "! no map where one is due" },
        { BJ_FORMAT_LWM2M_CBOR, "A1 01 02", "! /1 is no Resource and has a value" },
        { BJ_FORMAT_LWM2M_CBOR, "A1 20 A0", "! a key is no id" },
        { BJ_FORMAT_LWM2M_CBOR, "A1 61 31 A0", "! a key is no id" },
        { BJ_FORMAT_LWM2M_CBOR, "A1 1A 00 01 00 00 A0", "! a key is no id" },
        { BJ_FORMAT_LWM2M_CBOR, "A1 80 A0", "! a key without ids" },
        { BJ_FORMAT_LWM2M_CBOR, "A1 85 01 00 00 00 00 01", "! a path of more than four ids" },
        { BJ_FORMAT_LWM2M_CBOR, "A1 01 A1 00 A1 07 A1 00 A1 00 01",
          "! maps are nested deeper than Resource Instances" },
        { BJ_FORMAT_LWM2M_CBOR, "A1 83 01 00 00 F6", "! a value is cut, or of no type" },
        { BJ_FORMAT_LWM2M_CBOR, "A1 83 01 00 00 81 01", "! a value is cut, or of no type" },
        { BJ_FORMAT_LWM2M_CBOR, "A1 83 01 00 00 1A 00", "! a value is cut, or of no type" },
        { BJ_FORMAT_LWM2M_CBOR, "A1 83 01 00 00 01 01", "/1/0/0=1 ! more behind the map" },
        { BJ_FORMAT_LWM2M_CBOR, "A1 83 00 00 00 01", "! /0/0/0 is not in /1" },
        { BJ_FORMAT_LWM2M_CBOR, "A2 83 01 00 00 01", "/1/0/0=1 ! a key is no id" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_read_hex(cases[i].format, "/1", cases[i].data, cases[i].want);
    }
    assert_read_hex(BJ_FORMAT_CBOR, "/1/0/0", "", "! it is no single CBOR value");
    assert_read_hex(BJ_FORMAT_CBOR, "/1/0/0", "01 01", "! 1 bytes behind the value");
    assert_read_hex(BJ_FORMAT_CBOR, "/1/0/0", "C1 59 00 00", "! it is no single CBOR value");
    assert_read_hex(BJ_FORMAT_CBOR, "/1/0/0", "7F 41 00 FF", "! it is no single CBOR value");
    assert_read_hex(BJ_FORMAT_TEXT, "/1/0/0", "FF", "! the text is not UTF-8");
}

static void damaged_old_json(void **state) {
    (void) state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "[]", "! no object" },
        { "{}", "! no e" },
        { "{\"e\":1}", "! e is no array" },
        { "{\"e\":[]}x", "! more behind the object" },
        { "{\"e\":[]", "! no comma between members" },
        { "{\"e\":[{\"n\":\"0\"}]}", "! an element has not one value" },
        { "{\"e\":[{\"n\":\"0\",\"v\":1,\"sv\":\"\"}]}", "! an element has not one value" },
        { "{\"e\":[{\"n\":\"0\",\"v\":1,\"v\":1}]}", "! the field v stands twice in an element" },
        { "{\"e\":[{\"n\":\"0\",\"bv\":1}]}", "! the field bv does not hold what it must" },
        { "{\"e\":[{\"n\":\"x\",\"v\":1}]}", "! no path: \"/1/0/x\"" },
        { "{\"bn\":\"/0/0/\",\"e\":[{\"n\":\"0\",\"v\":1}]}", "! /0/0/0 is not in /1/0" },
        { "{\"e\":[{\"n\":\"0\",\"v\":1} {}]}", "! it is no JSON" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_read_text(BJ_FORMAT_JSON, "/1/0", cases[i].text, cases[i].want);
    }
}

/* --- what holds for any content ------------------------------------------------------------------------------- */

static const uint32_t formats[] = { BJ_FORMAT_SENML_JSON, BJ_FORMAT_SENML_CBOR, BJ_FORMAT_LWM2M_CBOR, BJ_FORMAT_JSON };
enum { FORMATS = sizeof formats / sizeof formats[0], ENTRIES = 12, TEXTS = 200 };

static bj_entry random_entry(uint64_t *seed, uint8_t *text) {
    bj_entry entry = { .kind = (uint8_t) (BJ_ENTRY_STRING + below(seed, 7)) };
    uint64_t bits = next_random(seed) >> below(seed, 64);
    entry.bytes = text;
    entry.length = below(seed, TEXTS);
    for (size_t i = 0; i < entry.length; i++) {
        text[i] = entry.kind == BJ_ENTRY_OPAQUE ? (uint8_t) next_random(seed) : (uint8_t) below(seed, 128);
    }
    switch (entry.kind) {
    case BJ_ENTRY_INT:
        entry.integer = (int64_t) bits;
        break;
    case BJ_ENTRY_UINT:
        entry.integer = (int64_t) (bits | UINT64_C(1) << 63);
        break;
    case BJ_ENTRY_FLOAT:
        entry.real = ldexp((double) (int64_t) bits, (int) below(seed, 200) - 100);
        break;
    default:
        entry.integer = entry.kind == BJ_ENTRY_BOOL ? (int64_t) (bits & 1) : (int64_t) (bits & UINT32_MAX);
        break;
    }
    return entry;
}

/* Entries of one Object Instance in ascending order, some of them of a multiple Resource. */
static size_t random_entries(uint64_t *seed, bj_entry *out, uint8_t (*texts)[TEXTS]) {
    size_t count = below(seed, ENTRIES + 1);
    uint16_t object = (uint16_t) (3 + below(seed, 300)), instance = (uint16_t) below(seed, 65536);
    unsigned resource = below(seed, 4);
    for (size_t i = 0; i < count; i++) {
        out[i] = random_entry(seed, texts[i]);
        bool multiple = below(seed, 3) == 0;
        out[i].path =
            (bj_path){ .ids = { object, instance, (uint16_t) resource, (uint16_t) i }, .depth = multiple ? 4 : 3 };
        resource += multiple && below(seed, 2) && i + 1 < count ? 0 : 1 + below(seed, 300);
        if (i && out[i].path.ids[2] == out[i - 1].path.ids[2]) { /* a Resource is multiple, or it is not */
            out[i].path.depth = 4;
        }
    }
    return count;
}

static void what_is_written_comes_back(void **state) {
    (void) state;
    static uint8_t texts[ENTRIES][TEXTS], out[16384], space[16384];
    uint64_t seed = 11;
    for (unsigned round = 0; round < 3000; round++) {
        bj_entry entries[ENTRIES], seen;
        size_t count = random_entries(&seed, entries, texts);
        uint32_t format = formats[round % FORMATS];
        bj_path base = { .depth = 0 };
        if (count) {
            base = entries[0].path;
            base.depth = (uint8_t) below(&seed, 3);
        }
        bj_entry_writer w;
        bj_entries in;
        BJ_TEXT(why, 200);
        bj_entries_write_begin(&w, format, &base, out, sizeof out);
        for (size_t i = 0; i < count; i++) {
            bj_entries_write(&w, &entries[i]);
        }
        size_t length = bj_entries_write_end(&w);
        assert_true(length > 0);
        bj_entries_begin(&in, format, &base, out, length, space, length);
        for (size_t i = 0; i < count; i++) {
            if (!bj_entries_next(&in, &seen, &why)) {
                fail_msg("format %u, round %u: %s", format, round, why.start);
            }
            assert_memory_equal(seen.path.ids, entries[i].path.ids, seen.path.depth * sizeof seen.path.ids[0]);
            assert_int_equal(seen.path.depth, entries[i].path.depth);
            assert_true(bj_entry_same(&entries[i], &seen));
        }
        assert_false(bj_entries_next(&in, &seen, &why));
        assert_false(in.damaged);
    }
}

static void what_is_cut_is_damaged(void **state) {
    (void) state;
    bj_entry account[4];
    size_t count = server_account(account);
    for (size_t f = 0; f < FORMATS; f++) {
        uint8_t out[256];
        size_t length = write_all(formats[f], "/1/0", account, count, out, sizeof out);
        for (size_t cut = 0; cut < length; cut++) {
            uint8_t *copy = tight(out, cut);
            assert_non_null(strchr(read_bytes(formats[f], "/1/0", copy, cut), '!'));
            free(copy);
        }
        for (size_t size = 0; size < length; size++) { /* too little room to write to */
            uint8_t *small = tight(out, size);
            assert_int_equal(write_all(formats[f], "/1/0", account, count, small, size), 0);
            free(small);
        }
    }
}

static const uint32_t all_formats[] = { BJ_FORMAT_SENML_JSON, BJ_FORMAT_SENML_CBOR, BJ_FORMAT_LWM2M_CBOR,
                                        BJ_FORMAT_JSON,       BJ_FORMAT_TLV,        BJ_FORMAT_CBOR,
                                        BJ_FORMAT_TEXT,       BJ_FORMAT_OPAQUE };

static void survive(uint32_t format, const uint8_t *data, size_t length) {
    static const char *const paths[] = { NULL, "/1", "/1/0", "/3/0/7" };
    uint8_t *copy = tight(data, length), *space = tight(data, length);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        bj_text out = bj_text_over(line_room, sizeof line_room);
        bj_path base = bj_path_of(paths[i]);
        bj_entries in;
        bj_entries_begin(&in, format, &base, copy, length, space, length);
        bj_entries_print(&out, &in, &base);
        bj_entries_begin(&in, format, &base, copy, length, space, length);
        bj_entries_json(&out, &in);
        bj_payload_print(&out, format, false, copy, length, paths[i]);
        bj_payload_json(&out, format, copy, length);
    }
    free(copy);
    free(space);
}

static void no_bytes_do_harm(void **state) {
    (void) state;
    uint64_t seed = 5;
    uint8_t data[512];
    for (unsigned round = 0; round < 6000; round++) {
        uint32_t format = all_formats[round % (sizeof all_formats / sizeof all_formats[0])];
        size_t length = below(&seed, 60);
        fill_random(&seed, data, length);
        survive(format, data, length);
        if (round % 8 < FORMATS) { /* good ones with a few bad bytes */
            bj_entry account[4];
            length = write_all(formats[round % 8], "/1/0", account, server_account(account), data, sizeof data);
            for (unsigned n = below(&seed, 4); n; n--) {
                data[below(&seed, (uint32_t) length)] = (uint8_t) next_random(&seed);
            }
            survive(formats[round % 8], data, length);
        }
    }
    memset(data, 0x81, sizeof data); /* arrays in arrays, without end */
    for (size_t i = 0; i < sizeof all_formats / sizeof all_formats[0]; i++) {
        survive(all_formats[i], data, sizeof data);
    }
}

/* --- comparing ------------------------------------------------------------------------------------------------ */

static bool same_in(uint32_t format, const char *path, bj_entry wanted, const char *payload) {
    bj_entries in;
    bj_entry seen;
    BJ_TEXT(why, 200);
    bj_path base = bj_path_of(path);
    bj_entries_begin(&in, format, &base, (const uint8_t *) payload, strlen(payload), room, sizeof room);
    return bj_entries_next(&in, &seen, &why) && bj_entry_same(&wanted, &seen);
}

static void values_are_compared_by_type(void **state) {
    (void) state;
    bj_entry one = an_int("/1/0/0", 1), one_real = a_real("/1/0/0", 1), yes = a_bool("/1/0/0", true);
    const char *as_int = "[{\"n\":\"/1/0/0\",\"v\":1}]", *as_real = "[{\"n\":\"/1/0/0\",\"v\":1.0}]";
    const char *as_bool = "[{\"n\":\"/1/0/0\",\"vb\":true}]", *as_string = "[{\"n\":\"/1/0/0\",\"vs\":\"1\"}]";
    const char *as_link = "[{\"n\":\"/1/0/0\",\"vlo\":\"0:1\"}]", *link_text = "[{\"n\":\"/1/0/0\",\"vs\":\"0:1\"}]";
    assert_true(same_in(BJ_FORMAT_SENML_JSON, "/1", one, as_int));
    assert_true(same_in(BJ_FORMAT_SENML_JSON, "/1", one, as_real));
    assert_true(same_in(BJ_FORMAT_SENML_JSON, "/1", one_real, as_int));
    assert_false(same_in(BJ_FORMAT_SENML_JSON, "/1", one, as_bool));
    assert_false(same_in(BJ_FORMAT_SENML_JSON, "/1", one, as_string));
    assert_true(same_in(BJ_FORMAT_SENML_JSON, "/1", yes, as_bool));
    assert_false(same_in(BJ_FORMAT_SENML_JSON, "/1", yes, as_int));
    assert_true(same_in(BJ_FORMAT_SENML_JSON, "/1", a_link("", 0, 1), as_link));
    assert_false(same_in(BJ_FORMAT_SENML_JSON, "/1", one, as_link));
    assert_false(same_in(BJ_FORMAT_SENML_JSON, "/1", a_link("", 0, 1), link_text));
    assert_true(same_in(BJ_FORMAT_LWM2M_CBOR, "/1", a_link("", 0, 1),
                        "\xA1\x83\x01\x01\x01\x63"
                        "0:1"));
    assert_true(same_in(BJ_FORMAT_CBOR, "/1/0/1", a_string("", "0:1"),
                        "\x63"
                        "0:1"));
    assert_false(same_in(BJ_FORMAT_CBOR, "/1/0/1", an_opaque("", "0:1", 3),
                         "\x63"
                         "0:1"));
    assert_true(
        same_in(BJ_FORMAT_JSON, "/5/0", an_opaque("", "\xFB\xFF", 2), "{\"e\":[{\"n\":\"0\",\"sv\":\"+/8=\"}]}"));
    assert_false(
        same_in(BJ_FORMAT_JSON, "/5/0", an_opaque("", "\xFB\xFF", 2), "{\"e\":[{\"n\":\"0\",\"sv\":\"+/8\"}]}"));
}

static void text_is_read_as_the_type_that_is_wanted(void **state) {
    (void) state;
    assert_true(same_in(BJ_FORMAT_TEXT, "/1/0/1", an_int("", -5), "-5"));
    assert_false(same_in(BJ_FORMAT_TEXT, "/1/0/1", an_int("", 5), "5 "));
    assert_true(same_in(BJ_FORMAT_TEXT, "/1/0/1", a_bool("", true), "1"));
    assert_false(same_in(BJ_FORMAT_TEXT, "/1/0/1", a_bool("", true), "true"));
    assert_true(same_in(BJ_FORMAT_TEXT, "/1/0/1", a_real("", 0.1), "1e-1"));
    assert_true(same_in(BJ_FORMAT_TEXT, "/1/0/1", a_link("", 3, 65535), "3:65535"));
    assert_true(same_in(BJ_FORMAT_TEXT, "/1/0/1", an_opaque("", "\xFB\xFF", 2), "+/8="));
    assert_true(same_in(BJ_FORMAT_TLV, "/1/0", a_real("", 1.5), "\xC4\x01\x3F\xC0\x01\x01") == false);
    assert_true(same_in(BJ_FORMAT_TLV, "/1/0", a_real("", 5), "\xC1\x01\x05"));
    assert_true(same_in(BJ_FORMAT_TLV, "/1/0", a_link("", 0x4142, 0x4344),
                        "\xC4\x01"
                        "ABCD"));
}

/* --- printing ------------------------------------------------------------------------------------------------- */

static void assert_line(uint32_t format, const char *path, const char *payload, size_t length, const char *want) {
    bj_text out = bj_text_over(line_room, sizeof line_room);
    bj_payload_print(&out, format, false, (const uint8_t *) payload, length, path);
    assert_string_equal(line_room, want);
}

static void lines_for_people(void **state) {
    (void) state;
    bytes cbor = hex(senml_cbor), nested = hex(lwm2m_cbor);
    assert_line(BJ_FORMAT_SENML_JSON, "/1/0", senml_json, strlen(senml_json),
                " senml-json {0: 1, 1: 86400, 6: false, 7: \"U\"}");
    assert_line(BJ_FORMAT_SENML_CBOR, "/1", (char *) cbor.at, cbor.length,
                " senml-cbor {0/0: 1, 0/1: 86400, 0/6: false, 0/7: \"U\"}");
    assert_line(BJ_FORMAT_LWM2M_CBOR, NULL, (char *) nested.at, nested.length,
                " lwm2m-cbor {/1/0/0: 1, /1/0/1: 86400, /1/0/6: false, /1/0/7: \"U\"}");
    assert_line(BJ_FORMAT_JSON, "/1/0", lwm2m_json, strlen(lwm2m_json), " json {0: 1, 1: 86400, 6: false, 7: \"U\"}");
    assert_line(BJ_FORMAT_CBOR, "/1/0/1", "\x05", 1, " cbor 5");
}

static void secrets_are_lengths(void **state) {
    (void) state;
    static const char *const payloads[] = {
        "[{\"bn\":\"/0/0/\",\"n\":\"3\",\"vd\":\"c0VjUmVU\"},{\"n\":\"5\",\"vd\":\"c0VjUmVU\"}]",
        "[{\"n\":\"/21/0/5\",\"vs\":\"sEcReT\"}]",
        "[{\"n\":\"/24/0/8\",\"vs\":\"sEcReT\"}]",
        "[{\"n\":\"/23/0/2\",\"vs\":\"sEcReT\"}]",
    };
    static const char *const lines[] = { "{/0/0/3: <6 bytes>, /0/0/5: <6 bytes>}", "{/21/0/5: <6 bytes>}",
                                         "{/24/0/8: <6 bytes>}", "{/23/0/2: <6 bytes>}" };
    for (size_t i = 0; i < 4; i++) {
        char want[100];
        snprintf(want, sizeof want, " senml-json %s", lines[i]);
        assert_line(BJ_FORMAT_SENML_JSON, "/", payloads[i], strlen(payloads[i]), want);
        assert_line(BJ_FORMAT_SENML_JSON, "/1/0", payloads[i], strlen(payloads[i]), want); /* where it must not be */
    }
    assert_line(BJ_FORMAT_LWM2M_CBOR, "/0/0", "\xA1\x83\x00\x00\x05\x46sEcReT", 12, " lwm2m-cbor {5: <6 bytes>}");
    assert_line(BJ_FORMAT_CBOR, "/0/0/5", "\x46sEcReT", 7, " cbor <6 bytes>");
    assert_line(BJ_FORMAT_CBOR, NULL, "\x49sEcReTsEc", 10, " cbor <9 bytes>");
}

static void objects_for_programs(void **state) {
    (void) state;
    bj_text out = bj_text_over(line_room, sizeof line_room);
    bytes cut = hex("A1 83 01 00 00 01 01");
    bj_payload_json(&out, BJ_FORMAT_LWM2M_CBOR, cut.at, cut.length);
    assert_string_equal(line_room,
                        ",\"values\":[{\"path\":\"/1/0/0\",\"type\":\"integer\",\"value\":1}],\"values_fault\":"
                        "\"more behind the map\"");
    const char *json = "[{\"n\":\"/9/0/0\",\"vd\":\"AP8\"},{\"n\":\"/9/0/1\",\"vlo\":\"3:0\"}]";
    out = bj_text_over(line_room, sizeof line_room);
    bj_payload_json(&out, BJ_FORMAT_SENML_JSON, (const uint8_t *) json, strlen(json));
    assert_non_null(strstr(line_room, ",\"values\":[{\"path\":\"/9/0/0\",\"type\":\"opaque\",\"value\":\"00ff\"},"
                                      "{\"path\":\"/9/0/1\",\"type\":\"objlnk\",\"value\":\"3:0\"}]"));
}

static void assert_shortest(double value) {
    bj_entry real = a_real("/1/0/0", value);
    BJ_TEXT(printed, 64);
    char want[64];
    int digits = 6;
    do {
        snprintf(want, sizeof want, "%.*g", digits, value);
    } while (strtod(want, NULL) != value && ++digits <= 17);
    bj_entry_print(&printed, &real);
    assert_string_equal(printed.start, want);
}

/* Random bits are numbers of any size, those that are nearly zero among them; a number of few digits is the rule. */
static void reals_have_no_digit_too_many(void **state) {
    (void) state;
    uint64_t bits = 1;
    for (unsigned i = 0; i < 20000; i++) {
        double value;
        bits = bits * 6364136223846793005 + 1442695040888963407;
        uint64_t some = bits >> (i % 3 == 2 ? 12 + i % 52 : 0); /* of a third the exponent is 0 */
        memcpy(&value, &some, sizeof value);
        assert_shortest(value);
        assert_shortest((double) (int64_t) (bits >> 40) / 1000);
    }
    const double edges[] = { 0,    -0.0,       0.1,       1.5,       1e15,   1e16,    1e22,
                             1e23, 0x1p53 + 2, 0x1p-1074, 0x1p-1022, 0x1p52, INFINITY };
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        assert_shortest(edges[i]);
        assert_shortest(-edges[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_are_written),
        cmocka_unit_test(vectors_are_read),
        cmocka_unit_test(more_vectors),
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(tlv_is_read_as_entries),
        cmocka_unit_test(damaged_json),
        cmocka_unit_test(damaged_cbor),
        cmocka_unit_test(damaged_old_json),
        cmocka_unit_test(what_is_written_comes_back),
        cmocka_unit_test(what_is_cut_is_damaged),
        cmocka_unit_test(no_bytes_do_harm),
        cmocka_unit_test(values_are_compared_by_type),
        cmocka_unit_test(text_is_read_as_the_type_that_is_wanted),
        cmocka_unit_test(lines_for_people),
        cmocka_unit_test(reals_have_no_digit_too_many),
        cmocka_unit_test(secrets_are_lengths),
        cmocka_unit_test(objects_for_programs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
