/* SPDX-License-Identifier: Apache-2.0
 *
 * The CoAP codec against byte vectors, every fault of its decoder, and what must hold for any message.
 */
#include "wire/coap.h"
#include "wire_bytes.h"

static bj_coap decoded(const bytes *b) {
    bj_coap message;
    assert_int_equal(bj_coap_decode(&message, b->at, b->length), BJ_COAP_OK);
    return message;
}

static void assert_fault(const char *text, bj_coap_fault fault) {
    bytes b = hex(text);
    bj_coap message;
    assert_int_equal(bj_coap_decode(&message, b.at, b.length), fault);
}

static void assert_path(const bj_coap *message, const char *want) {
    BJ_TEXT(path, 200);
    bj_coap_path(message, BJ_COAP_URI_PATH, &path);
    assert_string_equal(path.start, want);
}

static void assert_encodes(const bj_coap *message, const char *want) {
    uint8_t out[2048];
    assert_hex(out, bj_coap_encode(message, out, sizeof out), want);
}

/* --- vectors of the bootstrap dialogue ------------------------------------------------------------------------ */

static const char bootstrap_request[] = "42 02 12 34 AA BB B2 62 73 47 65 70 3D 64 65 76 31 07 70 63 74 3D 31 31 32";

static void a_bootstrap_request_is_read(void **state) {
    (void) state;
    bytes b = hex(bootstrap_request);
    bj_coap m = decoded(&b);
    assert_int_equal(m.version, 1);
    assert_int_equal(m.type, BJ_COAP_CON);
    assert_int_equal(m.code, BJ_COAP_CODE(0, 2));
    assert_int_equal(m.mid, 0x1234);
    assert_hex(m.token, m.token_length, "AA BB");
    assert_int_equal(m.option_count, 3);
    assert_path(&m, "/bs");
    const bj_coap_option *query = bj_coap_find(&m, BJ_COAP_URI_QUERY, 1);
    assert_non_null(query);
    assert_memory_equal(query->value, "pct=112", 7);
    assert_null(bj_coap_find(&m, BJ_COAP_URI_QUERY, 2));
    assert_null(m.payload);
    assert_false(m.stream);
}

static void a_bootstrap_request_is_written(void **state) {
    (void) state;
    bj_coap m = { .code = BJ_COAP_CODE(0, 2), .mid = 0x1234, .token_length = 2, .token = { 0xAA, 0xBB } };
    /* Options in the wrong order: the encoder puts Uri-Path first and keeps the order of the queries. */
    assert_true(bj_coap_add(&m, BJ_COAP_URI_QUERY, "ep=dev1", 7));
    assert_true(bj_coap_add(&m, BJ_COAP_URI_QUERY, "pct=112", 7));
    assert_true(bj_coap_add_path(&m, BJ_COAP_URI_PATH, "/bs"));
    assert_encodes(&m, bootstrap_request);
}

static void responses_and_empty_messages(void **state) {
    (void) state;
    assert_encodes(&(bj_coap){ .type = BJ_COAP_ACK,
                               .code = BJ_COAP_CODE(2, 4),
                               .mid = 0x1234,
                               .token_length = 2,
                               .token = { 0xAA, 0xBB } },
                   "62 44 12 34 AA BB");
    assert_encodes(&(bj_coap){ .type = BJ_COAP_ACK, .mid = 0x1234 }, "60 00 12 34");
    assert_encodes(
        &(bj_coap){ .type = BJ_COAP_ACK, .code = BJ_COAP_CODE(4, 6), .mid = 5, .token_length = 1, .token = { 1 } },
        "61 86 00 05 01");
    bytes b = hex("60 00 12 34");
    bj_coap m = decoded(&b);
    assert_int_equal(m.type, BJ_COAP_ACK);
    assert_int_equal(m.code, 0);
}

static bj_coap request(uint8_t code, uint16_t mid, const char *path) {
    bj_coap m = { .code = code, .mid = mid, .token_length = 1, .token = { 1 } };
    assert_true(bj_coap_add_path(&m, BJ_COAP_URI_PATH, path));
    return m;
}

