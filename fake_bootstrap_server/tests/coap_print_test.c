/* SPDX-License-Identifier: Apache-2.0
 *
 * How messages look: the line for people, which hides secrets in every format, and the object for programs.
 */
#include "wire/coap.h"
#include "wire_bytes.h"

static char room[16384];

static const char *line_at(const bj_coap *message, const char *path) {
    bj_text text = bj_text_over(room, sizeof room);
    bj_coap_print_at(&text, message, path);
    return room;
}

static void assert_line(const char *data, const char *want) {
    bytes b = hex(data);
    bj_coap m;
    assert_int_equal(bj_coap_decode(&m, b.at, b.length), BJ_COAP_OK);
    assert_string_equal(line_at(&m, NULL), want);
}

static bj_coap with_payload(uint8_t code, const char *path, uint32_t format, const void *payload, size_t length) {
    static uint8_t format_room[4];
    bj_coap m = { .version = 1, .code = code, .mid = 1, .payload = payload, .payload_length = length };
    assert_true(bj_coap_add_path(&m, BJ_COAP_URI_PATH, path));
    assert_true(bj_coap_add_uint(&m, BJ_COAP_CONTENT_FORMAT, format, format_room));
    return m;
}

static void assert_payload(const char *path, uint32_t format, const char *payload, const char *want) {
    bj_coap m = with_payload(BJ_COAP_CODE(0, 3), path, format, payload, strlen(payload));
    const char *line = line_at(&m, NULL);
    const char *behind = strstr(line, "] ");
    assert_non_null(behind);
    assert_string_equal(behind + 2, want);
}

static void messages_in_one_line(void **state) {
    (void) state;
    assert_line("42 02 12 34 AA BB B2 62 73 47 65 70 3D 64 65 76 31 07 70 63 74 3D 31 31 32",
                "CON POST /bs?ep=dev1&pct=112 [mid 4660, token aabb]");
    assert_line("62 44 12 34 AA BB", "ACK 2.04 [mid 4660, token aabb]");
    assert_line("60 00 12 34", "ACK Empty [mid 4660]");
    assert_line("70 00 12 34", "RST Empty [mid 4660]");
    assert_line("41 04 00 01 01", "CON DELETE / [mid 1, token 01]");
    assert_line("41 01 00 04 01 D1 04 28", "CON GET / [mid 4, token 01, Accept 40]");
    assert_line("61 41 00 01 01 82 72 64 01 31", "ACK 2.01 [mid 1, token 01, Location-Path /rd/1]");
    assert_line("50 45 00 01 FF 68 69", "NON 2.05 [mid 1] text \"hi\"");
    assert_line("60 80 00 01 FF 01 02", "ACK 4.00 [mid 1] payload <2 bytes> 0102");
    assert_line("40 09 00 01", "CON 0.09 / [mid 1]");
    assert_line("60 5F 00 01 D1 0E 08", "ACK 2.31 [mid 1, Block1 0/more/16]");
    assert_line("60 5F 00 01 D1 0E 07", "ACK 2.31 [mid 1, Block1 0/last/reserved]");
    assert_line("40 01 00 01 32 62 73", "CON GET / [mid 1, Uri-Host bs]");
    assert_line("40 01 00 01 62 62 73", "CON GET / [mid 1, Observe 25203]");
    assert_line("40 01 00 01 E2 FE E8 61 62", "CON GET / [mid 1, option 65525 0x6162]");
    assert_line("40 03 00 01 B1 31 12 2D 16", "CON PUT /1 [mid 1, Content-Format 11542]");
}

static void control_characters_stay_inside_the_line(void **state) {
    (void) state;
    assert_line("40 02 00 01 B2 62 73 43 61 0A 62", "CON POST /bs?a\\x0ab [mid 1]");
    assert_payload("/3/0", 0, "a\nb", "text \"a\\nb\"");
    assert_payload("/1", 40, "</1>\n,</2>", "link </1>\\x0a,</2>");
}

