/* Any bytes as a stream of requests: what parses must come back the same from its own line. */
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"

static void one(struct view line)
{
    struct ctl_request *r = NULL, *again = NULL;
    struct ctl_error e;
    if (ctl_request_parse(line, &r, &e) != ERR_OK) {
        char *reply = ctl_reply_error(e.code, e.sentence);
        if (e.sentence[0] == '\0' || reply == NULL)
            abort();
        ctl_line_free(reply);
        return;
    }
    char *text = ctl_request_line(r);
    if (text != NULL) {
        if (ctl_request_parse(view_str(text), &again, &e) != ERR_OK || ctl_request_verb(again) != ctl_request_verb(r))
            abort();
        for (int i = 0; i < CTL_ARG_COUNT; i++)
            if (strcmp(ctl_text(r, (enum ctl_arg)i), ctl_text(again, (enum ctl_arg)i)) != 0 ||
                ctl_number(r, (enum ctl_arg)i) != ctl_number(again, (enum ctl_arg)i))
                abort();
    }
    ctl_line_free(text);
    ctl_request_free(again);
    ctl_request_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ctl_lines lines;
    struct view line;
    ctl_lines_init(&lines, CTL_REQUEST_MAX);
    for (size_t at = 0; at < size; at += 7) {
        if (ctl_lines_feed(&lines, view_of(data + at, size - at < 7 ? size - at : 7)) != ERR_OK)
            break;
        while (ctl_lines_next(&lines, &line))
            one(line);
    }
    ctl_lines_done(&lines);
    one(view_of(data, size));
    return 0;
}
