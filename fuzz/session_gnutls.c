/* SPDX-License-Identifier: Apache-2.0
 *
 * See session_gnutls.h. Stands in front of two functions of GnuTLS and one of libcoap in the programs that play
 * sessions; everywhere else they are the libraries'.
 */
#define _GNU_SOURCE
#include "session_gnutls.h"

#include <coap3/coap.h>
#include <dlfcn.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT = 8 };

static struct {
    char *text;
    gnutls_priority_t made;
} kept[KEPT];
static unsigned count;
static bool keeping;

void session_gnutls_keep(void) {
    keeping = true;
}

void session_gnutls_begin(void) {
    uint8_t byte;
    gnutls_rnd(GNUTLS_RND_NONCE, &byte, sizeof byte); /* the first time it is seeded */
    gnutls_rnd_refresh();
}

static int make(gnutls_priority_t *made, const char *text, const char **error) {
    static int (*real)(gnutls_priority_t *, const char *, const char **);
    if (!real) {
        *(void **) &real = dlsym(RTLD_NEXT, "gnutls_priority_init");
    }
    return real(made, text, error);
}

static void keep(gnutls_priority_t made, const char *text) {
    char *copy = strdup(text);
    if (copy) {
        kept[count].text = copy;
        kept[count++].made = made;
    }
}

__attribute__((visibility("default"))) int gnutls_priority_init(gnutls_priority_t *made, const char *text,
                                                                const char **error) {
    for (unsigned i = 0; text && i < count; i++) {
        if (!strcmp(kept[i].text, text)) {
            *made = kept[i].made;
            return GNUTLS_E_SUCCESS;
        }
    }
    int result = make(made, text, error);
    if (result == GNUTLS_E_SUCCESS && keeping && text && count < KEPT) {
        keep(*made, text);
    }
    return result;
}

__attribute__((visibility("default"))) void gnutls_priority_deinit(gnutls_priority_t made) {
    static void (*real)(gnutls_priority_t);
    bool stays = false;
    for (unsigned i = 0; i < count && !stays; i++) {
        stays = kept[i].made == made;
    }
    if (!real) {
        *(void **) &real = dlsym(RTLD_NEXT, "gnutls_priority_deinit");
    }
    if (!stays) {
        real(made);
    }
}

__attribute__((visibility("default"))) coap_tls_version_t *coap_get_tls_library_version(void) {
    static coap_tls_version_t *version; /* static in the library, too */
    static coap_tls_version_t *(*real)(void);
    if (!version) {
        *(void **) &real = dlsym(RTLD_NEXT, "coap_get_tls_library_version");
        version = real();
    }
    return version;
}