static void messages_over_tcp(void **state) {
    (void) state;
    bytes b = hex("40 E1 22 04 80 20");
    bj_coap m;
    assert_int_equal(bj_coap_tcp_decode(&m, b.at, b.length), BJ_COAP_OK);
    assert_string_equal(line_at(&m, NULL), "CSM [Max-Message-Size 1152, Block-Wise-Transfer]");
    b = hex("00 E5");
    assert_int_equal(bj_coap_tcp_decode(&m, b.at, b.length), BJ_COAP_OK);
    assert_string_equal(line_at(&m, NULL), "Abort");
}

static void responses_are_read_by_the_path_of_their_request(void **state) {
    (void) state;
    bytes b = hex("60 45 00 01 C2 2D 16 FF C1 00 65 C1 06 01");
    bj_coap m;
    assert_int_equal(bj_coap_decode(&m, b.at, b.length), BJ_COAP_OK);
    assert_string_equal(line_at(&m, "/1/0"), "ACK 2.05 [mid 1] tlv {0: 101, 6: true}");
    assert_string_equal(line_at(&m, NULL), "ACK 2.05 [mid 1] tlv {0: 0x65, 6: 0x01}");
}

static void payloads_by_format(void **state) {
    (void) state;
    assert_payload("/1/0/7", 0, "UQ", "text \"UQ\"");
    assert_payload("/5/0/0", 42, "\x01\x02", "opaque <2 bytes> 0102");
    assert_payload("/1/0", 110, "[{\"n\":\"0\",\"v\":1}]", "senml-json [{\"n\":\"0\",\"v\":1}]");
    assert_payload("/1/0", 112, "\x81\xA2\x01", "senml-cbor <3 bytes> 81a201");
    assert_payload("/1/0", 50, "{}", "format-50 <2 bytes> 7b7d");
    assert_payload("/rd", 40, "</1/0>", "link </1/0>");
}

static void long_payloads_are_cut_short(void **state) {
    (void) state;
    char text[600];
    memset(text, 'a', sizeof text);
    text[399] = '\xC3'; /* a character that would be cut in two */
    text[400] = '\xA4';
    bj_coap m = with_payload(BJ_COAP_CODE(0, 3), "/3/0", 0, text, sizeof text);
    const char *line = line_at(&m, NULL);
    assert_non_null(strstr(line, "a\"... (600 bytes)"));
    m = with_payload(BJ_COAP_CODE(0, 3), "/3/0", 42, text, sizeof text);
    line = line_at(&m, NULL);
    assert_non_null(strstr(line, "opaque <600 bytes> 6161"));
    assert_true(strlen(line) < 250);
}

/* --- secrets -------------------------------------------------------------------------------------------------- */

static void assert_hidden(const char *path, uint32_t format, const void *payload, size_t length, const char *want) {
    bj_coap m = with_payload(BJ_COAP_CODE(0, 3), path, format, payload, length);
    const char *line = line_at(&m, NULL);
    assert_null(strstr(line, "sEcReT"));
    assert_null(strstr(line, "c0ffee"));
    assert_non_null(strstr(line, want));
}

static void secrets_are_hidden_in_every_format(void **state) {
    (void) state;
    static const char key[] = "sEcReTkEy";
    assert_hidden("/0/1/5", 0, key, 9, "text <9 bytes>");
    assert_hidden("/0/1/5", 42, key, 9, "opaque <9 bytes>");
    assert_hidden("/0/1/5", 50, key, 9, "format-50 <9 bytes>");
    assert_hidden("/0/1", 11542, "\xC8\x05\x09sEcReTkEy", 12, "tlv {5: <9 bytes>}");
    static const char json[] = "[{\"bn\":\"/0/1/\",\"n\":\"5\",\"vd\" : \"sEcReTkEy\"},{\"n\":\"1\",\"vb\":false}]";
    assert_hidden("/0/1", 110, json, strlen(json), "\"vd\" : \"<9 characters>\"},{\"n\":\"1\",\"vb\":false}]");
    static const char string[] = "[{\"n\":\"0\",\"vs\":\"coap://h\"},{\"n\":\"5\",\"vs\":\"sEcReTkEy\"}]";
    assert_hidden("/0/1", 110, string, strlen(string), "\"vs\":\"coap://h\"},{\"n\":\"5\",\"vs\":\"<9 characters>\"}]");
    static const char old[] = "{\"e\":[{\"n\":\"5\",\"sv\":\"sEcReTkEy\"}]}";
    assert_hidden("/0/1", 11543, old, strlen(old), "json {5: <9 bytes>}");
    assert_hidden("/0/1", 11543, old, strlen(old) - 1, "\"sv\":\"<9 characters>\""); /* damaged */
}

