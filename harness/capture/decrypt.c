/* SPDX-License-Identifier: Apache-2.0
 *
 * See decrypt.h. tshark writes "upper PDUs": tagged values (where the piece comes from), then its bytes.
 */
#define _GNU_SOURCE
#include "capture/decrypt.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wire/reader.h"

enum { DLT_UPPER_PDU = 252, WORDS = 160 };

/* Tags of Wireshark's exported PDUs. */
enum {
    TAG_END = 0,
    TAG_IPV4_SRC = 20,
    TAG_IPV4_DST = 21,
    TAG_IPV6_SRC = 22,
    TAG_IPV6_DST = 23,
    TAG_SRC_PORT = 25,
    TAG_DST_PORT = 26,
    TAG_FRAME = 30
};

struct bj_decryption {
    FILE *file; /* what tshark wrote; without a name */
    pcap_t *pcap;
    bool pending, over;
    uint32_t frame;
    bj_addr from, to;
    const uint8_t *data;
    size_t length;
};

/* --- starting ------------------------------------------------------------------------------------------------- */

typedef struct words {
    char *argv[WORDS];
    char texts[WORDS][200];
    char key_log[4200];
    size_t count;
} words;

static void add(words *w, const char *word) {
    if (w->count + 1 < WORDS) {
        w->argv[w->count++] = (char *) (uintptr_t) word;
    }
}

static void add_text(words *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add_text(words *w, const char *format, ...) {
    if (w->count + 1 < WORDS) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(w->texts[w->count], sizeof w->texts[0], format, arguments);
        va_end(arguments);
        add(w, w->texts[w->count]);
    }
}

/* Ports that Wireshark does not take for CoAP by itself. */
static void add_ports(words *w, const bj_addr_set *servers) {
    uint16_t told[16];
    size_t count = 0;
    for (size_t i = 0; i < servers->room && count < 16; i++) {
        bool known = !servers->slots[i].family || servers->slots[i].port == 5684;
        for (size_t n = 0; n < count; n++) {
            known |= told[n] == servers->slots[i].port;
        }
        if (!known) {
            told[count++] = servers->slots[i].port;
            add(w, "-d");
            add_text(w, "dtls.port==%u,coap", servers->slots[i].port);
            add(w, "-d");
            add_text(w, "tls.port==%u,coap", servers->slots[i].port);
        }
    }
}

static void command(words *w, const bj_unit_options *options, size_t key, const bj_addr_set *servers) {
    add(w, "tshark");
    add(w, "-n");
    add(w, "-r");
    add(w, options->source.name);
    if (key < options->psk_count) {
        add(w, "-o");
        add_text(w, "dtls.psk:%s", options->psk[key]);
        add(w, "-o");
        add_text(w, "tls.psk:%s", options->psk[key]);
    } else if (options->key_log) {
        add(w, "-o");
        snprintf(w->key_log, sizeof w->key_log, "tls.keylog_file:%s", options->key_log);
        add(w, w->key_log);
    }
    add_ports(w, servers);
    add(w, "-U");
    add(w, "OSI layer 7");
    add(w, "-w");
    add(w, "-");
}

static _Noreturn void run(words *w, int out) {
    int nothing = open("/dev/null", O_RDWR);
    dup2(nothing, 0);
    dup2(out, 1);
    dup2(nothing, 2);
    execvp("tshark", w->argv);
    _exit(127);
}

static bool in_path(const char *program) {
    char path[4096];
    const char *list = getenv("PATH");
    for (const char *at = list ? list : ""; *at; at += strcspn(at, ":"), at += *at == ':') {
        snprintf(path, sizeof path, "%.*s/%s", (int) strcspn(at, ":"), at, program);
        if (access(path, X_OK) == 0) {
            return true;
        }
    }
    return false;
}

/* Lets tshark write the whole of it: several passes read it, and a process costs more than they do. */
static bool start(bj_decryption *d, words *w, bj_text *why) {
    if (!in_path("tshark")) {
        bj_text_add(why, "tshark, which decrypts, is not installed");
        return false;
    }
    d->file = tmpfile();
    pid_t process = d->file ? fork() : -1;
    if (process == 0) {
        run(w, fileno(d->file));
    }
    if (process < 0 || waitpid(process, NULL, 0) != process) {
        bj_text_printf(why, "tshark cannot be run: %s", strerror(errno));
        return false;
    }
    return true;
}

