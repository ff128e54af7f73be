/* SPDX-License-Identifier: Apache-2.0
 *
 * What an application tells of registrations, and when the client updates them: exact times, instances of the
 * application's own Objects, another network, queue mode.
 */
#define _GNU_SOURCE
#include <poll.h>

#include "support.h"

/* clang-format off */
#include "loopback.h"
/* clang-format on */

#include "registration/accounts.h"

#define OWN_OBJECT 26241

static unsigned own_instances = 1;

static int32_t next_instance(void *context, int32_t after) {
    (void) context;
    return after + 1 < (int32_t) own_instances ? after + 1 : -1;
}

static bool present(void *context, uint16_t iid, uint16_t rid) {
    (void) context;
    return iid < own_instances && rid == 0;
}

static bootjack_error read_value(void *context, uint16_t iid, uint16_t rid, uint16_t riid, bootjack_value *value) {
    (void) context;
    (void) rid;
    (void) riid;
    *value = (bootjack_value){ .type = BOOTJACK_TYPE_INTEGER, .as.integer = iid };
    return BOOTJACK_OK;
}

static bootjack_error write_value(void *context, uint16_t iid, uint16_t rid, uint16_t riid,
                                  const bootjack_value *value) {
    (void) context;
    (void) iid;
    (void) rid;
    (void) riid;
    (void) value;
    return BOOTJACK_ERR_METHOD;
}

static const bootjack_resource own_resources[] = { { 0, "Number", BOOTJACK_TYPE_INTEGER, BOOTJACK_READABLE, 0, 0,
                                                     10 } };

static const bootjack_object_handlers own_handlers = {
    .next_instance = next_instance, .present = present, .read = read_value, .write = write_value
};

static const bootjack_object own_object = {
    .oid = OWN_OBJECT, .resources = own_resources, .resource_count = 1, .handlers = &own_handlers
};

typedef struct bench {
    net n;
    bootjack_client *client;
} bench;

/* A client with one server from the factory. */
static void make_bench(bench *b, int32_t lifetime_s, bool queue_mode) {
    char uri[40];
    bootjack_config config;
    uint16_t iid = 0, server_iid = 0;
    memset(b, 0, sizeof *b);
    net_open(&b->n, NULL);
    bootjack_config_init(&config);
    config.endpoint = "dev-1";
    config.queue_mode = queue_mode;
    snprintf(uri, sizeof uri, "coap://127.0.0.1:%u", b->n.server.port);
    const bootjack_security_instance account = { .server_uri = uri,
                                                 .security_mode = BOOTJACK_SECURITY_NOSEC,
                                                 .ssid = 101 };
    const bootjack_server_instance server = { .ssid = 101, .lifetime_s = lifetime_s };
    assert_int_equal(bootjack_client_create(&config, &b->client), BOOTJACK_OK);
    assert_int_equal(bootjack_security_object_install(b->client), BOOTJACK_OK);
    assert_int_equal(bootjack_server_object_install(b->client), BOOTJACK_OK);
    assert_int_equal(bootjack_device_object_install(b->client, NULL), BOOTJACK_OK);
    assert_int_equal(bootjack_object_install(b->client, &own_object, NULL), BOOTJACK_OK);
    assert_int_equal(bootjack_security_object_add_instance(b->client, &account, &iid), BOOTJACK_OK);
    assert_int_equal(bootjack_server_object_add_instance(b->client, &server, &server_iid), BOOTJACK_OK);
}

/* ... registered with it. */
static void open_bench(bench *b, int32_t lifetime_s, bool queue_mode) {
    own_instances = 1;
    make_bench(b, lifetime_s, queue_mode);
    assert_true(run_until(&b->n, b->client, BOOTJACK_CLIENT_REGISTERED));
    assert_int_equal(b->n.registers, 1);
}

static void close_bench(bench *b) {
    bootjack_client_destroy(b->client);
    net_close(&b->n);
}