static void secrets_are_hidden_in_cbor(void **state) {
    (void) state;
    static const char cbor[] = "\x81\xA2\x00\x61\x35\x08\x49\xC0\xFF\xEEkEykEy";
    assert_hidden("/0/1", 112, cbor, sizeof cbor - 1, "senml-cbor <16 bytes> 81a20061350849<9 bytes>");
    assert_hidden("/0/1", 112, cbor, sizeof cbor - 4, "senml-cbor <13 bytes>");
    assert_hidden("/", 112, cbor, sizeof cbor - 1, "81a20061350849<9 bytes>");
    assert_hidden("/0/1/5", 60, "\x43\xC0\xFF\xEE", 4, "cbor <3 bytes>");
    assert_hidden("/0/1/5", 60, "\x43\xC0\xFF\xEE\x01", 5, "cbor <5 bytes> 43<3 bytes>01"); /* damaged */
    bytes answer = hex("60 45 00 01 C1 70 FF 81 A1 08 43 C0 FF EE");
    bj_coap m;
    assert_int_equal(bj_coap_decode(&m, answer.at, answer.length), BJ_COAP_OK);
    assert_string_equal(line_at(&m, NULL), "ACK 2.05 [mid 1] senml-cbor <7 bytes> 81a10843<3 bytes>");
    assert_string_equal(line_at(&m, "/5/0"), "ACK 2.05 [mid 1] senml-cbor <7 bytes> 81a10843c0ffee");
}

/* In one block of a transfer a key cannot be found: nothing of it is shown. */
static void secrets_are_hidden_in_blocks(void **state) {
    (void) state;
    uint8_t block[4];
    bj_coap m = with_payload(BJ_COAP_CODE(0, 3), "/0/1", 11542, "sEcReTkEysEcReTk", 16);
    assert_true(bj_coap_add_uint(&m, BJ_COAP_BLOCK1, 0x18, block));
    assert_string_equal(line_at(&m, NULL), "CON PUT /0/1 [mid 1, Block1 1/more/16] tlv part <16 bytes>");
    m.options[1].value = (const uint8_t *) "5";
    assert_string_equal(line_at(&m, NULL), "CON PUT /0/5 [mid 1, Block1 1/more/16] tlv part <16 bytes>");
}

static void an_alternate_root_does_not_show_secrets(void **state) {
    (void) state;
    assert_hidden("/lwm2m/0/1/5", 0, "sEcReTkEy", 9, "text <9 bytes>");
    assert_hidden("/0/1/5/0", 0, "sEcReTkEy", 9, "text <9 bytes>");
}

/* --- for programs --------------------------------------------------------------------------------------------- */

static void assert_json(const char *data, const char *want) {
    bytes b = hex(data);
    bj_coap m;
    bj_coap_fault fault = bj_coap_decode(&m, b.at, b.length);
    bj_text text = bj_text_over(room, sizeof room);
    bj_coap_json(&text, &m, fault);
    assert_string_equal(room, want);
}

