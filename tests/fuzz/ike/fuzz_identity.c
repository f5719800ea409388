/* An ID payload, as identity, as selector and as NAT-OA. */
#include "fuzz_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct identity id;
    char text[IDENTITY_TEXT_MAX];
    if (identity_parse(view_of(data, size), &id) != DROP_NONE)
        return 0;
    memset(text, 0x7f, sizeof(text));
    identity_text(&id, text);
    MUST(memchr(text, '\0', sizeof(text)));
    for (const char *c = text; *c; c++)
        MUST(*c >= 0x20 && *c < 0x7f);
    const struct ip_addr a = identity_address(&id);
    if (a.family == 0)
        return 0;
    uint8_t out[32];
    struct writer w = wr_init(out, sizeof(out));
    identity_write(&w, &a, id.protocol, id.port);
    MUST(view_equal(wr_written(&w), view_of(data, size)));
    return 0;
}
