/* SPDX-License-Identifier: Apache-2.0
 *
 * The conversions behind bjc_entry_value(): one for each family of forms. `value->type` says what is wanted.
 */
#ifndef BJC_FORMATS_VALUE_H
#define BJC_FORMATS_VALUE_H

#include "formats/entry.h"

bootjack_error bjc_value_of_tlv(const bjc_entry *entry, bootjack_value *value);
bootjack_error bjc_value_of_text(const bjc_entry *entry, bjc_buffer *scratch, bootjack_value *value);
/* The forms that say what they are; without wrapping. */
bootjack_error bjc_value_of_typed(const bjc_entry *entry, bjc_buffer *scratch, bootjack_value *value);

/* String, Corelnk (both UTF-8) or Opaque, borrowed from the entry. */
bootjack_error bjc_value_of_bytes(const bjc_entry *entry, bootjack_value *value);
/* "oid:iid" (LwM2M Core 1.1 Appendix C). */
bootjack_error bjc_value_of_link(const bjc_entry *entry, bootjack_value *value);
/* Base64 in the standard alphabet, decoded into `scratch`. */
bootjack_error bjc_value_of_base64(const bjc_entry *entry, bjc_buffer *scratch, bootjack_value *value);

#endif