static void operations_are_written(void **state) {
    (void) state;
    uint8_t format[4];
    uint8_t accept[4];
    bytes payload = hex("C1 00 01 C4 01 00 01 51 80 C1 06 00 C1 07 55");
    bj_coap delete_root = request(BJ_COAP_CODE(0, 4), 1, "/");
    assert_encodes(&delete_root, "41 04 00 01 01");
    bj_coap delete_security = request(BJ_COAP_CODE(0, 4), 2, "/0");
    assert_encodes(&delete_security, "41 04 00 02 01 B1 30");
    bj_coap write = request(BJ_COAP_CODE(0, 3), 3, "/1/0");
    assert_true(bj_coap_add_uint(&write, BJ_COAP_CONTENT_FORMAT, 11542, format));
    write.payload = payload.at;
    write.payload_length = payload.length;
    assert_encodes(&write, "41 03 00 03 01 B1 31 01 30 12 2D 16 FF C1 00 01 C4 01 00 01 51 80 C1 06 00 C1 07 55");
    bj_coap discover = request(BJ_COAP_CODE(0, 1), 4, "");
    assert_true(bj_coap_add_uint(&discover, BJ_COAP_ACCEPT, 40, accept));
    assert_encodes(&discover, "41 01 00 04 01 D1 04 28");
    bj_coap finish = request(BJ_COAP_CODE(0, 2), 5, "/bs");
    assert_encodes(&finish, "41 02 00 05 01 B2 62 73");
}

static void a_write_is_read(void **state) {
    (void) state;
    bytes b = hex("41 03 00 03 01 B1 31 01 30 12 2D 16 FF C1 00 01 C4 01 00 01 51 80 C1 06 00 C1 07 55");
    bj_coap m = decoded(&b);
    uint32_t format;
    assert_path(&m, "/1/0");
    assert_true(bj_coap_find_uint(&m, BJ_COAP_CONTENT_FORMAT, &format));
    assert_int_equal(format, 11542);
    assert_int_equal(m.payload_length, 15);
    assert_ptr_equal(m.payload, b.at + 13);
}

/* --- faults --------------------------------------------------------------------------------------------------- */

static void every_fault_is_named(void **state) {
    (void) state;
    assert_fault("", BJ_COAP_SHORT);
    assert_fault("40", BJ_COAP_SHORT);
    assert_fault("40 01 00", BJ_COAP_SHORT);
    assert_fault("00 01 00 01", BJ_COAP_VERSION);
    assert_fault("80 01 00 01", BJ_COAP_VERSION);
    assert_fault("C0 01 00 01", BJ_COAP_VERSION);
    assert_fault("49 01 00 01 01 02 03 04 05 06 07 08 09", BJ_COAP_TOKEN_LENGTH);
    assert_fault("4F 01 00 01", BJ_COAP_TOKEN_LENGTH);
    assert_fault("42 01 00 01 AA", BJ_COAP_TOKEN_CUT);
    assert_fault("48 01 00 01", BJ_COAP_TOKEN_CUT);
    assert_fault("40 00 00 01 00", BJ_COAP_EMPTY_NOT_EMPTY);
    assert_fault("40 00 00 01 FF 01", BJ_COAP_EMPTY_NOT_EMPTY);
    assert_fault("41 00 00 01 AA", BJ_COAP_EMPTY_NOT_EMPTY);
    assert_fault("41 00 00 01", BJ_COAP_EMPTY_NOT_EMPTY);
    assert_fault("40 01 00 01 F0", BJ_COAP_OPTION_NIBBLE);
    assert_fault("40 01 00 01 F1 00", BJ_COAP_OPTION_NIBBLE);
    assert_fault("40 01 00 01 BF 00 00", BJ_COAP_OPTION_NIBBLE);
    assert_fault("40 01 00 01 B1", BJ_COAP_OPTION_CUT);
    assert_fault("40 01 00 01 D0", BJ_COAP_OPTION_CUT);
    assert_fault("40 01 00 01 E0 00", BJ_COAP_OPTION_CUT);
    assert_fault("40 01 00 01 BD", BJ_COAP_OPTION_CUT);
    assert_fault("40 01 00 01 BE 00", BJ_COAP_OPTION_CUT);
    assert_fault("40 01 00 01 BE FF FF 00", BJ_COAP_OPTION_CUT);
    assert_fault("40 01 00 01 E0 FE F3", BJ_COAP_OPTION_NUMBER);
    assert_fault("40 01 00 01 E0 FE F2 10", BJ_COAP_OPTION_NUMBER);
    assert_fault("40 01 00 01 FF", BJ_COAP_PAYLOAD_EMPTY);
    assert_fault("40 01 00 01 B1 30 FF", BJ_COAP_PAYLOAD_EMPTY);
}

