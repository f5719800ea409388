/*
 * What the user typed at a grid, kept in memory for a connection that comes back: a gateway that says so takes it again
 * from the same client for a while, and nobody has to be there. It says how long; after that, and whenever the answer
 * is refused, the user is asked.
 */
#include "sekisho/sekisho_internal.h"

#include <stdio.h>
#include <string.h>

void recall_drop(struct recall *r)
{
    bytes_wipe(r, sizeof(*r));
}

void recall_typed(struct recall *r, const struct grid_prompt *at, const char *text)
{
    recall_drop(r);
    if (at->back == 0 || strlen(text) >= sizeof(r->text))
        return;
    r->back = at->back * USEC_SEC;
    r->longest = at->longest * USEC_SEC;
    snprintf(r->text, sizeof(r->text), "%s", text);
}

void recall_up(struct recall *r, usec_t now)
{
    if (r->login == 0)
        r->login = now;
    r->lost = 0;
}

void recall_lost(struct recall *r, usec_t now)
{
    r->lost = now;
}

const char *recall_answer(const struct recall *r, usec_t now)
{
    const bool proved = r->text[0] != '\0' && r->login != 0 && r->lost != 0;
    return proved && now - r->lost < r->back && now - r->login < r->longest ? r->text : NULL;
}
