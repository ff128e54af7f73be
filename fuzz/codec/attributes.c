/* SPDX-License-Identifier: Apache-2.0
 *
 * Write-Attributes: Uri-Query options, one a line of the input, in the client's parser; what it prints, it reads again.
 */
#include "reporting/attributes.h"

#include <string.h>

#include "fuzz.h"
#include "memory.h"

enum { OPTIONS = 20 };

static size_t cut(const char *text, size_t size, char separator, bjc_text options[OPTIONS]) {
    size_t count = 0;
    for (const char *end = text + size; text < end && count < OPTIONS;) {
        const char *stop = memchr(text, separator, (size_t) (end - text));
        stop = stop ? stop : end;
        options[count++] = (bjc_text){ text, (size_t) (stop - text) };
        text = stop + 1;
    }
    return count;
}

static void print_and_read(bootjack_version release, const bjc_attributes *attributes) {
    bjc_text options[OPTIONS];
    bjc_attributes again;
    bjc_buffer out;
    unsigned unset;
    bjc_buffer_init(&out, &memory_allocator);
    bjc_attributes_print(attributes, &out);
    size_t count = out.length ? cut((const char *) out.data + 1, out.length - 1, ';', options) : 0;
    FUZZ_HOLDS(bjc_attributes_parse(release, options, count, &again, &unset) && !unset,
               "what is printed of attributes is read again");
    FUZZ_HOLDS(again.present == attributes->present, "with the same attributes");
    bjc_buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const bootjack_version releases[] = { BOOTJACK_LWM2M_1_0, BOOTJACK_LWM2M_1_1, BOOTJACK_LWM2M_1_2 };
    fuzz_input input = { data, size };
    bootjack_version release = releases[fuzz_byte(&input) % 3];
    bjc_text options[OPTIONS];
    bjc_attributes set;
    unsigned unset;
    size_t count = cut((const char *) input.at, input.left, '\n', options);
    if (bjc_attributes_parse(release, options, count, &set, &unset)) {
        FUZZ_HOLDS(!(set.present & unset), "an attribute is set or taken away, not both");
        print_and_read(release, &set);
    }
    memory_done();
    return 0;
}
