/* SPDX-License-Identifier: Apache-2.0
 *
 * TLV, text/plain, opaque, base64 and links, against vectors that were computed independently, and against payloads
 * that are broken.
 */
#include "support.h"

#include "formats/base64.h"
#include "formats/link.h"
#include "model/path.h"

#define SERVER_MINIMUM "C1 00 01 C4 01 00 01 51 80 C1 06 00 C1 07 55"

/* Lists the paths of a payload, "!" at the end when it is refused. */
static void list_paths(int number, bjc_path target, const uint8_t *payload, size_t length, char *out, size_t size) {
    bjc_reader reader;
    bjc_entry entry;
    bjc_read result;
    char path[BJC_PATH_TEXT];
    size_t used = 0;
    unsigned count = 0;
    bjc_reader_init(&reader, bjc_format_find(number), &target, payload, length);
    out[0] = '\0';
    while ((result = bjc_reader_next(&reader, &entry)) == BJC_READ_ENTRY && ++count < 1000) {
        int written = snprintf(out + used, size - used, "%s%s ", bjc_path_text(&entry.path, path),
                               entry.form == BJC_FORM_NOTHING ? "." : "");
        used += written > 0 && (size_t) written < size - used ? (size_t) written : 0;
    }
    assert_in_range(count, 0, 999);
    if (result == BJC_READ_ERROR) {
        snprintf(out + used, size - used, "!");
    }
}

static void expect_paths(bjc_path target, const char *hex, const char *expected) {
    uint8_t bytes[300];
    char out[500];
    list_paths(BJC_FORMAT_TLV, target, bytes, from_hex(hex, bytes), out, sizeof out);
    assert_string_equal(out, expected);
}

static const bjc_path object_1 = { 1, { 1 } };
static const bjc_path instance_1_0 = { 2, { 1, 0 } };
static const bjc_path resource_1_0_1 = { 3, { 1, 0, 1 } };

static void tlv_is_read(void **state) {
    (void) state;
    expect_paths(instance_1_0, SERVER_MINIMUM, "/1/0/0 /1/0/1 /1/0/6 /1/0/7 ");
    expect_paths(object_1, "08 00 0F " SERVER_MINIMUM, "/1/0. /1/0/0 /1/0/1 /1/0/6 /1/0/7 ");
    expect_paths(instance_1_0, "08 00 0F " SERVER_MINIMUM, "/1/0. /1/0/0 /1/0/1 /1/0/6 /1/0/7 ");
    expect_paths(object_1, "03 00 C1 00 01 03 07 C1 00 02", "/1/0. /1/0/0 /1/7. /1/7/0 ");
    expect_paths((bjc_path){ 2, { 2, 0 } }, "C1 00 01 C1 01 00 83 02 41 01 0F C1 03 01",
                 "/2/0/0 /2/0/1 /2/0/2/1 /2/0/3 ");
    expect_paths((bjc_path){ 1, { 2 } }, "08 00 11 C1 00 03 C1 01 00 83 02 41 00 1F C4 03 00 00 FF FF",
                 "/2/0. /2/0/0 /2/0/1 /2/0/2/0 /2/0/3 ");
    expect_paths((bjc_path){ 2, { 9, 0 } }, "E1 12 34 01", "/9/0/4660 ");
    expect_paths((bjc_path){ 2, { 2, 0 } }, "80 02 C1 03 01", "/2/0/2. /2/0/3 ");
    expect_paths(resource_1_0_1, "C1 01 05", "/1/0/1 ");
    expect_paths((bjc_path){ 3, { 2, 0, 2 } }, "86 02 41 00 01 41 07 02", "/2/0/2/0 /2/0/2/7 ");
    expect_paths(instance_1_0, "", "");
    expect_paths(object_1, "00 03", "/1/3. ");
}

