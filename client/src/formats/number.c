/* SPDX-License-Identifier: Apache-2.0
 *
 * Decimal numbers as JSON and text/plain have them.
 */
#include "formats/number.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t digits(const uint8_t *text, size_t at, size_t length) {
    size_t start = at;
    while (at < length && text[at] >= '0' && text[at] <= '9') {
        at++;
    }
    return at - start;
}

/* The part behind the point or the `e`, with it; 0 = there is none. */
static size_t fraction_length(const uint8_t *text, size_t at, size_t length) {
    return at < length && text[at] == '.' ? 1 + digits(text, at + 1, length) : 0;
}

static size_t exponent_length(const uint8_t *text, size_t at, size_t length) {
    if (at >= length || (text[at] | 0x20) != 'e') {
        return 0;
    }
    size_t sign = at + 1 < length && (text[at + 1] == '+' || text[at + 1] == '-');
    return 1 + sign + digits(text, at + 1 + sign, length);
}

static bool ends_with_digit(const uint8_t *text, size_t length) {
    return text[length - 1] >= '0' && text[length - 1] <= '9';
}

size_t bjc_number_length(const uint8_t *text, size_t length) {
    size_t at = length > 0 && text[0] == '-';
    size_t whole = digits(text, at, length);
    if (whole == 0 || (whole > 1 && text[at] == '0')) {
        return 0;
    }
    at += whole;
    size_t fraction = fraction_length(text, at, length);
    if (fraction == 1) {
        return 0;
    }
    at += fraction;
    at += exponent_length(text, at, length);
    return ends_with_digit(text, at) ? at : 0;
}

/* --- whole numbers ---------------------------------------------------------------------------------------------- */

typedef struct decimal {
    bool negative;
    char digits[BJC_NUMBER_MAX]; /* without zeros at either end */
    size_t count;
    long exponent; /* of ten, to be multiplied with */
} decimal;

/* No exponent of any use has more digits than this has. */
static long exponent_value(const uint8_t *text, size_t length) {
    long value = 0;
    size_t at = text[0] == '+' || text[0] == '-';
    for (; at < length; at++) {
        value = value > 100000 ? value : value * 10 + (text[at] - '0');
    }
    return text[0] == '-' ? -value : value;
}

static void add_digit(decimal *d, uint8_t digit) {
    if (d->count > 0 || digit != '0') {
        d->digits[d->count++] = (char) digit;
    }
}

static bool take_apart(const uint8_t *text, size_t length, decimal *d) {
    *d = (decimal){ .negative = length > 0 && text[0] == '-' };
    if (length >= BJC_NUMBER_MAX || length == 0) {
        return false;
    }
    bool behind_point = false;
    for (size_t at = d->negative; at < length; at++) {
        if (text[at] == '.') {
            behind_point = true;
        } else if (text[at] == 'e' || text[at] == 'E') {
            d->exponent += exponent_value(text + at + 1, length - at - 1);
            break;
        } else {
            add_digit(d, text[at]);
            d->exponent -= behind_point;
        }
    }
    while (d->count > 0 && d->digits[d->count - 1] == '0') {
        d->count--;
        d->exponent++;
    }
    return true;
}

static bool magnitude(const decimal *d, uint64_t *number) {
    *number = 0;
    if (d->count == 0) {
        return true;
    }
    if (d->exponent < 0 || d->exponent > 20 || d->count > 20) {
        return false;
    }
    for (size_t i = 0; i < d->count + (size_t) d->exponent; i++) {
        uint64_t digit = i < d->count ? (uint64_t) (d->digits[i] - '0') : 0;
        if (__builtin_mul_overflow(*number, UINT64_C(10), number) || __builtin_add_overflow(*number, digit, number)) {
            return false;
        }
    }
    return true;
}

bool bjc_number_integer(const uint8_t *text, size_t length, int64_t *number) {
    decimal d;
    uint64_t value;
    if (!take_apart(text, length, &d) || !magnitude(&d, &value) || value > (uint64_t) INT64_MAX + d.negative) {
        return false;
    }
    *number = d.negative ? (int64_t) (0 - value) : (int64_t) value;
    return true;
}

bool bjc_number_unsigned(const uint8_t *text, size_t length, uint64_t *number) {
    decimal d;
    return take_apart(text, length, &d) && magnitude(&d, number) && (!d.negative || *number == 0);
}

/* --- others ----------------------------------------------------------------------------------------------------- */

/* What strtod() and printf() put between whole part and fraction. */
static char point(void) {
    return localeconv()->decimal_point[0];
}

bool bjc_number_real(const uint8_t *text, size_t length, double *number) {
    char copy[BJC_NUMBER_MAX];
    char *end;
    if (length == 0 || length >= sizeof copy) {
        return false;
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (strspn(copy, "0123456789+-.eE") != length) {
        return false;
    }
    char *found = strchr(copy, '.');
    if (found) {
        *found = point();
    }
    *number = strtod(copy, &end);
    return end == copy + length && isfinite(*number);
}

bool bjc_number_text(double number, char text[BJC_NUMBER_TEXT]) {
    if (!isfinite(number)) {
        return false;
    }
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(text, BJC_NUMBER_TEXT, "%.*g", precision, number);
        if (strtod(text, NULL) == number) {
            break;
        }
    }
    char *found = strchr(text, point());
    if (found) {
        *found = '.';
    }
    return true;
}
