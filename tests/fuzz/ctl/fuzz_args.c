/* Any bytes as the arguments of a verb, which the first byte chooses: what parses comes back the same from a line. */
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ctl_request *r = NULL, *again = NULL;
    struct ctl_error e;
    if (size == 0)
        return 0;
    if (ctl_args_parse((enum ctl_verb)(data[0] % CTL_VERB_COUNT), view_of(data + 1, size - 1), &r, &e) != ERR_OK) {
        if (e.sentence[0] == '\0' || e.code[0] == '\0')
            abort();
        return 0;
    }
    /* What is missing is filled in as from a path. */
    while (ctl_args_whole(r, &e) != ERR_OK)
        if (ctl_args_text(r, ctl_arg_find(e.arg), "1", &e) != ERR_OK &&
            ctl_args_text(r, ctl_arg_find(e.arg), "true", &e) != ERR_OK)
            abort();
    char *line = ctl_request_line(r);
    if (line != NULL && ctl_request_parse(view_str(line), &again, &e) != ERR_OK)
        abort();
    for (int i = 0; i < CTL_ARG_COUNT && again != NULL; i++)
        if (strcmp(ctl_text(r, (enum ctl_arg)i), ctl_text(again, (enum ctl_arg)i)) != 0 ||
            ctl_number(r, (enum ctl_arg)i) != ctl_number(again, (enum ctl_arg)i))
            abort();
    ctl_line_free(line);
    ctl_request_free(again);
    ctl_request_free(r);
    return 0;
}