static void broken_tlv_is_refused(void **state) {
    (void) state;
    expect_paths(object_1, SERVER_MINIMUM, "!");
    expect_paths(instance_1_0, "08 01 0F " SERVER_MINIMUM, "!");
    expect_paths(instance_1_0, "C1 00 01 C4 01 00 01 51", "/1/0/0 !");
    expect_paths(instance_1_0, "D8 00 FF FF FF 01", "!");
    expect_paths(instance_1_0, "C1", "!");
    expect_paths(instance_1_0, "41 00 01", "!");
    expect_paths(instance_1_0, "83 02 C1 00 01", "!");
    expect_paths(object_1, "05 00 03 00 C1 00 01", "/1/0. !");
    expect_paths(instance_1_0, "83 02 42 00 01", "!");
    expect_paths(resource_1_0_1, "C1 02 05", "!");
    expect_paths(resource_1_0_1, "C1 01 05 C1 01 06", "/1/0/1 !");
    expect_paths(resource_1_0_1, "", "!");
    /* A superfluous Object Instance is around everything or not there. */
    expect_paths(instance_1_0, "00 00 C1 00 01", "/1/0. !");
    expect_paths(instance_1_0, "C1 00 01 00 00", "/1/0/0 !");
    expect_paths(instance_1_0, "00 00 00 00", "/1/0. !");
    /* Every end of a good payload but its own is a mistake, or an end between two entries. */
    uint8_t bytes[100];
    char out[300];
    size_t length = from_hex("08 00 11 C1 00 03 C1 01 00 83 02 41 00 1F C4 03 00 00 FF FF", bytes);
    for (size_t cut = 1; cut < length; cut++) {
        list_paths(BJC_FORMAT_TLV, (bjc_path){ 1, { 2 } }, bytes, cut, out, sizeof out);
        assert_non_null(strchr(out, '!'));
    }
}

/* Anything at all is either read to its end or refused; nothing is read beyond it (seen by the sanitizers). */
static void any_bytes_end(void **state) {
    (void) state;
    uint32_t seed = 12345;
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t bytes[24];
        char out[600];
        size_t length = round % sizeof bytes;
        for (size_t i = 0; i < length; i++) {
            seed = seed * 1664525u + 1013904223u;
            bytes[i] = (uint8_t) (seed >> 24);
        }
        list_paths(BJC_FORMAT_TLV, (bjc_path){ round % 3 + 1, { 1, 0, 1 } }, bytes, length, out, sizeof out);
    }
}

static bootjack_error value_of(bjc_form form, const char *data, size_t length, bootjack_type type,
                               bootjack_value *value) {
    static bjc_buffer scratch;
    bjc_buffer_init(&scratch, &bjc_malloc_allocator);
    bjc_entry entry = { .form = form, .data = (const uint8_t *) data, .length = length };
    bootjack_error error = bjc_entry_value(&entry, type, &scratch, value);
    bjc_buffer_free(&scratch);
    return error;
}

static void tlv_values(void **state) {
    (void) state;
    bootjack_value value;
    assert_int_equal(value_of(BJC_FORM_TLV, "\xFF\xFF", 2, BOOTJACK_TYPE_INTEGER, &value), BOOTJACK_OK);
    assert_int_equal(value.as.integer, -1);
    assert_int_equal(value_of(BJC_FORM_TLV, "\0\0\xFF\xFF", 4, BOOTJACK_TYPE_INTEGER, &value), BOOTJACK_OK);
    assert_int_equal(value.as.integer, 65535);
    assert_int_equal(value_of(BJC_FORM_TLV, "\xC0\xA8", 2, BOOTJACK_TYPE_UNSIGNED, &value), BOOTJACK_OK);
    assert_int_equal(value.as.unsigned_integer, 49320);
    assert_int_equal(value_of(BJC_FORM_TLV, "", 0, BOOTJACK_TYPE_INTEGER, &value), BOOTJACK_ERR_TYPE);
    assert_int_equal(value_of(BJC_FORM_TLV, "abc", 3, BOOTJACK_TYPE_INTEGER, &value), BOOTJACK_ERR_TYPE);
    assert_int_equal(value_of(BJC_FORM_TLV, "\2", 1, BOOTJACK_TYPE_BOOLEAN, &value), BOOTJACK_ERR_TYPE);
    assert_int_equal(value_of(BJC_FORM_TLV, "\x3F\xC0\0\0", 4, BOOTJACK_TYPE_FLOAT, &value), BOOTJACK_OK);
    assert_true(value.as.real == 1.5);
    assert_int_equal(value_of(BJC_FORM_TLV, "\0\0\0", 3, BOOTJACK_TYPE_FLOAT, &value), BOOTJACK_ERR_TYPE);
    assert_int_equal(value_of(BJC_FORM_TLV, "\0\x15\xFF\xFF", 4, BOOTJACK_TYPE_OBJLNK, &value), BOOTJACK_OK);
    assert_int_equal(value.as.link.object, 21);
    assert_int_equal(value.as.link.instance, 65535);
    assert_int_equal(value_of(BJC_FORM_TLV, "\xC3\x28", 2, BOOTJACK_TYPE_STRING, &value), BOOTJACK_ERR_TYPE);
    assert_int_equal(value_of(BJC_FORM_TLV, "\xE2\x82\xAC", 3, BOOTJACK_TYPE_STRING, &value), BOOTJACK_OK);
    assert_int_equal(value_of(BJC_FORM_TLV, "\xC3\x28", 2, BOOTJACK_TYPE_OPAQUE, &value), BOOTJACK_OK);
}

