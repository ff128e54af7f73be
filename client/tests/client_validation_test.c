/* SPDX-License-Identifier: Apache-2.0
 *
 * What is refused at Bootstrap-Finish: a usable configuration with one thing changed, row by row.
 */
#include "support.h"

#include "registration/accounts.h"

/* One change: a resource set from text (NULL = taken away). */
typedef struct change {
    uint16_t oid, iid, rid;
    const char *text;
} change;

static bjc_store *store_of(furnished *f, uint16_t oid) {
    return oid == 0 ? &f->security : oid == 1 ? &f->server : oid == 2 ? &f->access_control : &f->device;
}

static void apply(furnished *f, const change *c) {
    bjc_path path = { 3, { c->oid, c->iid, c->rid } };
    if (!c->text) {
        assert_int_equal(bjc_store_handlers.clear(store_of(f, c->oid), c->iid, c->rid), BOOTJACK_OK);
        return;
    }
    assert_int_equal(
        bjc_model_write(&f->model, &path, bjc_format_find(BJC_FORMAT_TEXT), (const uint8_t *) c->text, strlen(c->text)),
        BOOTJACK_OK);
}

/* A Bootstrap-Server account in /0/0, a server with Short Server ID 101 in /0/1 and /1/0. */
static void usable(furnished *f) {
    static const change rows[] = {
        { 0, 0, 0, "coap://bs.example" },
        { 0, 0, 1, "1" },
        { 0, 0, 2, "3" },
        { 0, 1, 0, "coap://s.example" },
        { 0, 1, 1, "0" },
        { 0, 1, 2, "3" },
        { 0, 1, 10, "101" },
        { 1, 0, 0, "101" },
        { 1, 0, 1, "86400" },
        { 1, 0, 6, "0" },
        { 1, 0, 7, "U" },
    };
    furnish(f);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        apply(f, &rows[i]);
    }
}

/* What was logged last. */
static char logged[512];

static void log_line(void *context, bootjack_log_level level, const char *line) {
    (void) context;
    (void) level;
    snprintf(logged, sizeof logged, "%s", line);
}

static bootjack_error verdict(const change *changes, size_t count, bool strict, bootjack_version version) {
    furnished f;
    usable(&f);
    f.core.config.strict = strict;
    f.core.config.version = version;
    f.core.config.log = log_line;
    logged[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        apply(&f, &changes[i]);
    }
    assert_int_equal(bjc_model_begin(&f.model), BOOTJACK_OK);
    bootjack_error error = bjc_model_validate(&f.model);
    bjc_model_commit(&f.model);
    unfurnish(&f);
    return error;
}

static bootjack_error with(uint16_t oid, uint16_t iid, uint16_t rid, const char *text) {
    change one = { oid, iid, rid, text };
    return verdict(&one, 1, false, BOOTJACK_LWM2M_1_1);
}

static void accepted(void **state) {
    (void) state;
    static const change rows[] = {
        { 0, 1, 0, "coap://[2001:db8::1]:5999/base?a=b" },
        { 0, 1, 0, "coap+tcp://s.example" },
        { 0, 1, 0, "coaps://s.example" }, /* seen when the connection is made, unless `strict` */
        { 0, 0, 10, "0" },                /* the Bootstrap-Server's Short Server ID means nothing */
        { 0, 0, 10, "101" },
        { 0, 1, 10, "65534" },
        { 0, 0, 11, "3600" },
        { 0, 0, 12, "60" },
        { 0, 1, 3, "" },
        { 0, 1, 6, "3" },
        { 0, 1, 7, "AAAAAAAA" },
        { 0, 1, 8, "AAAAAAAAAAAAAAAAAAAAAA==" },
        { 0, 1, 13, "3" },
        { 0, 1, 14, "s.example" },
        { 0, 1, 17, "65535:65535" },
        { 1, 0, 1, "0" },
        { 1, 0, 7, "UQ" },
        { 1, 0, 7, "NTUS" },
        { 1, 0, 17, "1" },
        { 1, 0, 22, "T" },
        { 1, 0, 5, "0" },
        { 3, 0, 15, "Europe/Paris" },
    };
    assert_int_equal(verdict(NULL, 0, false, BOOTJACK_LWM2M_1_1), BOOTJACK_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(verdict(&rows[i], 1, false, BOOTJACK_LWM2M_1_1), BOOTJACK_OK);
    }
}