/* Reads what tshark wrote, from the beginning. */
static bool attach(bj_decryption *d, bj_text *why) {
    char error[PCAP_ERRBUF_SIZE] = "";
    int copy = fcntl(fileno(d->file), F_DUPFD_CLOEXEC, 0);
    FILE *stream = copy < 0 || lseek(copy, 0, SEEK_SET) != 0 ? NULL : fdopen(copy, "rb");
    d->pcap = stream ? pcap_fopen_offline(stream, error) : NULL;
    if (!d->pcap || pcap_datalink(d->pcap) != DLT_UPPER_PDU) {
        bj_text_printf(why, "tshark gave nothing that can be read%s%s", *error ? ": " : "", error);
        if (stream && !d->pcap) {
            fclose(stream);
        }
        return false;
    }
    return true;
}

bool bj_decryption_rewind(bj_decryption *d, bj_text *why) {
    pcap_close(d->pcap);
    d->pcap = NULL;
    d->pending = d->over = false;
    return attach(d, why);
}

bj_decryption *bj_decryption_start(const bj_unit_options *options, size_t key, const bj_addr_set *servers,
                                   bj_text *why) {
    bj_decryption *d = calloc(1, sizeof *d);
    words *w = calloc(1, sizeof *w);
    bool good = d && w;
    if (good) {
        command(w, options, key, servers);
        good = start(d, w, why) && attach(d, why);
    }
    free(w);
    if (!good && d) {
        bj_decryption_end(d);
        d = NULL;
    }
    return d;
}

/* --- reading -------------------------------------------------------------------------------------------------- */

static void take_tag(bj_decryption *d, uint32_t tag, const uint8_t *value, size_t length) {
    bj_reader r = bj_reader_over(value, length);
    uint32_t number = 0;
    bool address = (tag <= TAG_IPV4_DST && length == 4) || (tag > TAG_IPV4_DST && length == 16);
    if (tag >= TAG_IPV4_SRC && tag <= TAG_IPV6_DST && address) {
        bj_addr *addr = tag % 2 ? &d->to : &d->from;
        addr->family = length == 4 ? 4 : 6;
        memcpy(addr->ip, value, length);
    } else if (tag >= TAG_SRC_PORT && length == 4 && bj_reader_uint(&r, 4, &number)) {
        d->from.port = tag == TAG_SRC_PORT ? (uint16_t) number : d->from.port;
        d->to.port = tag == TAG_DST_PORT ? (uint16_t) number : d->to.port;
        d->frame = tag == TAG_FRAME ? number : d->frame;
    }
}

static bool take_pdu(bj_decryption *d, const uint8_t *bytes, size_t size) {
    bj_reader r = bj_reader_over(bytes, size);
    uint32_t tag, length;
    d->frame = 0;
    while (bj_reader_uint(&r, 2, &tag) && bj_reader_uint(&r, 2, &length)) {
        const uint8_t *value = bj_reader_take(&r, length);
        if (!value) {
            return false;
        }
        if (tag == TAG_END) {
            d->data = r.at;
            d->length = bj_reader_left(&r);
            return d->frame != 0;
        }
        take_tag(d, tag, value, length);
    }
    return false;
}

static void read_next(bj_decryption *d) {
    struct pcap_pkthdr *header;
    const u_char *bytes;
    while (!d->over && !d->pending) {
        if (pcap_next_ex(d->pcap, &header, &bytes) != 1) {
            d->over = true;
        } else {
            d->pending = take_pdu(d, bytes, header->caplen);
        }
    }
}

int bj_decryption_next(bj_decryption *d, uint32_t frame, bj_addr *from, bj_addr *to, const uint8_t **data,
                       size_t *length) {
    read_next(d);
    while (d->pending && d->frame < frame) {
        d->pending = false;
        read_next(d);
    }
    if (!d->pending || d->frame != frame) {
        return 0;
    }
    d->pending = false;
    *from = d->from;
    *to = d->to;
    *data = d->data;
    *length = d->length;
    return 1;
}

void bj_decryption_end(bj_decryption *d) {
    if (!d) {
        return;
    }
    if (d->pcap) {
        pcap_close(d->pcap);
    }
    if (d->file) {
        fclose(d->file);
    }
    free(d);
}
