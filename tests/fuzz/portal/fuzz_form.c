/* Forms: what is taken is text without control characters under names of ours, and no longer than it was sent. */
#include "portal/portal_internal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct form form;
    uint64_t number;
    size_t sum = 0;
    if (form_parse(view_of(data, n), &form) != ERR_OK)
        return 0;
    for (size_t i = 0; i < form.count; i++) {
        const char *value = form.field[i].value;
        if (form_value(&form, form.field[i].name) != value || strlen(form.field[i].name) >= FORM_NAME_MAX)
            abort();
        for (const char *c = value; *c != '\0'; c++)
            if ((unsigned char)*c < 0x20 && *c != '\t' && *c != '\n' && *c != '\r')
                abort();
        if (form_number(&form, form.field[i].name, 1000000, &number) == ERR_OK && number > 1000000)
            abort();
        sum += strlen(value);
    }
    if (sum > n)
        abort();
    form_done(&form);
    return 0;
}