static void refused(void **state) {
    (void) state;
    static const change rows[] = {
        { 0, 1, 0, NULL },
        { 0, 1, 0, "" },
        { 0, 1, 0, "http://s.example" },
        { 0, 1, 0, "coap://s.example:0" },
        { 0, 0, 0, "coaps://bs.example" }, /* the Bootstrap-Server account must work */
        { 0, 1, 1, NULL },
        { 0, 1, 2, NULL },
        { 0, 1, 2, "5" },
        { 0, 1, 2, "-1" },
        { 0, 1, 2, "0" },
        { 0, 1, 2, "1" },
        { 0, 1, 2, "2" },
        { 0, 1, 2, "4" },
        { 0, 1, 7, "AAAA" },
        { 0, 1, 8, "AAAA" },
        { 0, 1, 10, NULL },
        { 0, 1, 10, "0" },
        { 0, 1, 10, "65535" },
        { 0, 1, 10, "-1" },
        { 0, 0, 11, "-1" },
        { 0, 0, 12, "-1" },
        { 0, 1, 13, "4" },
        { 0, 1, 14, "a b" },
        { 0, 1, 15, "4" },
        { 0, 1, 17, "21:0" },
        { 0, 1, 6, "256" },
        { 0, 1, 1, "1" }, /* two Bootstrap-Server accounts */
        { 1, 0, 0, NULL },
        { 1, 0, 0, "0" },
        { 1, 0, 0, "65535" },
        { 1, 0, 1, NULL },
        { 1, 0, 1, "-1" },
        { 1, 0, 2, "-1" },
        { 1, 0, 3, "0" },
        { 1, 0, 5, "-1" },
        { 1, 0, 6, NULL },
        { 1, 0, 7, NULL },
        { 1, 0, 7, "" },
        { 1, 0, 7, "X" },
        { 1, 0, 7, "UU" },
        { 1, 0, 11, "256" },
        { 1, 0, 17, "0" },
        { 1, 0, 20, "0" },
        { 1, 0, 22, "X" },
        { 1, 0, 22, "UT" },
        { 1, 5, 5, "86400" }, /* an instance with nothing else */
        { 3, 0, 16, NULL },
        { 3, 0, 20, "7" },
        { 2, 4, 0, "3" }, /* Access Control with nothing else */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char where[32];
        snprintf(where, sizeof where, "/%u/%u/", rows[i].oid, rows[i].iid);
        for (int strict = 0; strict <= 1; strict++) {
            if (verdict(&rows[i], 1, strict, BOOTJACK_LWM2M_1_1) == BOOTJACK_OK) {
                fail_msg("row %zu (%s%u) is accepted", i, where, rows[i].rid);
            }
            /* Object, instance, resource and reason are in the log. */
            const char *at = strstr(logged, where);
            assert_non_null(at);
            at += strlen(where);
            assert_true(*at >= '0' && *at <= '9' && strlen(at) > 5);
        }
    }
}

static void twice_the_same_server(void **state) {
    (void) state;
    static const change security[] = {
        { 0, 2, 0, "coap://t.example" }, { 0, 2, 1, "0" }, { 0, 2, 2, "3" }, { 0, 2, 10, "101" }
    };
    static const change server[] = { { 1, 3, 0, "101" }, { 1, 3, 1, "60" }, { 1, 3, 6, "1" }, { 1, 3, 7, "U" } };
    assert_int_equal(verdict(security, 4, false, BOOTJACK_LWM2M_1_1), BOOTJACK_ERR_INCONSISTENT);
    change other_transport[4];
    memcpy(other_transport, security, sizeof security);
    other_transport[0].text = "coap+tcp://t.example";
    assert_int_equal(verdict(other_transport, 4, true, BOOTJACK_LWM2M_1_1), BOOTJACK_OK);
    assert_int_equal(verdict(server, 4, false, BOOTJACK_LWM2M_1_1), BOOTJACK_ERR_INCONSISTENT);
}

