/* SPDX-License-Identifier: Apache-2.0
 *
 * How much heap one bootstrap and registration needs: a client that counts what its allocator gives out and, besides,
 * every malloc() of the process (libcoap and what stands below it). It stops when it is registered and prints the most
 * that was in use at one time. ci/bench runs it in virtual time.
 */
#define _GNU_SOURCE
#include <bootjack/bootjack.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* glibc's own functions behind the public names, which this program takes over for itself and its libraries. */
void *__libc_malloc(size_t size);                /* NOLINT(bugprone-reserved-identifier,cert-dcl37-c) */
void *__libc_calloc(size_t count, size_t size);  /* NOLINT(bugprone-reserved-identifier,cert-dcl37-c) */
void *__libc_realloc(void *memory, size_t size); /* NOLINT(bugprone-reserved-identifier,cert-dcl37-c) */
void __libc_free(void *memory);                  /* NOLINT(bugprone-reserved-identifier,cert-dcl37-c) */

typedef struct meter {
    size_t used, most, count;
} meter;

static meter process; /* all that malloc() gave out */

static void more(meter *m, size_t size) {
    m->used += size;
    m->most = m->used > m->most ? m->used : m->most;
    m->count++;
}

static void *counted(void *memory) {
    more(&process, malloc_usable_size(memory));
    return memory;
}

void *malloc(size_t size) {
    return counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size) {
    return counted(__libc_calloc(count, size));
}

void *realloc(void *memory, size_t size) {
    size_t before = malloc_usable_size(memory);
    void *after = __libc_realloc(memory, size);
    if (after || !size) {
        process.used -= before;
    }
    return counted(after);
}

void free(void *memory) {
    process.used -= malloc_usable_size(memory);
    __libc_free(memory);
}

/* --- the client's own allocator: each piece knows its size ----- */

static void *allocate(void *context, size_t size) {
    max_align_t *memory = malloc(sizeof *memory + size);
    if (!memory) {
        return NULL;
    }
    memcpy(memory, &size, sizeof size);
    more(context, size);
    return memory + 1;
}

static void release(void *context, void *memory) {
    meter *own = context;
    max_align_t *start = memory ? (max_align_t *) memory - 1 : NULL;
    size_t size = 0;
    if (start) {
        memcpy(&size, start, sizeof size);
        own->used -= size;
    }
    free(start);
}

/* --- one life up to the registration ----- */

static bootjack_error furnish(bootjack_client *client, const char *uri) {
    const bootjack_security_instance account = { .bootstrap_server = true,
                                                 .server_uri = uri,
                                                 .security_mode = BOOTJACK_SECURITY_NOSEC };
    uint16_t iid = BOOTJACK_ID_INVALID;
    bootjack_error error = bootjack_security_object_install(client);
    error = error ? error : bootjack_security_object_add_instance(client, &account, &iid);
    error = error ? error : bootjack_server_object_install(client);
    return error ? error : bootjack_device_object_install(client, NULL);
}

static void until_registered(bootjack_client *client) {
    while (bootjack_client_step(client), bootjack_client_state(client) != BOOTJACK_CLIENT_REGISTERED) {
        int descriptors[4];
        struct pollfd watched[4];
        size_t count = bootjack_client_descriptors(client, descriptors, 4);
        for (size_t i = 0; i < count; i++) {
            watched[i] = (struct pollfd){ .fd = descriptors[i], .events = POLLIN };
        }
        poll(watched, (nfds_t) count, (int) bootjack_client_next_deadline_ms(client));
    }
}

int main(int argc, char **argv) {
    meter own = { 0 }, before = process;
    const bootjack_allocator allocator = { allocate, release, &own };
    bootjack_config config;
    bootjack_client *client;
    if (argc != 2) {
        fprintf(stderr, "usage: %s BOOTSTRAP-SERVER-URI\n", argv[0]);
        return 64;
    }
    process.most = process.used;
    bootjack_config_init(&config);
    config.endpoint = "dev-1";
    config.allocator = &allocator;
    bootjack_error error = bootjack_client_create(&config, &client);
    error = error ? error : furnish(client, argv[1]);
    if (error) {
        fprintf(stderr, "%s\n", bootjack_error_text(error));
        return 1;
    }
    until_registered(client);
    size_t own_count = own.count, count = process.count - before.count, most = process.most - before.used;
    bootjack_client_destroy(client);
    printf("own=%zu own-count=%zu own-left=%zu process=%zu process-count=%zu\n", own.most, own_count, own.used, most,
           count);
    return own.used ? 1 : 0;
}