static void the_greatest_option_number_passes(void **state) {
    (void) state;
    bytes b = hex("40 01 00 01 E0 FE F2");
    bj_coap m = decoded(&b);
    assert_int_equal(m.options[0].number, 65535);
}

static void more_options_than_are_kept(void **state) {
    (void) state;
    bytes b = hex("40 01 00 01 B0");
    for (int i = 1; i < BJ_COAP_OPTIONS; i++) {
        b.at[b.length++] = 0;
    }
    assert_int_equal(decoded(&b).option_count, BJ_COAP_OPTIONS);
    b.at[b.length++] = 0;
    bj_coap message;
    assert_int_equal(bj_coap_decode(&message, b.at, b.length), BJ_COAP_OPTIONS_MANY);
    assert_false(bj_coap_add(&message, 1, NULL, 0));
}

static void what_stands_before_a_fault_is_filled_in(void **state) {
    (void) state;
    bytes b = hex("4F 03 12 34 01");
    bj_coap m;
    assert_int_equal(bj_coap_decode(&m, b.at, b.length), BJ_COAP_TOKEN_LENGTH);
    assert_int_equal(m.code, 3);
    assert_int_equal(m.mid, 0x1234);
    assert_int_equal(m.token_length, 0);
    b = hex("51 02 00 07 AA B1 30 F1");
    assert_int_equal(bj_coap_decode(&m, b.at, b.length), BJ_COAP_OPTION_NIBBLE);
    assert_int_equal(m.type, BJ_COAP_NON);
    assert_hex(m.token, m.token_length, "AA");
    assert_int_equal(m.option_count, 1);
    b = hex("51 02");
    assert_int_equal(bj_coap_decode(&m, b.at, b.length), BJ_COAP_SHORT);
    assert_int_equal(m.type, BJ_COAP_NON);
    assert_int_equal(m.code, 2);
}

static void faults_have_texts(void **state) {
    (void) state;
    assert_string_equal(bj_coap_fault_text(BJ_COAP_OK), "well-formed");
    assert_string_equal(bj_coap_fault_text(BJ_COAP_TCP_LENGTH), "length field and message disagree");
    assert_string_equal(bj_coap_fault_text((bj_coap_fault) 99), "unknown fault");
}

/* --- broken on purpose ---------------------------------------------------------------------------------------- */

static void messages_can_be_broken(void **state) {
    (void) state;
    uint8_t out[64];
    bj_coap m = request(BJ_COAP_CODE(0, 2), 5, "/bs");
    bj_coap_breakage version = { .set_version = true, .version = 2 };
    assert_hex(out, bj_coap_encode_broken(&m, &version, out, sizeof out), "81 02 00 05 01 B2 62 73");
    bj_coap_breakage token = { .set_token_length = true, .token_length = 15 };
    assert_hex(out, bj_coap_encode_broken(&m, &token, out, sizeof out), "4F 02 00 05 01 B2 62 73");
    bj_coap_breakage marker = { .marker_without_payload = true };
    assert_hex(out, bj_coap_encode_broken(&m, &marker, out, sizeof out), "41 02 00 05 01 B2 62 73 FF");
    m.payload = out;
    assert_hex(out, bj_coap_encode(&m, out, sizeof out), "41 02 00 05 01 B2 62 73");
}

static void what_cannot_be_expressed_is_refused(void **state) {
    (void) state;
    uint8_t out[64];
    bj_coap m = { .code = 1, .token_length = 9 };
    assert_int_equal(bj_coap_encode(&m, out, sizeof out), 0);
    m.token_length = 0;
    assert_true(bj_coap_add(&m, 70000, NULL, 0));
    assert_int_equal(bj_coap_encode(&m, out, sizeof out), 0);
    m.options[0].number = 65536;
    assert_int_equal(bj_coap_encode(&m, out, sizeof out), 7);
    m.option_count = BJ_COAP_OPTIONS + 1;
    assert_int_equal(bj_coap_encode(&m, out, sizeof out), 0);
}

static void room_is_respected(void **state) {
    (void) state;
    bytes whole = hex(bootstrap_request);
    bj_coap m = decoded(&whole);
    uint8_t reference[64];
    size_t length = bj_coap_encode(&m, reference, sizeof reference);
    assert_int_equal(length, whole.length);
    for (size_t room = 0; room < length; room++) {
        uint8_t *out = tight(reference, room);
        assert_int_equal(bj_coap_encode(&m, out, room), 0);
        free(out);
    }
}

/* --- adding and finding --------------------------------------------------------------------------------------- */