static void credentials(void **state) {
    (void) state;
    static const change keys[] = {
        { 0, 1, 0, "coaps://s.example" }, { 0, 1, 2, "0" }, { 0, 1, 3, "ZXAx" }, { 0, 1, 5, "AAECAw==" }
    };
    assert_int_equal(verdict(keys, 4, true, BOOTJACK_LWM2M_1_1), BOOTJACK_OK);
    assert_int_equal(verdict(keys, 3, false, BOOTJACK_LWM2M_1_1), BOOTJACK_ERR_INCONSISTENT);
    assert_int_equal(with(0, 1, 2, "0"), BOOTJACK_ERR_INCONSISTENT);
    /* In clear, with keys: seen when the connection is made, unless `strict`. */
    assert_int_equal(verdict(keys + 1, 3, false, BOOTJACK_LWM2M_1_1), BOOTJACK_OK);
    assert_int_equal(verdict(keys + 1, 3, true, BOOTJACK_LWM2M_1_1), BOOTJACK_ERR_INCONSISTENT);
}

static bootjack_error with_mode(const char *mode) {
    const change keys[] = {
        { 0, 1, 0, "coaps://s.example" }, { 0, 1, 2, mode }, { 0, 1, 3, "ZXAx" }, { 0, 1, 5, "AAECAw==" }
    };
    return verdict(keys, 4, false, BOOTJACK_LWM2M_1_1);
}

static void modes_of_other_builds(void **state) {
    (void) state;
    assert_int_equal(with_mode("1"), BOOTJACK_ERR_UNSUPPORTED);
    assert_int_equal(with_mode("4"), BOOTJACK_ERR_UNSUPPORTED);
}

static void credentials_are_bytes(void **state) {
    (void) state;
    static const change keys[] = {
        { 0, 1, 0, "coaps://s.example" }, { 0, 1, 2, "0" }, { 0, 1, 5, "AAAA" }, { 0, 1, 3, "ZABl" }
    };
    assert_int_equal(verdict(keys, 4, false, BOOTJACK_LWM2M_1_1), BOOTJACK_ERR_UNSUPPORTED);
    uint8_t bytes[BJC_IDENTITY_MAX + 1];
    bjc_core core = { 0 };
    memset(bytes, 0x80, sizeof bytes);
    static const struct {
        size_t identity, key;
        bool fine;
        bjc_part part;
    } rows[] = { { BJC_IDENTITY_MAX, BJC_KEY_MAX, true, 0 },
                 { BJC_IDENTITY_MAX + 1, 1, false, BJC_PART_IDENTITY },
                 { 0, 1, false, BJC_PART_IDENTITY },
                 { 1, BJC_KEY_MAX + 1, false, BJC_PART_KEY },
                 { 1, 0, false, BJC_PART_KEY } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bjc_peer peer = { .identity = { bytes, rows[i].identity }, .key = { bytes, rows[i].key } };
        bjc_fault fault = bjc_transport_fault(&core, &peer);
        assert_int_equal(!fault.what, rows[i].fine);
        assert_true(rows[i].fine || fault.part == rows[i].part);
    }
    static const uint8_t zero[] = { 'd', 0 };
    bjc_peer peer = { .identity = { bytes, 1 }, .key = { zero + 1, 1 } };
    assert_null(bjc_transport_fault(&core, &peer).what); /* a key may hold NULs */
    peer.identity = (bjc_bytes){ zero, 2 };
    assert_int_equal(bjc_transport_fault(&core, &peer).part, BJC_PART_IDENTITY);
}

static void strictly(void **state) {
    (void) state;
    static const change scheme = { 0, 1, 0, "coaps://s.example" }, old_binding = { 1, 0, 7, "UQ" };
    assert_int_equal(verdict(&scheme, 1, true, BOOTJACK_LWM2M_1_1), BOOTJACK_ERR_INCONSISTENT);
    assert_int_equal(verdict(&old_binding, 1, true, BOOTJACK_LWM2M_1_1), BOOTJACK_ERR_RANGE);
    assert_int_equal(verdict(&old_binding, 1, true, BOOTJACK_LWM2M_1_0), BOOTJACK_OK);
}

