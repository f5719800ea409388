/* Who it is, whether the proof is right, and what becomes of a proof that is good once. */
#include "aaa/aaa_internal.h"

#include <stdio.h>
#include <string.h>

#define PLACE_KNOWN 3 /* logins after which a place is no longer strange */

/* ---- names and places, as numbers that tell nobody anything ---- */

static uint64_t number_of(const struct aaa *a, const char *what, struct view of)
{
    const struct view parts[] = {view_str(what), of};
    uint8_t mac[HASH_SIZE_MAX];
    if (hmac_digest(HASH_SHA256, VIEW(a->grid_key), parts, ARRAY_LEN(parts), mac) != ERR_OK)
        return 1;
    struct reader r = rd_init(VIEW(mac));
    const uint64_t number = rd_u64(&r);
    return number != 0 ? number : 1;
}

uint64_t aaa_number_of_user(const struct aaa *a, const char *name)
{
    char folded[AAA_NAME_MAX];
    return number_of(a, "user", view_str(name_fold(name, folded)));
}

uint64_t aaa_number_of_asked(const struct aaa *a, const char *sent)
{
    char plain[AAA_NAME_MAX];
    name_plain(sent, plain);
    return aaa_number_of_user(a, plain);
}

/* A peer of IPv6 has a whole /56 to choose from. */
uint64_t aaa_number_of_source(const struct aaa *a, const struct ip_addr *source)
{
    return number_of(a, "source", view_of(source->b, source->family == 6 ? 7 : ip_addr_size(source)));
}

/* People get other addresses of the same network by and by. */
uint64_t aaa_number_of_place(const struct aaa *a, const struct ip_addr *source)
{
    return number_of(a, "place", view_of(source->b, source->family == 6 ? 8 : 3));
}

bool aaa_place_known(struct aaa *a, const char *name, const struct ip_addr *source)
{
    return store_place_logins(a->store, name, aaa_number_of_place(a, source)) >= PLACE_KNOWN;
}

/* ---- the row ---- */

/* Every form is looked up, also after one was found, and one row is read: for an unknown name that of somebody else,
 * which is forgotten at once. Then nobody's stands there. */
static enum err find_row(struct aaa *a, const char *sent, struct store_row *out)
{
    char form[AAA_FORMS_MAX][AAA_NAME_MAX];
    const size_t n = aaa_name_forms(sent, form);
    int64_t id = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t found = 0;
        if (store_find(a->store, form[i], &found) == ERR_SYSTEM)
            return ERR_SYSTEM;
        id = id == 0 ? found : id;
    }
    const enum err result = store_read(a->store, id != 0 ? id : a->read_last, out);
    if (id != 0 && result == ERR_OK)
        a->read_last = id;
    if (id == 0)
        *out = a->nobody;
    return id == 0 && result == ERR_OK ? ERR_NOTFOUND : result;
}

enum err aaa_unseal_secret(const struct aaa *a, const struct store_row *row, struct grid_secret *out)
{
    uint8_t blob[sizeof row->pattern];
    char context[AAA_CONTEXT_MAX];
    snprintf(context, sizeof context, AAA_CONTEXT_GRID "%s", row->user.name);
    enum err result = row->pattern_n >= SEAL_OVERHEAD
                          ? unseal(a->key, view_str(context), view_of(row->pattern, row->pattern_n), blob)
                          : ERR_NOTFOUND;
    if (result == ERR_OK)
        result = grid_secret_parse(view_of(blob, row->pattern_n - SEAL_OVERHEAD), out);
    bytes_wipe(blob, sizeof blob);
    return result;
}

enum err aaa_unseal_totp(const struct aaa *a, const struct store_row *row, uint8_t out[static TOTP_SECRET_SIZE])
{
    char context[AAA_CONTEXT_MAX];
    if (row->totp_n != TOTP_SECRET_SIZE + SEAL_OVERHEAD)
        return ERR_NOTFOUND;
    snprintf(context, sizeof context, AAA_CONTEXT_TOTP "%s", row->user.name);
    return unseal(a->key, view_str(context), view_of(row->totp, row->totp_n), out);
}

/* What is not there is unsealed from nobody's, so that it costs the same. */
static enum err unseal_factors(struct aaa *a, struct proving *p)
{
    struct grid_secret none;
    uint8_t nothing[TOTP_SECRET_SIZE];
    const bool grid = p->record.found && p->row.user.grid, totp = p->record.found && p->row.totp_n > 0;
    enum err result = aaa_unseal_secret(a, grid ? &p->row : &a->nobody, grid ? &p->secret : &none);
    if (result == ERR_OK)
        result = aaa_unseal_totp(a, totp ? &p->row : &a->nobody, totp ? p->totp : nothing);
    bytes_wipe(&none, sizeof none);
    bytes_wipe(nothing, sizeof nothing);
    return result;
}

/* The row under the first form of the name that the store knows. A row whose secrets cannot be unsealed was moved or
 * damaged: it proves nothing. */
enum err aaa_look_up(struct aaa *a, const char *sent, const struct ip_addr *source, struct proving *p)
{
    const enum err result = find_row(a, sent, &p->row);
    const struct store_row *row = &p->row;
    const bool found = result == ERR_OK;
    if (!found && result != ERR_NOTFOUND)
        return result;
    p->name = found ? row->user.name : sent;
    p->user = aaa_number_of_user(a, p->name);
    p->asked = aaa_number_of_asked(a, sent);
    p->source = aaa_number_of_source(a, source);
    if (row->sealed_n < SEAL_OVERHEAD ||
        unseal(a->key, view_str(row->user.name), view_of(row->sealed, row->sealed_n), p->password) != ERR_OK)
        return ERR_CRYPTO;
    if (found)
        p->record = (struct aaa_record){true, row->user, view_of(p->password, row->sealed_n - SEAL_OVERHEAD)};
    return a->grid.enabled ? unseal_factors(a, p) : ERR_OK;
}

