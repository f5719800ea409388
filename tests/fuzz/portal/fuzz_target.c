/* Request targets, and the query behind them. */
#include "portal/portal_internal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct view path, query;
    struct form form;
    if (target_split(view_of(data, n), &path, &query) != ERR_OK)
        return 0;
    if (path.n == 0 || path.p[0] != '/' || path.n + query.n > n)
        abort();
    (void)asset_find(path);
    char text[64];
    if (segment_read(path, text, sizeof text) == ERR_OK && (text[0] == '\0' || strlen(text) > path.n))
        abort();
    if (form_parse(query, &form) == ERR_OK)
        form_done(&form);
    return 0;
}
