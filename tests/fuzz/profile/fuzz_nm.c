/* Any bytes as a connection of NetworkManager: refused with a sentence, or a profile that holds when it is written. */
#include <stdlib.h>

#include "profile/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[PROFILE_SIZE_MAX];
    char notes[PROFILE_NOTES_MAX];
    struct profile *p = NULL, *again = NULL;
    struct config_error e;
    if (profile_import_nm(view_of(data, size), "fuzz", &p, notes, &e) == ERR_OK) {
        struct writer w = wr_init(text, sizeof text);
        if (profile_write(p, true, &w) != ERR_OK || profile_parse(wr_written(&w), "again", &again, &e) != ERR_OK)
            abort();
    } else if (e.sentence[0] == '\0') {
        abort();
    }
    profile_free(p);
    profile_free(again);
    return 0;
}
