/* Any bytes as a profile: refused with a sentence, or taken, and then what is written of it reads the same. */
#include <stdlib.h>
#include <string.h>

#include "profile/profile.h"

static char first[PROFILE_SIZE_MAX], second[PROFILE_SIZE_MAX];

static size_t written(const struct profile *p, bool comments, char *out)
{
    struct writer w = wr_init(out, PROFILE_SIZE_MAX);
    if (profile_write(p, comments, &w) != ERR_OK)
        abort();
    return w.n;
}

static void check_again(const struct profile *p, bool comments)
{
    struct profile *again = NULL;
    struct config_error e;
    size_t n = written(p, comments, second);
    if (profile_parse(view_of(second, n), "again", &again, &e) != ERR_OK)
        abort();
    n = written(again, false, second);
    if (n != written(p, false, first) || memcmp(first, second, n) != 0)
        abort();
    profile_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct profile *p = NULL;
    struct config_error e;
    if (profile_parse(view_of(data, size), "fuzz", &p, &e) == ERR_OK) {
        check_again(p, false);
        check_again(p, true);
        (void)profile_needs(p);
    } else if (e.sentence[0] == '\0') {
        abort();
    }
    profile_free(p);
    return 0;
}