static void messages_as_json(void **state) {
    (void) state;
    assert_json("42 02 12 34 AA BB B2 62 73 47 65 70 3D 64 65 76 31",
                "{\"version\":1,\"type\":\"CON\",\"mid\":4660,\"code\":\"0.02\",\"token\":\"aabb\",\"options\":["
                "{\"number\":11,\"name\":\"Uri-Path\",\"value\":\"bs\"},"
                "{\"number\":15,\"name\":\"Uri-Query\",\"value\":\"ep=dev1\"}],"
                "\"method\":\"POST\",\"path\":\"/bs\",\"query\":[\"ep=dev1\"]}");
    assert_json("61 41 00 01 01 82 72 64 01 31",
                "{\"version\":1,\"type\":\"ACK\",\"mid\":1,\"code\":\"2.01\",\"token\":\"01\",\"options\":["
                "{\"number\":8,\"name\":\"Location-Path\",\"value\":\"rd\"},"
                "{\"number\":8,\"name\":\"Location-Path\",\"value\":\"1\"}],\"location\":\"/rd/1\"}");
    assert_json("40 03 00 01 B1 31 12 2D 16 FF 08 02 05 C1 00 65 C0 03 C8",
                "{\"version\":1,\"type\":\"CON\",\"mid\":1,\"code\":\"0.03\",\"token\":\"\",\"options\":["
                "{\"number\":11,\"name\":\"Uri-Path\",\"value\":\"1\"},"
                "{\"number\":12,\"name\":\"Content-Format\",\"value\":11542}],"
                "\"method\":\"PUT\",\"path\":\"/1\",\"query\":[],\"format\":11542,\"payload\":\"080205c10065c003c8\","
                "\"values\":[{\"kind\":\"instance\",\"id\":2,\"entries\":["
                "{\"kind\":\"resource\",\"id\":0,\"hex\":\"65\",\"integer\":101,\"text\":\"e\"},"
                "{\"kind\":\"resource\",\"id\":3,\"hex\":\"\",\"text\":\"\"}]},"
                "{\"kind\":\"damaged\",\"hex\":\"c8\"}]}");
}

static void links_as_json(void **state) {
    (void) state;
    assert_json("60 45 00 01 C1 28 FF 3C 2F 3E 3B 68 62 2C 3C 2F 31 3E 3B 61 3D 31",
                "{\"version\":1,\"type\":\"ACK\",\"mid\":1,\"code\":\"2.05\",\"token\":\"\",\"options\":["
                "{\"number\":12,\"name\":\"Content-Format\",\"value\":40}],\"format\":40,"
                "\"payload\":\"3c2f3e3b68622c3c2f313e3b613d31\","
                "\"links\":[{\"target\":\"/\",\"attributes\":{\"hb\":null}},"
                "{\"target\":\"/1\",\"attributes\":{\"a\":\"1\"}}]}");
}

static void faults_as_json(void **state) {
    (void) state;
    assert_json("40", "{\"fault\":\"shorter than the header\"}");
    assert_json("4F 02 00 07",
                "{\"fault\":\"token length is 9 to 15\",\"version\":1,\"type\":\"CON\",\"mid\":7,\"code\":\"0.02\","
                "\"token\":\"\",\"options\":[],\"method\":\"POST\",\"path\":\"/\",\"query\":[]}");
}

static void names_of_numbers(void **state) {
    (void) state;
    assert_string_equal(bj_coap_option_name(BJ_COAP_REQUEST_TAG), "Request-Tag");
    assert_null(bj_coap_option_name(2));
    assert_string_equal(bj_coap_method_name(7), "iPATCH");
    assert_null(bj_coap_method_name(0));
    assert_null(bj_coap_method_name(8));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_in_one_line),
        cmocka_unit_test(control_characters_stay_inside_the_line),
        cmocka_unit_test(messages_over_tcp),
        cmocka_unit_test(responses_are_read_by_the_path_of_their_request),
        cmocka_unit_test(payloads_by_format),
        cmocka_unit_test(long_payloads_are_cut_short),
        cmocka_unit_test(secrets_are_hidden_in_every_format),
        cmocka_unit_test(secrets_are_hidden_in_cbor),
        cmocka_unit_test(secrets_are_hidden_in_blocks),
        cmocka_unit_test(an_alternate_root_does_not_show_secrets),
        cmocka_unit_test(messages_as_json),
        cmocka_unit_test(links_as_json),
        cmocka_unit_test(faults_as_json),
        cmocka_unit_test(names_of_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
