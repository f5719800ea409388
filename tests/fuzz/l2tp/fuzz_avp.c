/* The AVP list of a control message, with and without a secret for hidden values. */
#include "l2tp/l2tp_internal.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void touch(struct view v)
{
    static volatile uint8_t sink;
    for (size_t i = 0; i < v.n; i++)
        sink = (uint8_t)(sink ^ v.p[i]);
}

static void parse(struct view body, struct view secret)
{
    struct scratch scratch;
    struct message m;
    if (l2tp_message_parse(body, secret, &scratch, &m) != DROP_NONE)
        return;
    if (m.type == MSG_NONE || scratch.n > sizeof(scratch.bytes))
        abort();
    touch(m.host);
    touch(m.vendor);
    touch(m.calling);
    touch(m.text);
    touch(m.challenge);
    touch(m.response);
    char text[64];
    l2tp_text_printable(text, sizeof(text), m.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > L2TP_MESSAGE_MAX)
        return 0;
    parse(view_of(data, size), VIEW_NONE);
    parse(view_of(data, size), view_str("secret"));
    return 0;
}
