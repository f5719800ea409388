/* Cookies and languages, and a page that holds all of it. */
#include "portal/portal_internal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t token[LOGIN_TOKEN];
    struct view value;
    struct page page;
    char *text = malloc(n + 1);
    if (text == NULL)
        return 0;
    memcpy(text, data, n);
    text[n] = '\0';
    if (cookie_find(view_of(data, n), "__Host-sekisho", &value) == ERR_OK)
        (void)hex_read(value, token, sizeof token);
    page_init(&page, language_accepted(view_of(data, n)));
    page_text(&page, text);
    page_query(&page, text);
    for (size_t i = 0; i < page.n; i++)
        if (strchr("<>\"'", page.p[i]) != NULL)
            abort();
    page_done(&page);
    free(text);
    return 0;
}