static bootjack_error text_value(const char *text, bootjack_type type, bootjack_value *value) {
    return value_of(BJC_FORM_TEXT, text, strlen(text), type, value);
}

static void text_values(void **state) {
    (void) state;
    bootjack_value value;
    assert_int_equal(text_value("-86400", BOOTJACK_TYPE_INTEGER, &value), BOOTJACK_OK);
    assert_int_equal(value.as.integer, -86400);
    assert_int_equal(text_value("1.5e1", BOOTJACK_TYPE_FLOAT, &value), BOOTJACK_OK);
    assert_true(value.as.real == 15.0);
    assert_int_equal(text_value("3:65535", BOOTJACK_TYPE_OBJLNK, &value), BOOTJACK_OK);
    assert_int_equal(value.as.link.instance, 65535);
    static const char *const no_integers[] = { "", " 1", "1 ", "0x10", "1.0", "99999999999999999999", "-", "+" };
    for (size_t i = 0; i < sizeof no_integers / sizeof *no_integers; i++) {
        assert_int_equal(text_value(no_integers[i], BOOTJACK_TYPE_INTEGER, &value), BOOTJACK_ERR_TYPE);
    }
    assert_int_equal(text_value("-1", BOOTJACK_TYPE_UNSIGNED, &value), BOOTJACK_ERR_TYPE);
    assert_int_equal(text_value("true", BOOTJACK_TYPE_BOOLEAN, &value), BOOTJACK_ERR_TYPE);
    assert_int_equal(text_value("nan", BOOTJACK_TYPE_FLOAT, &value), BOOTJACK_ERR_TYPE);
    assert_int_equal(text_value("3:65536", BOOTJACK_TYPE_OBJLNK, &value), BOOTJACK_ERR_TYPE);
    assert_int_equal(text_value("3:", BOOTJACK_TYPE_OBJLNK, &value), BOOTJACK_ERR_TYPE);
    assert_int_equal(value_of(BJC_FORM_BYTES, "a", 1, BOOTJACK_TYPE_STRING, &value), BOOTJACK_ERR_FORMAT);
}

static void base64(void **state) {
    (void) state;
    static const struct {
        const char *plain, *encoded;
    } rows[] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foobar", "Zm9vYmFy" } };
    static const char *const broken[] = { "Zg", "Zg=", "Z===", "Zh==", "Zm9=", "Zm9v=", "Zg==Zg==", "Zm9_" };
    bjc_buffer buffer;
    bjc_buffer_init(&buffer, &bjc_malloc_allocator);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bjc_base64_encode(BJC_BASE64, (const uint8_t *) rows[i].plain, strlen(rows[i].plain), &buffer);
        assert_int_equal(buffer.length, strlen(rows[i].encoded));
        assert_memory_equal(buffer.length ? (const char *) buffer.data : "", rows[i].encoded, buffer.length);
        buffer.length = 0;
        assert_true(bjc_base64_decode(BJC_BASE64, (const uint8_t *) rows[i].encoded, strlen(rows[i].encoded), &buffer));
        assert_int_equal(buffer.length, strlen(rows[i].plain));
        buffer.length = 0;
    }
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        assert_false(bjc_base64_decode(BJC_BASE64, (const uint8_t *) broken[i], strlen(broken[i]), &buffer));
    }
    bjc_buffer_free(&buffer);
}

