/* Any bytes as a reply: read as every kind of object, written again, read to the same. */
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"

/* Members that reach the reader by any name: the data itself, and what is in it. */
static void as_objects(const json_t *json)
{
#define CTL_OBJECT(name)                                                                                               \
    do {                                                                                                               \
        struct ctl_##name a, b;                                                                                        \
        if (ctl_##name##_read(json, &a) != ERR_OK)                                                                     \
            break;                                                                                                     \
        json_t *back = ctl_##name##_json(&a);                                                                          \
        if (ctl_##name##_read(back, &b) != ERR_OK)                                                                     \
            abort();                                                                                                   \
        json_decref(back);                                                                                             \
    } while (0);
    CTL_OBJECTS(CTL_OBJECT)
#undef CTL_OBJECT
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *json = NULL, *member;
    const char *key;
    struct ctl_error e;
    if (ctl_reply_parse(view_of(data, size), &json, &e) != ERR_OK) {
        if (e.sentence[0] == '\0' && e.code[0] == '\0')
            abort();
        return 0;
    }
    as_objects(json);
    json_object_foreach(json, key, member)
    {
        as_objects(member);
        as_objects(json_array_get(member, 0));
    }
    char *line = ctl_reply_ok(json);
    if (line == NULL)
        abort();
    ctl_line_free(line);
    return 0;
}
