/* What a browser says it runs on, before the first line feed the hint and behind it the User-Agent: whatever it is, the
 * word is that of a device with set-up, or none. */
#include "handout/handout.h"
#include "portal/portal_internal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const uint8_t *end = n > 0 ? memchr(data, '\n', n) : NULL;
    const size_t hint = end != NULL ? (size_t)(end - data) : n, skip = end != NULL ? hint + 1 : n;
    enum handout_device device;
    const char *word = platform_told(view_of(data, hint), view_of(data + skip, n - skip));
    if (word[0] != '\0' && !handout_find(word, &device))
        abort();
    return 0;
}