static void numbers_are_minimal(void **state) {
    (void) state;
    static const struct {
        uint32_t value;
        const char *bytes;
    } cases[] = {
        { 0, "" },        { 1, "01" },      { 40, "28" },       { 110, "6E" },         { 255, "FF" },
        { 256, "01 00" }, { 320, "01 40" }, { 11542, "2D 16" }, { 65536, "01 00 00" }, { UINT32_MAX, "FF FF FF FF" }
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bj_coap m = { 0 };
        uint8_t room[4];
        uint32_t back;
        assert_true(bj_coap_add_uint(&m, BJ_COAP_SIZE1, cases[i].value, room));
        assert_hex(m.options[0].value, m.options[0].length, cases[i].bytes);
        assert_true(bj_coap_find_uint(&m, BJ_COAP_SIZE1, &back));
        assert_int_equal(back, cases[i].value);
    }
}

static void a_number_of_five_bytes_is_none(void **state) {
    (void) state;
    bj_coap m = { 0 };
    uint32_t value;
    assert_false(bj_coap_find_uint(&m, BJ_COAP_OBSERVE, &value));
    assert_true(bj_coap_add(&m, BJ_COAP_OBSERVE, "\0\0\0\0\1", 5));
    assert_false(bj_coap_find_uint(&m, BJ_COAP_OBSERVE, &value));
}

static void paths_come_back(void **state) {
    (void) state;
    static const char *const paths[] = { "/", "/bs", "/0/1", "/1/0/7/3", "/a//b", "/a/" };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        bj_coap m = { 0 };
        assert_true(bj_coap_add_path(&m, BJ_COAP_URI_PATH, paths[i]));
        assert_path(&m, paths[i]);
    }
    bj_coap odd = { 0 };
    assert_true(bj_coap_add(&odd, BJ_COAP_URI_PATH, "a/b%\0\n \x7F", 8));
    assert_path(&odd, "/a%2Fb%25%00%0A%20%7F");
    bj_coap empty = { 0 };
    assert_true(bj_coap_add(&empty, BJ_COAP_URI_PATH, NULL, 0));
    assert_path(&empty, "/");
}

static void a_path_of_too_many_segments_is_refused(void **state) {
    (void) state;
    char path[2 * BJ_COAP_OPTIONS + 3];
    bj_coap m = { 0 };
    memset(path, '/', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_false(bj_coap_add_path(&m, BJ_COAP_URI_PATH, path));
}

static void option_lengths_are_judged(void **state) {
    (void) state;
    static const struct {
        uint32_t number;
        uint32_t length;
        bool valid;
    } cases[] = { { BJ_COAP_URI_HOST, 0, false },      { BJ_COAP_URI_HOST, 255, true },
                  { BJ_COAP_URI_PATH, 255, true },     { BJ_COAP_URI_PATH, 256, false },
                  { BJ_COAP_OBSERVE, 3, true },        { BJ_COAP_OBSERVE, 4, false },
                  { BJ_COAP_BLOCK1, 4, false },        { BJ_COAP_ETAG, 0, false },
                  { BJ_COAP_IF_NONE_MATCH, 1, false }, { BJ_COAP_ECHO, 41, false },
                  { BJ_COAP_ACCEPT, 3, false },        { 65000, 300, true } };
    static const uint8_t value[300];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        BJ_TEXT(why, 100);
        bj_coap m = { .code = 1 };
        assert_true(bj_coap_add(&m, cases[i].number, value, cases[i].length));
        assert_int_equal(bj_coap_options_valid(&m, &why), cases[i].valid);
        assert_int_equal(why.used == 0, cases[i].valid);
    }
}

static void surplus_options_are_judged(void **state) {
    (void) state;
    BJ_TEXT(why, 100);
    bj_coap m = request(BJ_COAP_CODE(0, 1), 1, "/1/0");
    assert_true(bj_coap_options_valid(&m, &why));
    assert_true(bj_coap_add(&m, BJ_COAP_ACCEPT, "\x28", 1));
    assert_true(bj_coap_options_valid(&m, &why));
    assert_true(bj_coap_add(&m, BJ_COAP_ACCEPT, "\x28", 1));
    assert_false(bj_coap_options_valid(&m, &why));
    assert_string_equal(why.start, "Accept more than once");
}

/* --- what holds for any message ------------------------------------------------------------------------------- */

enum { ROUNDS = 3000, RANDOM_VALUES = 2048 };
static uint8_t values[RANDOM_VALUES];