/* Every part of the query of a server's URI, beside all that a Register says itself. */
static void a_register_has_the_whole_query_of_the_uri(void **state) {
    (void) state;
    bench b;
    char uri[BOOTJACK_MAX_URI + 1];
    own_instances = 1;
    make_bench(&b, 86400, true);
    int used = snprintf(uri, sizeof uri, "coap://127.0.0.1:%u/?", b.n.server.port);
    for (int i = 1; i <= BOOTJACK_MAX_URI_PARTS; i++) {
        used += snprintf(uri + used, sizeof uri - (size_t) used, "%spart=%d", i > 1 ? "&" : "", i);
    }
    const bootjack_value text = { .type = BOOTJACK_TYPE_STRING, .as.bytes = { (const uint8_t *) uri, (size_t) used } };
    const bootjack_value binding = { .type = BOOTJACK_TYPE_STRING, .as.bytes = { (const uint8_t *) "UT", 2 } };
    assert_int_equal(bootjack_resource_set(b.client, 0, 0, 0, 0, &text), BOOTJACK_OK);
    assert_int_equal(bootjack_resource_set(b.client, 1, 0, 7, 0, &binding), BOOTJACK_OK);
    assert_true(run_until(&b.n, b.client, BOOTJACK_CLIENT_REGISTERED));
    for (int i = 1; i <= BOOTJACK_MAX_URI_PARTS; i++) {
        snprintf(uri, sizeof uri, "part=%d", i);
        assert_non_null(memmem(b.n.server.message, sizeof b.n.server.message, uri, strlen(uri)));
    }
    close_bench(&b);
}

/* What stands there is the last message that came within that time. */
static void run_and_hear(bench *b, int64_t duration_ms) {
    memset(b->n.server.message, 0, sizeof b->n.server.message);
    b->n.idle_ms = 0;
    run_for(&b->n, b->client, duration_ms);
}

static bool last_message_holds(const bench *b, const char *text) {
    return memmem(b->n.server.message, sizeof b->n.server.message, text, strlen(text)) != NULL;
}

