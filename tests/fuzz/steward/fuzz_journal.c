/* A journal as it may be found: the input is the file. What is read from it is only ever a name of harmless letters and
 * numbers in range. */
#include "steward/steward_internal.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[2048];
    struct steward_record record;
    if (size >= sizeof(text))
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (steward_record_parse(text, &record) == ERR_OK &&
        (!steward_iface_is_good(record.iface) || record.number == 0 || record.number > STEWARD_NUMBERS ||
         record.resolver > RESOLVER_IN_PLACE))
        abort();
    return 0;
}