static uint32_t random_number(uint64_t *seed) {
    static const uint32_t usual[] = { 1, 3, 6, 11, 12, 15, 17, 23, 27, 60, 258, 292, 65535 };
    return below(seed, 2) ? usual[below(seed, sizeof usual / sizeof usual[0])] : below(seed, 65536);
}

static bj_coap random_message(uint64_t *seed) {
    bj_coap m = { .version = 1,
                  .type = (uint8_t) below(seed, 4),
                  .code = (uint8_t) (1 + below(seed, 255)),
                  .mid = (uint16_t) next_random(seed),
                  .token_length = (uint8_t) below(seed, 9) };
    fill_random(seed, m.token, m.token_length);
    uint32_t number[8];
    size_t count = below(seed, 8);
    for (size_t i = 0; i < count; i++) {
        number[i] = random_number(seed);
    }
    for (size_t i = 0; i < count; i++) {
        size_t length = below(seed, 4) ? below(seed, 20) : below(seed, 400);
        assert_true(bj_coap_add(&m, number[i], values + below(seed, RANDOM_VALUES - 400), length));
    }
    if (below(seed, 2)) {
        m.payload = values;
        m.payload_length = 1 + below(seed, 300);
    }
    return m;
}

/* Same fields; the options of `b` are those of `a` in ascending order. */
static void assert_same(const bj_coap *a, const bj_coap *b) {
    assert_int_equal(a->code, b->code);
    assert_int_equal(a->token_length, b->token_length);
    assert_memory_equal(a->token, b->token, a->token_length);
    assert_int_equal(a->option_count, b->option_count);
    for (size_t i = 0; i < b->option_count; i++) {
        assert_true(i == 0 || b->options[i - 1].number <= b->options[i].number);
    }
    for (size_t i = 0; i < a->option_count; i++) {
        size_t index = 0;
        for (size_t j = 0; j < i; j++) {
            index += a->options[j].number == a->options[i].number;
        }
        const bj_coap_option *other = bj_coap_find(b, a->options[i].number, index);
        assert_non_null(other);
        assert_int_equal(other->length, a->options[i].length);
        assert_memory_equal(other->value, a->options[i].value, other->length);
    }
    assert_int_equal(a->payload_length, b->payload_length);
    assert_memory_equal(a->payload_length ? a->payload : values, b->payload_length ? b->payload : values,
                        a->payload_length);
}

static void what_is_written_is_read_back(void **state) {
    (void) state;
    uint64_t seed = 1;
    fill_random(&seed, values, sizeof values);
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t out[8192];
        uint8_t again[8192];
        bj_coap sent = random_message(&seed);
        size_t length = bj_coap_encode(&sent, out, sizeof out);
        assert_true(length >= 4);
        bj_coap got;
        assert_int_equal(bj_coap_decode(&got, out, length), BJ_COAP_OK);
        assert_int_equal(got.version, 1);
        assert_int_equal(got.type, sent.type);
        assert_int_equal(got.mid, sent.mid);
        assert_same(&sent, &got);
        /* A message that was decoded encodes to the same bytes. */
        assert_int_equal(bj_coap_encode(&got, again, sizeof again), length);
        assert_memory_equal(out, again, length);
    }
}

/* A cut message either lacks something, or is the shorter message that its first bytes are. */
static void cut_messages_are_survived(void **state) {
    (void) state;
    uint64_t seed = 2;
    for (int round = 0; round < ROUNDS / 50; round++) {
        uint8_t out[8192];
        bj_coap sent = random_message(&seed);
        size_t length = bj_coap_encode(&sent, out, sizeof out);
        for (size_t cut = 0; cut < length; cut++) {
            uint8_t *part = tight(out, cut);
            bj_coap got;
            bj_coap_fault fault = bj_coap_decode(&got, part, cut);
            assert_true(cut >= 4 || fault == BJ_COAP_SHORT);
            assert_true(cut < 4 || cut >= 4u + sent.token_length || fault == BJ_COAP_TOKEN_CUT);
            assert_true(fault == BJ_COAP_OK || fault == BJ_COAP_SHORT || fault == BJ_COAP_TOKEN_CUT ||
                        fault == BJ_COAP_OPTION_CUT || fault == BJ_COAP_PAYLOAD_EMPTY);
            free(part);
        }
    }
}

