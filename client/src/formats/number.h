/* SPDX-License-Identifier: Apache-2.0
 *
 * Decimal numbers as JSON and text/plain have them. Whole numbers are exact over all 64 bits, also where they are
 * written with a fraction or an exponent; the process's locale changes nothing.
 */
#ifndef BJC_FORMATS_NUMBER_H
#define BJC_FORMATS_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BJC_NUMBER_TEXT 32
/* Longest text of a number that is taken. */
#define BJC_NUMBER_MAX 128

/* The length of the number that `text` begins with, by JSON's grammar (RFC 8259 §6); 0 = none. */
size_t bjc_number_length(const uint8_t *text, size_t length);
/* `text` obeys that grammar. False: not a whole number, or outside the type's range. */
bool bjc_number_integer(const uint8_t *text, size_t length, int64_t *number);
bool bjc_number_unsigned(const uint8_t *text, size_t length, uint64_t *number);
/* Also takes a plus sign, zeros in front, and a point without digits on one side. False: no number, or too large. */
bool bjc_number_real(const uint8_t *text, size_t length, double *number);
/* The fewest digits that give the same number again. False: infinite, or not a number. */
bool bjc_number_text(double number, char text[BJC_NUMBER_TEXT]);

#endif