/* MAX_TRANSMIT_WAIT before the end of the lifetime, and no earlier than half of it. */
static void updates_leave_in_time(void **state) {
    (void) state;
    static const struct {
        int32_t lifetime_s;
        int64_t update_ms;
    } rows[] = { { 600, 507000 }, { 186, 93000 }, { 100, 50000 }, { 86400, 86307000 }, { 1, 500 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bench b;
        open_bench(&b, rows[i].lifetime_s, false);
        run_and_hear(&b, rows[i].update_ms - 2);
        assert_int_equal(b.n.registers, 1);
        run_and_hear(&b, 4);
        assert_int_equal(b.n.registers, 2);
        assert_false(last_message_holds(&b, "lt="));
        close_bench(&b);
    }
}

static void accounts_that_the_application_adds(void **state) {
    (void) state;
    bench b;
    open_bench(&b, 86400, false);
    const bootjack_server_instance server = { .ssid = 102, .lifetime_s = 86400 };
    uint16_t iid = BOOTJACK_ID_INVALID;
    assert_int_equal(bootjack_server_object_add_instance(b.client, &server, &iid), BOOTJACK_OK);
    run_and_hear(&b, 1000);
    assert_int_equal(b.n.registers, 2);
    assert_true(last_message_holds(&b, "</1/1>"));
    close_bench(&b);
}

typedef struct sender {
    bootjack_client *client;
    unsigned told;
    bootjack_error result, again;
} sender;

/* What an application makes of a Send that failed: it looks for another network, and tries again. */
static void on_sent(void *context, uint16_t ssid, bootjack_error result) {
    static const bootjack_path path = { 3, { 1, 0, 1 } };
    sender *s = context;
    s->told++;
    s->result = result;
    bootjack_network_changed(s->client);
    s->again = bootjack_send(s->client, ssid, &path, 1, on_sent, s);
}

/* Told from a step, whatever lost it, and nothing of what the application does then meets a session that ends. */
static void the_result_of_a_send_comes_from_a_step(void **state) {
    (void) state;
    bench b;
    static const bootjack_path path = { 3, { 1, 0, 1 } };
    const bootjack_value no = { .type = BOOTJACK_TYPE_BOOLEAN, .as.boolean = false };
    open_bench(&b, 86400, false);
    sender s = { .client = b.client };
    assert_int_equal(bootjack_resource_set(b.client, 1, 0, 23, 0, &no), BOOTJACK_OK);
    assert_int_equal(bootjack_send(b.client, 101, &path, 1, on_sent, &s), BOOTJACK_OK);
    bootjack_network_changed(b.client);
    assert_int_equal(s.told, 0);
    bootjack_client_step(b.client);
    assert_int_equal(s.told, 1);
    assert_int_equal(s.result, BOOTJACK_ERR_NETWORK);
    assert_int_equal(s.again, BOOTJACK_ERR_STATE);
    assert_true(run_until(&b.n, b.client, BOOTJACK_CLIENT_REGISTERED));
    assert_int_equal(bootjack_send(b.client, 101, &path, 1, on_sent, &s), BOOTJACK_OK);
    bootjack_client_destroy(b.client);
    b.client = NULL;
    assert_int_equal(s.told, 2);
    net_close(&b.n);
}

static void instances_of_the_application(void **state) {
    (void) state;
    bench b;
    open_bench(&b, 86400, false);
    bootjack_instances_changed(b.client); /* nothing did */
    run_and_hear(&b, 1000);
    assert_int_equal(b.n.registers, 1);
    own_instances = 3;
    bootjack_instances_changed(b.client);
    run_and_hear(&b, 1000);
    assert_int_equal(b.n.registers, 2);
    assert_true(last_message_holds(&b, "</26241/2>"));
    own_instances = 0;
    bootjack_instances_changed(b.client);
    run_and_hear(&b, 1000);
    assert_int_equal(b.n.registers, 3);
    assert_true(last_message_holds(&b, "</26241>") && !last_message_holds(&b, "</26241/0>"));
    run_and_hear(&b, 86400000);
    assert_int_equal(b.n.registers, 4);
    assert_false(last_message_holds(&b, "</26241>"));
    close_bench(&b);
}

static bootjack_error set_number(bench *b, uint16_t oid, uint16_t iid, uint16_t rid, int64_t number) {
    const bootjack_value value = { .type = BOOTJACK_TYPE_INTEGER, .as.integer = number };
    return bootjack_resource_set(b->client, oid, iid, rid, 0, &value);
}

/* LwM2M Core 1.1 §6.2.2: whoever changes the Lifetime, the server is told. */
static void a_lifetime_that_the_application_sets(void **state) {
    (void) state;
    bench b;
    open_bench(&b, 86400, false);
    assert_int_equal(set_number(&b, 1, 0, 1, 300), BOOTJACK_OK);
    run_and_hear(&b, 1000);
    assert_int_equal(b.n.registers, 2);
    assert_true(last_message_holds(&b, "lt=300"));
    assert_int_equal(set_number(&b, 1, 0, 1, 300), BOOTJACK_OK); /* as it is */
    run_and_hear(&b, 1000);
    assert_int_equal(b.n.registers, 2);
    close_bench(&b);
}

/* What cannot be set leaves no instance behind. */
static void a_resource_that_cannot_be_set(void **state) {
    (void) state;
    bench b;
    bootjack_value value;
    open_bench(&b, 86400, false);
    assert_int_equal(set_number(&b, 3, 0, 26241, 1), BOOTJACK_ERR_NOT_FOUND);      /* no such resource */
    assert_int_equal(set_number(&b, OWN_OBJECT, 0, 0, 1), BOOTJACK_ERR_NOT_FOUND); /* its own */
    assert_int_equal(set_number(&b, 1, 7, 7, 1), BOOTJACK_ERR_TYPE);               /* the Binding is a text */
    assert_int_equal(bootjack_resource_get(b.client, 1, 7, 0, 0, &value), BOOTJACK_ERR_NOT_FOUND);
    run_and_hear(&b, 1000);
    assert_int_equal(b.n.registers, 1);
    close_bench(&b);
}

static void another_network(void **state) {
    (void) state;
    bench b;
    open_bench(&b, 86400, false);
    uint16_t port = b.n.server.client.sin_port;
    bootjack_network_changed(b.client);
    run_and_hear(&b, 1000);
    assert_int_equal(b.n.registers, 2);
    assert_true(last_message_holds(&b, "ep=dev-1"));
    assert_int_not_equal(b.n.server.client.sin_port, port);
    bootjack_client_stop(b.client);
    bootjack_network_changed(b.client);
    assert_true(run_until(&b.n, b.client, BOOTJACK_CLIENT_STOPPED));
    assert_int_equal(b.n.left, 1);
    close_bench(&b);
}

static void change_network(net *n, uint8_t code) {
    (void) code;
    n->on_answer = NULL;
    bootjack_network_changed(n->context);
}

/* The Bootstrap-Server has the old address: its next command would not arrive, and the client wait EXCHANGE_LIFETIME.
 */
static void another_network_in_a_bootstrap(void **state) {
    (void) state;
    static const step steps[] = { { BJC_DELETE, "1", NULL, 0, NULL },
                                  { BJC_PUT, "0/1", "{account}", 0, NULL },
                                  { BJC_PUT, "1/0", "C1 00 65 C2 01 0E 10 C1 06 00 C1 07 55", 0, NULL },
                                  { BJC_POST, "bs", NULL, 0, NULL },
                                  { 0, NULL, NULL, 0, NULL } };
    bench b;
    bootjack_config config;
    char uri[40];
    uint16_t iid = 0;
    memset(&b, 0, sizeof b);
    net_open(&b.n, steps);
    bootjack_config_init(&config);
    config.endpoint = "dev-1";
    snprintf(uri, sizeof uri, "coap://127.0.0.1:%u", b.n.bootstrap.port);
    const bootjack_security_instance account = { .server_uri = uri,
                                                 .security_mode = BOOTJACK_SECURITY_NOSEC,
                                                 .bootstrap_server = true };
    assert_int_equal(bootjack_client_create(&config, &b.client), BOOTJACK_OK);
    assert_int_equal(bootjack_security_object_install(b.client), BOOTJACK_OK);
    assert_int_equal(bootjack_server_object_install(b.client), BOOTJACK_OK);
    assert_int_equal(bootjack_security_object_add_instance(b.client, &account, &iid), BOOTJACK_OK);
    bootjack_network_changed(b.client); /* before there is anything */
    b.n.on_answer = change_network;
    b.n.context = b.client;
    int64_t begun = clock_offset_ms;
    assert_true(run_until(&b.n, b.client, BOOTJACK_CLIENT_REGISTERED));
    assert_int_equal(b.n.requests, 2);
    assert_true(clock_offset_ms - begun < 3000);
    close_bench(&b);
}

/* Nothing to watch, nothing to do until the Update. */
static void queue_mode_lets_the_application_sleep(void **state) {
    (void) state;
    static const step ping = { BJC_GET, "1/0/1", NULL, 0, NULL };
    int descriptors[4];
    bench b;
    open_bench(&b, 600, true);
    assert_true(last_message_holds(&b, "Q"));
    assert_int_equal(ask(&b.n, b.client, &ping), BJC_CONTENT);
    run_and_hear(&b, 92000);
    assert_int_equal(ask(&b.n, b.client, &ping), BJC_CONTENT);
    size_t awake = bootjack_client_descriptors(b.client, descriptors, 4);
    run_and_hear(&b, 94000);
    assert_int_equal(bootjack_client_descriptors(b.client, descriptors, 4), awake - 1);
    assert_int_equal(ask(&b.n, b.client, &ping), 0);
    assert_true(bootjack_client_next_deadline_ms(b.client) > 300000);
    run_and_hear(&b, 330000); /* the Update, and awake again */
    assert_int_equal(b.n.registers, 2);
    b.n.answered = 0;
    assert_int_equal(ask(&b.n, b.client, &ping), BJC_CONTENT);
    close_bench(&b);
}

static bool body_holds(const bench *b, const char *text) {
    return memmem(b->n.body, b->n.body_length, text, strlen(text)) != NULL;
}

/* A list that no message can hold leaves in blocks, in the size that the server likes. */
static void many_instances(void **state) {
    (void) state;
    static const uint8_t exponents[] = { 0, 5, 4 };
    size_t whole = 0;
    for (size_t i = 0; i < sizeof exponents / sizeof *exponents; i++) {
        bench b;
        own_instances = 300;
        make_bench(&b, 86400, false);
        b.n.block_exponent = exponents[i];
        assert_true(run_until(&b.n, b.client, BOOTJACK_CLIENT_REGISTERED));
        assert_int_equal(b.n.registers, 1);
        assert_true(b.n.body_length > 3000 && (!whole || b.n.body_length == whole));
        assert_true(b.n.blocks >= (b.n.body_length - 1024) / ((size_t) 16 << (exponents[i] ? exponents[i] : 6)));
        assert_true(body_holds(&b, "</1/0>") && body_holds(&b, "</26241/0>") && body_holds(&b, "</26241/299>"));
        whole = b.n.body_length;
        b.n.body_length = 0;
        own_instances = 301;
        bootjack_instances_changed(b.client);
        run_and_hear(&b, 1000);
        assert_int_equal(b.n.registers, 2);
        assert_true(body_holds(&b, "</26241/300>"));
        close_bench(&b);
    }
}

/* What the system would send from now: for bjc_session_moved(), which asks a socket of its own. */
static bool elsewhere;

int getsockname(int descriptor, struct sockaddr *address, socklen_t *length) {
    long result = syscall(SYS_getsockname, descriptor, address, length);
    if (result == 0 && elsewhere && address->sa_family == AF_INET) {
        ((struct sockaddr_in *) (void *) address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
    }
    return (int) result;
}

/* LwM2M Transport 1.1 §6.4.3: the address of the client changed, so that an Update would not do. */
static void another_address(void **state) {
    (void) state;
    bench b;
    open_bench(&b, 600, false);
    elsewhere = true;
    run_and_hear(&b, 508000);
    assert_int_equal(b.n.registers, 2);
    assert_true(last_message_holds(&b, "ep=dev-1"));
    run_and_hear(&b, 508000); /* in the session that began there, an Update does */
    assert_int_equal(b.n.registers, 3);
    assert_false(last_message_holds(&b, "ep=dev-1"));
    elsewhere = false;
    close_bench(&b);
}

#define MANY_SERVERS (BOOTJACK_MAX_INSTANCES - 1)

/* The application waits, in bootjack_client_run(): what it waits for is counted, and the servers act. */
static net *waiting_for;
static nfds_t most_watched;

int poll(struct pollfd *watched, nfds_t count, int timeout_ms) {
    const struct timespec none = { 0 };
    if (waiting_for && timeout_ms > 0) {
        most_watched = count > most_watched ? count : most_watched;
        clock_offset_ms += serve(waiting_for) ? 0 : timeout_ms;
    }
    return (int) syscall(SYS_ppoll, watched, count, &none, NULL, 0);
}

static void add_servers(bench *b, uint16_t count) {
    char uri[40];
    snprintf(uri, sizeof uri, "coap://127.0.0.1:%u", b->n.server.port);
    for (uint16_t i = 1; i < count; i++) {
        uint16_t iid = BOOTJACK_ID_INVALID, server_iid = BOOTJACK_ID_INVALID;
        const bootjack_security_instance account = { .server_uri = uri,
                                                     .security_mode = BOOTJACK_SECURITY_NOSEC,
                                                     .ssid = (uint16_t) (101 + i) };
        const bootjack_server_instance server = { .ssid = account.ssid, .lifetime_s = 86400 };
        assert_int_equal(bootjack_security_object_add_instance(b->client, &account, &iid), BOOTJACK_OK);
        assert_int_equal(bootjack_server_object_add_instance(b->client, &server, &server_iid), BOOTJACK_OK);
    }
}

/* However many servers there are, none is left waiting until something else happens. */
static void every_server_is_listened_to(void **state) {
    (void) state;
    bench b;
    own_instances = 1;
    make_bench(&b, 86400, false);
    add_servers(&b, MANY_SERVERS);
    assert_true(run_until(&b.n, b.client, BOOTJACK_CLIENT_REGISTERED));
    run_and_hear(&b, 1000);
    assert_int_equal(b.n.registers, MANY_SERVERS);
    bootjack_client_stop(b.client);
    waiting_for = &b.n;
    assert_int_equal(bootjack_client_run(b.client), BOOTJACK_OK);
    waiting_for = NULL;
    assert_int_equal(b.n.left, MANY_SERVERS);
    assert_int_equal(most_watched, MANY_SERVERS);
    close_bench(&b);
}

/* Two accounts are the same only as long as nothing was deleted or changed. */
static void marks_of_accounts(void **state) {
    (void) state;
    furnished f;
    furnish(&f);
    assert_int_equal(bjc_store_create(&f.security, 1), BOOTJACK_OK);
    assert_int_equal(bjc_store_create(&f.server, 4), BOOTJACK_OK);
    assert_int_equal(bjc_store_set_integer(&f.server, 4, BJC_SERVER_LIFETIME, 60), BOOTJACK_OK);
    bjc_account_mark first = bjc_account_mark_of(&f.security, 1, &f.server, 4), next;
    assert_int_equal(bjc_store_set_integer(&f.server, 4, BJC_SERVER_LAST_BOOTSTRAPPED, 7), BOOTJACK_OK);
    next = bjc_account_mark_of(&f.security, 1, &f.server, 4);
    assert_memory_equal(&first, &next, sizeof first);
    assert_int_equal(bjc_store_set_integer(&f.server, 4, BJC_SERVER_LIFETIME, 61), BOOTJACK_OK);
    next = bjc_account_mark_of(&f.security, 1, &f.server, 4);
    assert_true(next.server != first.server && next.server_born == first.server_born &&
                next.security == first.security);
    assert_int_equal(bjc_store_remove(&f.server, 4), BOOTJACK_OK);
    assert_int_equal(bjc_store_create(&f.server, 4), BOOTJACK_OK);
    assert_int_equal(bjc_store_set_integer(&f.server, 4, BJC_SERVER_LIFETIME, 60), BOOTJACK_OK);
    next = bjc_account_mark_of(&f.security, 1, &f.server, 4);
    assert_true(next.server == first.server && next.server_born != first.server_born);
    /* A transaction that is undone undoes that, too. */
    assert_int_equal(bjc_model_begin(&f.model), BOOTJACK_OK);
    assert_int_equal(bjc_store_remove(&f.server, 4), BOOTJACK_OK);
    assert_int_equal(bjc_store_create(&f.server, 4), BOOTJACK_OK);
    bjc_model_roll_back(&f.model);
    first = bjc_account_mark_of(&f.security, 1, &f.server, 4);
    assert_memory_equal(&first, &next, sizeof first);
    unfurnish(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(updates_leave_in_time),
        cmocka_unit_test(a_register_has_the_whole_query_of_the_uri),
        cmocka_unit_test(accounts_that_the_application_adds),
        cmocka_unit_test(the_result_of_a_send_comes_from_a_step),
        cmocka_unit_test(instances_of_the_application),
        cmocka_unit_test(another_network),
        cmocka_unit_test(another_network_in_a_bootstrap),
        cmocka_unit_test(queue_mode_lets_the_application_sleep),
        cmocka_unit_test(a_lifetime_that_the_application_sets),
        cmocka_unit_test(a_resource_that_cannot_be_set),
        cmocka_unit_test(many_instances),
        cmocka_unit_test(another_address),
        cmocka_unit_test(every_server_is_listened_to),
        cmocka_unit_test(marks_of_accounts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
