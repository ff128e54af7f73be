/* SPDX-License-Identifier: Apache-2.0
 *
 * See text.h.
 */
#include "base/text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char ellipsis[] = "\xe2\x80\xa6";

bj_text bj_text_over(char *buffer, size_t size) {
    assert(size >= sizeof ellipsis);
    buffer[0] = '\0';
    return (bj_text){ .start = buffer, .size = size };
}

/* Marks the text as cut: what is there is shortened, never inside a UTF-8 sequence. */
static void cut(bj_text *text) {
    size_t end = text->size - sizeof ellipsis;
    if (text->used < end) {
        end = text->used;
    }
    while (end > 0 && ((unsigned char) text->start[end] & 0xC0) == 0x80) {
        end--;
    }
    memcpy(text->start + end, ellipsis, sizeof ellipsis);
    text->used = end + sizeof ellipsis - 1;
    text->cut = true;
}

/* As memcpy(). Most of what is added is a word or less, where it takes longer to call that than to copy. */
__attribute__((always_inline)) static inline void copy(char *to, const char *from, size_t length) {
    if (length > 16) {
        memcpy(to, from, length);
    } else if (length >= 8) { /* two words, which may overlap */
        memcpy(to, from, 8);
        memcpy(to + length - 8, from + length - 8, 8);
    } else if (length >= 4) {
        memcpy(to, from, 4);
        memcpy(to + length - 4, from + length - 4, 4);
    } else {
        for (size_t i = 0; i < length; i++) {
            to[i] = from[i];
        }
    }
}

void bj_text_add_bytes(bj_text *text, const char *bytes, size_t length) {
    if (text->cut) {
        return;
    }
    size_t used = text->used, room = text->size - used - 1;
    size_t take = length < room ? length : room;
    char *end = text->start + used;
    copy(end, bytes, take);
    end[take] = '\0';
    text->used = used + take;
    if (take < length) {
        cut(text);
    }
}

void bj_text_add_char(bj_text *text, char c) {
    size_t used = text->used;
    if (!text->cut && used + 1 < text->size) {
        char *end = text->start + used;
        end[0] = c;
        end[1] = '\0';
        text->used = used + 1;
    } else {
        bj_text_add_bytes(text, &c, 1);
    }
}

/* Adds `length` bytes, which the caller writes, where there is room for all of them; else NULL. */
static char *extend(bj_text *text, size_t length) {
    if (text->cut || text->size - text->used <= length) {
        return NULL;
    }
    char *added = text->start + text->used;
    added[length] = '\0';
    text->used += length;
    return added;
}

static void write_number(char *digits, size_t count, uint64_t number) {
    while (count) {
        digits[--count] = (char) ('0' + number % 10);
        number /= 10;
    }
}

void bj_text_add_number(bj_text *text, uint64_t number) {
    size_t count = 1;
    for (uint64_t rest = number / 10; rest; rest /= 10) {
        count++;
    }
    char *added = extend(text, count);
    if (added) {
        write_number(added, count, number);
    } else {
        char digits[20]; /* of 2^64 - 1 */
        write_number(digits, count, number);
        bj_text_add_bytes(text, digits, count);
    }
}

void bj_text_add_signed(bj_text *text, int64_t number) {
    if (number < 0) {
        bj_text_add_char(text, '-');
    }
    bj_text_add_number(text, number < 0 ? 0 - (uint64_t) number : (uint64_t) number);
}

void bj_text_vprintf(bj_text *text, const char *format, va_list arguments) {
    if (text->cut) {
        return;
    }
    size_t room = text->size - text->used;
    int wanted = vsnprintf(text->start + text->used, room, format, arguments);
    if (wanted < 0) {
        text->start[text->used] = '\0';
        return;
    }
    if ((size_t) wanted >= room) {
        text->used = text->size - 1;
        cut(text);
        return;
    }
    text->used += (size_t) wanted;
}

void bj_text_printf(bj_text *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    bj_text_vprintf(text, format, arguments);
    va_end(arguments);
}

static void write_hex(char *to, const uint8_t *bytes, size_t length) {
    for (size_t i = 0; i < length; i++, to += 2) {
        unsigned high = bytes[i] >> 4, low = bytes[i] & 15;
        const char two[2] = { (char) ('0' + high + (high > 9) * ('a' - '9' - 1)),
                              (char) ('0' + low + (low > 9) * ('a' - '9' - 1)) };
        memcpy(to, two, sizeof two);
    }
}

void bj_text_hex(bj_text *text, const void *bytes, size_t length) {
    const uint8_t *b = bytes;
    char *added = extend(text, 2 * length);
    if (added) {
        write_hex(added, b, length);
        return;
    }
    for (; length && !text->cut; length--) { /* as far as it goes */
        char two[2];
        write_hex(two, b++, 1);
        bj_text_add_bytes(text, two, sizeof two);
    }
}

/* The length of the UTF-8 sequence at `s` (1..4), or 0 when there is none. */
static size_t utf8_sequence(const unsigned char *s, size_t left) {
    if (s[0] < 0x80) {
        return 1;
    }
    size_t n = s[0] >= 0xF0 && s[0] <= 0xF4 ? 4 : s[0] >= 0xE0 && s[0] < 0xF0 ? 3 : s[0] >= 0xC2 && s[0] < 0xE0 ? 2 : 0;
    if (!n || n > left) {
        return 0;
    }
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) || (s[0] == 0xF0 && s[1] < 0x90) ||
        (s[0] == 0xF4 && s[1] > 0x8F)) {
        return 0;
    }
    return n;
}

/* How many bytes from `s` on are characters that stand in a JSON string as they are. */
static size_t plain_json(const unsigned char *s, size_t length) {
    size_t i = 0;
    while (i < length) {
        unsigned char c = s[i];
        bool ascii = c >= 0x20 && c < 0x7F;
        size_t n = ascii ? c != '"' && c != '\\' : c < 0x80 ? 0 : utf8_sequence(s + i, length - i);
        if (!n) {
            break;
        }
        i += n;
    }
    return i;
}

static void escape(bj_text *text, unsigned char c) {
    if (c == '\n') {
        bj_text_add_bytes(text, "\\n", 2);
    } else if (c == '"' || c == '\\') {
        bj_text_add_bytes(text, (const char[]){ '\\', (char) c }, 2);
    } else {
        bj_text_add_bytes(text, "\\u00", 4);
        bj_text_hex(text, &c, 1);
    }
}

void bj_text_json_string(bj_text *text, const char *bytes, size_t length) {
    const unsigned char *s = (const unsigned char *) bytes;
    size_t plain = plain_json(s, length);
    char *added = plain == length ? extend(text, length + 2) : NULL;
    if (added) { /* as most are */
        added[0] = added[length + 1] = '"';
        copy(added + 1, bytes, length);
        return;
    }
    bj_text_add_char(text, '"');
    for (size_t i = 0; i < length; i++) {
        plain = i ? plain_json(s + i, length - i) : plain;
        if (plain) {
            bj_text_add_bytes(text, bytes + i, plain);
            i += plain;
        }
        if (i < length) {
            escape(text, s[i]);
        }
    }
    bj_text_add_char(text, '"');
}