static void bindings_of_1_0(void **state) {
    (void) state;
    static const char *const good[] = { "U", "UQ", "S", "SQ", "US", "UQS" }, *const bad[] = { "T", "SU", "UQSQ", "Q" };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(bjc_binding_usable(BOOTJACK_LWM2M_1_0, true, (const uint8_t *) good[i], strlen(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(bjc_binding_usable(BOOTJACK_LWM2M_1_0, false, (const uint8_t *) bad[i], strlen(bad[i])));
    }
}

static bootjack_error accounts(const change *changes, size_t count) {
    furnished f;
    const char *reason;
    usable(&f);
    for (size_t i = 0; i < count; i++) {
        if (changes[i].rid == 65535) {
            assert_int_equal(bjc_store_remove(store_of(&f, changes[i].oid), changes[i].iid), BOOTJACK_OK);
        } else {
            apply(&f, &changes[i]);
        }
    }
    bootjack_error error = bjc_accounts_check_existence(&f.security, &f.server, &reason);
    error = error ? error : bjc_accounts_check_ids(&f.core, &f.security, &f.server, &reason);
    assert_non_null(reason);
    unfurnish(&f);
    return error;
}

/* After the Finish: accounts that exist, and belong together by Short Server ID whatever their instances are. */
static void account_rules(void **state) {
    (void) state;
    static const change no_server = { 1, 0, 65535, NULL }, no_security = { 0, 1, 65535, NULL };
    static const change both[] = { { 1, 0, 0, "102" }, { 0, 0, 10, "102" } };
    assert_int_equal(accounts(NULL, 0), BOOTJACK_OK);
    assert_int_equal(accounts(&no_server, 1), BOOTJACK_ERR_INCONSISTENT);
    assert_int_equal(accounts(&no_security, 1), BOOTJACK_ERR_INCONSISTENT);
    assert_int_equal(accounts(&both[0], 1), BOOTJACK_ERR_INCONSISTENT);
    assert_int_equal(accounts(both, 2), BOOTJACK_ERR_INCONSISTENT); /* the bootstrap account is no server's */
}

#define OLD 7 /* of /1/x/12 */

static void two_accounts(furnished *f) {
    static const change second[] = { { 0, 2, 0, "coap://t.example" },
                                     { 0, 2, 1, "0" },
                                     { 0, 2, 2, "3" },
                                     { 0, 2, 10, "102" },
                                     { 1, 1, 0, "102" },
                                     { 1, 1, 1, "60" },
                                     { 1, 1, 6, "0" },
                                     { 1, 1, 7, "U" } };
    usable(f);
    for (size_t i = 0; i < sizeof second / sizeof *second; i++) {
        apply(f, &second[i]);
    }
    assert_int_equal(bjc_store_set_integer(&f->server, 0, 12, OLD), BOOTJACK_OK);
    assert_int_equal(bjc_store_set_integer(&f->server, 1, 12, OLD), BOOTJACK_OK);
}

/* Bit 0: /1/0/12 was set, bit 1: /1/1/12. */
static unsigned noted(furnished *f) {
    bjc_accounts_note_bootstrap(&f->core, &f->security, &f->server);
    return (unsigned) (bjc_store_integer(&f->server, 0, 12, -1) > OLD) |
           (unsigned) (bjc_store_integer(&f->server, 1, 12, -1) > OLD) << 1;
}

static unsigned noted_after(const change *changes, size_t count) {
    furnished f;
    two_accounts(&f);
    assert_int_equal(bjc_model_begin(&f.model), BOOTJACK_OK);
    for (size_t i = 0; i < count; i++) {
        apply(&f, &changes[i]);
    }
    unsigned result = noted(&f);
    bjc_model_commit(&f.model);
    unfurnish(&f);
    return result;
}

/* /1/x/12 (LwM2M Core 1.1 Appendix E.2): of accounts of which the session wrote /0 or /1. */
static void last_bootstrapped(void **state) {
    (void) state;
    static const change same_value = { 1, 1, 1, "60" }, keys = { 0, 2, 0, "coap://t.example" },
                        lifetime = { 1, 0, 1, "3600" }, bootstrap_account = { 0, 0, 11, "5" },
                        device = { 3, 0, 15, "Europe/Paris" }, cleared = { 1, 1, 2, NULL };
    static const change moved[] = { { 0, 0, 10, "101" }, { 0, 2, 10, "101" } };
    const change both[] = { lifetime, keys };
    assert_int_equal(noted_after(NULL, 0), 0);
    assert_int_equal(noted_after(&same_value, 1), 2);
    assert_int_equal(noted_after(&keys, 1), 2);
    assert_int_equal(noted_after(&lifetime, 1), 1);
    assert_int_equal(noted_after(&cleared, 1), 2);
    assert_int_equal(noted_after(both, 2), 3);
    assert_int_equal(noted_after(&bootstrap_account, 1), 0);
    assert_int_equal(noted_after(&device, 1), 0);
    assert_int_equal(noted_after(&moved[0], 1), 0); /* the Bootstrap-Server's, whatever its Short Server ID */
    assert_int_equal(noted_after(&moved[1], 1), 1);
}

/* What was done with an instance besides: made anew, undone, and in earlier sessions. */
static void last_bootstrapped_of_this_session(void **state) {
    furnished f;
    bjc_instance *saved;
    (void) state;
    two_accounts(&f);
    assert_int_equal(bjc_model_begin(&f.model), BOOTJACK_OK);
    assert_int_equal(bjc_store_handlers.reset(&f.server, 0), BOOTJACK_OK);
    assert_true(bjc_store_written(&f.server, 0));
    bjc_model_roll_back(&f.model);
    assert_false(bjc_store_written(&f.server, 0));
    assert_int_equal(bjc_model_begin(&f.model), BOOTJACK_OK);
    assert_int_equal(bjc_store_save(&f.server, &saved), BOOTJACK_OK);
    assert_int_equal(bjc_store_handlers.clear(&f.server, 0, 1), BOOTJACK_OK);
    bjc_store_restore(&f.server, saved); /* the operation failed later on */
    assert_int_equal(noted(&f), 0);
    assert_int_equal(bjc_store_handlers.remove(&f.server, 1), BOOTJACK_OK);
    assert_int_equal(bjc_store_handlers.create(&f.server, 1), BOOTJACK_OK);
    assert_true(bjc_store_written(&f.server, 1));
    assert_int_equal(bjc_store_save(&f.server, &saved), BOOTJACK_OK);
    bjc_store_restore(&f.server, saved);
    assert_int_equal(noted(&f), 2);
    bjc_model_commit(&f.model);
    assert_int_equal(bjc_model_begin(&f.model), BOOTJACK_OK);
    assert_false(bjc_store_written(&f.server, 1));
    bjc_model_commit(&f.model);
    unfurnish(&f);
}

/* Server instances that are left, as bits, when a session has deleted some Security instances and done one thing more.
 */
static unsigned left_after(unsigned deleted, const change *more) {
    furnished f;
    two_accounts(&f);
    assert_int_equal(bjc_model_begin(&f.model), BOOTJACK_OK);
    for (uint16_t iid = 1; iid <= 2; iid++) {
        if (deleted & iid) {
            assert_int_equal(bjc_store_remove(&f.security, iid), BOOTJACK_OK);
        }
    }
    if (more) {
        apply(&f, more);
    }
    bjc_accounts_drop_unpaired(&f.core, &f.security, &f.server);
    unsigned left = (bjc_store_instance(&f.server, 0) ? 1u : 0u) | (bjc_store_instance(&f.server, 1) ? 2u : 0u);
    bjc_model_roll_back(&f.model);
    assert_non_null(bjc_store_instance(&f.server, 1));
    unfurnish(&f);
    return left;
}

/* LwM2M Transport 1.1 §5.2.5: the Server instance of a Security instance that was deleted goes with it. */
static void what_belongs_to_a_deleted_security_instance(void **state) {
    (void) state;
    static const change written = { 1, 1, 1, "60" }, new_keys = { 0, 1, 10, "102" };
    assert_int_equal(left_after(0, NULL), 3);
    assert_int_equal(left_after(2, NULL), 1);
    assert_int_equal(left_after(2, &written), 3);  /* the session says that it is wanted */
    assert_int_equal(left_after(2, &new_keys), 2); /* server 102 has the keys of 101 now, which are gone from there */
    assert_int_equal(left_after(3, NULL), 3);      /* none would be left: Finish, or the start after it, says so */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted),
        cmocka_unit_test(refused),
        cmocka_unit_test(twice_the_same_server),
        cmocka_unit_test(credentials),
        cmocka_unit_test(modes_of_other_builds),
        cmocka_unit_test(credentials_are_bytes),
        cmocka_unit_test(strictly),
        cmocka_unit_test(bindings_of_1_0),
        cmocka_unit_test(account_rules),
        cmocka_unit_test(last_bootstrapped),
        cmocka_unit_test(last_bootstrapped_of_this_session),
        cmocka_unit_test(what_belongs_to_a_deleted_security_instance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