static void use_all_of(const bj_coap *message, bj_coap_fault fault) {
    static char room[65536];
    bj_text text = bj_text_over(room, sizeof room);
    bj_coap_print(&text, message);
    bj_coap_options_valid(message, &text);
    text = bj_text_over(room, sizeof room);
    bj_coap_json(&text, message, fault);
    assert_true(room[0] == '{' && room[strlen(room) - 1] == '}');
    BJ_TEXT(small, 24);
    bj_coap_print(&small, message);
    bj_coap_json(&small, message, fault);
}

static void any_bytes_are_survived(void **state) {
    (void) state;
    uint64_t seed = 3;
    for (int round = 0; round < 4 * ROUNDS; round++) {
        uint8_t data[200];
        size_t length = below(&seed, sizeof data);
        fill_random(&seed, data, length);
        if (length > 1 && round % 4) {
            data[0] = (uint8_t) (0x40 | (data[0] & 0x38) | (data[0] & 3)); /* so that it comes past the header */
        }
        uint8_t *copy = tight(data, length);
        bj_coap message;
        bj_coap_fault fault = bj_coap_decode(&message, copy, length);
        use_all_of(&message, fault);
        if (!fault) {
            uint8_t out[512];
            assert_true(bj_coap_encode(&message, out, sizeof out) <= length);
        }
        free(copy);
    }
}

/* Valid messages with single bytes changed come further into the decoder than random bytes do. */
static void changed_messages_are_survived(void **state) {
    (void) state;
    uint64_t seed = 4;
    bytes whole = hex("41 03 00 03 01 B1 30 01 31 12 2D 16 FF C8 00 11 63 6F 61 70 3A 2F 2F 62 73 2E 65 78 61 6D 70 6C "
                      "65 C1 01 01 C8 05 10 00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F C1 0A 01");
    for (int round = 0; round < 4 * ROUNDS; round++) {
        uint8_t *copy = tight(whole.at, whole.length);
        for (uint32_t changes = 1 + below(&seed, 3); changes; changes--) {
            copy[below(&seed, (uint32_t) whole.length)] = (uint8_t) next_random(&seed);
        }
        bj_coap message;
        bj_coap_fault fault = bj_coap_decode(&message, copy, whole.length);
        use_all_of(&message, fault);
        free(copy);
    }
}

/* A key alone, with an empty value, with a value; a key that only begins alike is another. */
static void values_of_queries(void **state) {
    (void) state;
    bj_coap m = { .version = 1 };
    BJ_TEXT(value, 16);
    bj_coap_add(&m, BJ_COAP_URI_QUERY, "epx=no", 6);
    bj_coap_add(&m, BJ_COAP_URI_QUERY, "ep=dev-1", 8);
    bj_coap_add(&m, BJ_COAP_URI_QUERY, "ep=dev-2", 8);
    bj_coap_add(&m, BJ_COAP_URI_QUERY, "Q", 1);
    bj_coap_add(&m, BJ_COAP_URI_QUERY, "b=", 2);
    assert_true(bj_coap_query(&m, "ep", &value));
    assert_string_equal(value.start, "dev-1");
    assert_true(bj_coap_query(&m, "Q", NULL));
    assert_true(bj_coap_query(&m, "b", &value));
    assert_string_equal(value.start, "dev-1");
    assert_false(bj_coap_query(&m, "e", &value));
    assert_false(bj_coap_query(&m, "lt", NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_queries),
        cmocka_unit_test(a_bootstrap_request_is_read),
        cmocka_unit_test(a_bootstrap_request_is_written),
        cmocka_unit_test(responses_and_empty_messages),
        cmocka_unit_test(operations_are_written),
        cmocka_unit_test(a_write_is_read),
        cmocka_unit_test(every_fault_is_named),
        cmocka_unit_test(the_greatest_option_number_passes),
        cmocka_unit_test(more_options_than_are_kept),
        cmocka_unit_test(what_stands_before_a_fault_is_filled_in),
        cmocka_unit_test(faults_have_texts),
        cmocka_unit_test(messages_can_be_broken),
        cmocka_unit_test(what_cannot_be_expressed_is_refused),
        cmocka_unit_test(room_is_respected),
        cmocka_unit_test(numbers_are_minimal),
        cmocka_unit_test(a_number_of_five_bytes_is_none),
        cmocka_unit_test(paths_come_back),
        cmocka_unit_test(a_path_of_too_many_segments_is_refused),
        cmocka_unit_test(option_lengths_are_judged),
        cmocka_unit_test(surplus_options_are_judged),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(cut_messages_are_survived),
        cmocka_unit_test(any_bytes_are_survived),
        cmocka_unit_test(changed_messages_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