static void expect_written(furnished *f, bjc_path path, int number, const char *hex) {
    uint8_t expected[300];
    size_t length = from_hex(hex, expected);
    bjc_buffer out;
    bjc_buffer_init(&out, &f->core.allocator);
    assert_int_equal(bjc_model_read(&f->model, &path, bjc_format_find(number), true, &out), BOOTJACK_OK);
    assert_int_equal(out.length, length);
    assert_memory_equal(out.data, expected, length);
    bjc_buffer_free(&out);
}

/* What was read is written again byte for byte. */
static void tlv_is_written(void **state) {
    (void) state;
    furnished f;
    furnish(&f);
    assert_int_equal(write_hex(&f, object_1, "08 00 0F " SERVER_MINIMUM), BOOTJACK_OK);
    expect_written(&f, object_1, BJC_FORMAT_TLV, "08 00 0F " SERVER_MINIMUM);
    expect_written(&f, instance_1_0, BJC_FORMAT_TLV, SERVER_MINIMUM);
    expect_written(&f, resource_1_0_1, BJC_FORMAT_TLV, "C4 01 00 01 51 80");
    expect_written(&f, resource_1_0_1, BJC_FORMAT_TEXT, "38 36 34 30 30");
    assert_int_equal(write_hex(&f, (bjc_path){ 3, { 3, 0, 6 } }, "86 06 41 00 01 41 01 05"), BOOTJACK_OK);
    assert_int_equal(write_hex(&f, (bjc_path){ 3, { 3, 0, 7 } }, "88 07 08 42 00 0E D8 42 01 13 88"), BOOTJACK_OK);
    expect_written(&f, (bjc_path){ 3, { 3, 0, 6 } }, BJC_FORMAT_TLV, "86 06 41 00 01 41 01 05");
    expect_written(&f, (bjc_path){ 2, { 3, 0 } }, BJC_FORMAT_TLV,
                   "86 06 41 00 01 41 01 05 88 07 08 42 00 0E D8 42 01 13 88 83 0B 41 00 00 C2 10 55 54");
    unfurnish(&f);
}

static void links(void **state) {
    (void) state;
    bjc_buffer out;
    bjc_buffer_init(&out, &bjc_malloc_allocator);
    bjc_links list = { .out = &out };
    bjc_path path = { 2, { 0, 7 } };
    bjc_link_text(&list, "</>;lwm2m=1.1");
    bjc_link_begin(&list, &path);
    bjc_link_number(&list, "ssid", 101);
    bjc_link_string(&list, "uri", (const uint8_t *) "a\"b\\c", 5);
    bjc_buffer_byte(&out, 0);
    assert_string_equal((const char *) out.data, "</>;lwm2m=1.1,</0/7>;ssid=101;uri=\"a\\\"b\\\\c\"");
    bjc_buffer_free(&out);
}

static bool parses(const char *a, const char *b, bjc_path *path) {
    bjc_text segments[2] = { { a, strlen(a) }, { b ? b : "", b ? strlen(b) : 0 } };
    return bjc_path_parse(segments, b ? 2 : 1, path);
}

static void paths(void **state) {
    (void) state;
    bjc_path path;
    assert_true(bjc_path_parse(NULL, 0, &path));
    assert_int_equal(path.depth, 0);
    assert_true(parses("1", "65534", &path));
    assert_int_equal(path.ids[1], 65534);
    assert_false(parses("1", "65535", &path));
    assert_false(parses("01", NULL, &path));
    assert_false(parses("", "1", &path));
    assert_false(parses("1", "", &path));
    assert_false(parses("-1", NULL, &path));
    assert_false(parses("655340", NULL, &path));
    assert_false(parses("bs", NULL, &path));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tlv_is_read), cmocka_unit_test(broken_tlv_is_refused), cmocka_unit_test(any_bytes_end),
        cmocka_unit_test(tlv_values),  cmocka_unit_test(text_values),           cmocka_unit_test(base64),
        cmocka_unit_test(links),       cmocka_unit_test(tlv_is_written),        cmocka_unit_test(paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