/* ---- a proof that was wrong ---- */

/* Looking for a grid that is over takes its time: for every name alike. */
static enum cause why_wrong(const struct aaa *a, const struct aaa_request *r, const struct proving *p)
{
    const bool had = a->grid.enabled && desk_had(a->desk, p->asked, r->now);
    if (!p->record.found)
        return CAUSE_AUTH_NO_USER;
    if (!a->grid.enabled)
        return CAUSE_AUTH_PASSWORD;
    if (p->row.user.grid && !grid_secret_fits(&p->secret, &a->shape))
        return CAUSE_GRID_SHAPE;
    if (p->row.user.grid && p->open > 0)
        return CAUSE_GRID_WRONG;
    if (p->row.user.grid)
        return had ? CAUSE_GRID_EXPIRED : CAUSE_GRID_NONE;
    if (strcmp(p->row.group.login, "grid") == 0 && r->session != 0)
        return CAUSE_GRID_NOT_ENROLLED;
    return p->row.user.totp && a->grid.totp != CONFIG_TOTP_OFF ? CAUSE_AUTH_CODE : CAUSE_AUTH_PASSWORD;
}

void aaa_count_failure(struct aaa *a, const struct aaa_request *r, const struct proving *p)
{
    const bool waits = throttle_failed(&a->throttle, p->name, &r->peer, r->now);
    if (!waits || !a->grid.enabled || a->grid.lock_sources == 0 || !p->record.found)
        return;
    if (sieges_count(&a->sieges, p->user, p->source, r->now) >= a->grid.lock_sources && p->row.user.locked == 0)
        (void)store_lock(a->store, p->row.user.name, r->wall);
}

/* ---- a proof that was right ---- */

/* A code may not be used again, nor the grid. ERR_NOTFOUND: the code was, by somebody quicker. */
static enum err spend(struct aaa *a, const struct aaa_request *r, struct proving *p, const struct choice *c)
{
    const bool known = aaa_place_known(a, p->row.user.name, &r->peer);
    enum err result = c->step != 0 ? store_totp_step(a->store, p->row.user.name, c->step) : ERR_OK;
    if (c->kind == CHOICE_GRID) {
        desk_burn(a->desk, c->place);
        (void)store_grid_used(a->store, p->row.user.name, !known); /* what cannot be noted is no reason to refuse */
    }
    if (c->kind == CHOICE_GRID || c->step != 0)
        (void)store_place_note(a->store, p->row.user.name, aaa_number_of_place(a, &r->peer), r->wall);
    return result;
}

/* The judge works even when its word no longer counts, so that a wait does not show in the time either. */
enum cause aaa_prove(struct aaa *a, const struct aaa_request *r, struct proving *p, struct aaa_answer *answer)
{
    struct aaa_verdict verdict;
    if (aaa_look_up(a, r->proof.user, &r->peer, p) != ERR_OK)
        return CAUSE_AUTH_SERVICE;
    if (p->record.found)
        snprintf(answer->user, sizeof answer->user, "%s", p->name);
    choices_make(a, r, p);
    aaa_judge(&p->record, &r->proof, r->wall, &verdict);
    const bool certified = r->proof.method == AAA_METHOD_CERTIFICATE;
    const bool waits = throttle_blocked(&a->throttle, p->name, &r->peer, r->now);
    if (a->grid.enabled && (!verdict.accepted || waits) && !certified)
        desk_burn_visit(a->desk, p->asked, p->source, r->session); /* whoever waits does not learn that it was right */
    answer->again = waits || verdict.cause == CAUSE_AUTH_PASSWORD || verdict.cause == CAUSE_AUTH_NO_USER;
    if (waits)
        return CAUSE_AUTH_WAIT;
    if (verdict.cause == CAUSE_AUTH_PASSWORD || verdict.cause == CAUSE_AUTH_NO_USER) {
        if (p->guessable || !p->record.found) /* where nothing was right, nothing was guessed */
            aaa_count_failure(a, r, p);
        return why_wrong(a, r, p);
    }
    if (!verdict.accepted)
        return verdict.cause;
    if (a->grid.enabled && p->row.user.locked != 0)
        return CAUSE_AUTH_LOCKED;
    if (a->grid.enabled && !certified) {
        p->spent = &p->choice[verdict.match];
        if (spend(a, r, p, p->spent) != ERR_OK)
            return CAUSE_AUTH_CODE;
    }
    throttle_passed(&a->throttle, p->name, &r->peer, r->now);
    memcpy(answer->authenticator_response, verdict.authenticator_response, sizeof answer->authenticator_response);
    return CAUSE_NONE;
}

/* What was good once may be typed again by the same device when it comes back. */
void aaa_remember(struct aaa *a, const struct aaa_request *r, const struct proving *p)
{
    const struct choice *c = p->spent;
    if (c == NULL || a->grid.reconnect == 0)
        return;
    if (c->kind == CHOICE_TICKET)
        tickets_move(a->tickets, c->ticket, r->session);
    else if (c->kind == CHOICE_GRID || c->step != 0)
        tickets_issue(a->tickets, p->user, p->source, r->station ? r->station : "", r->session, view_of(c->text, c->n),
                      r->now);
}
