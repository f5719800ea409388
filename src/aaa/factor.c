/* Patterns and one-time codes of users: shown a grid, made, tried out, taken away; and locks undone. */
#include "aaa/aaa_internal.h"

#include <stdio.h>
#include <string.h>

#define ENROLMENT_LIFE  (600 * USEC_SEC)
#define ENROLMENT_TRIES 8
#define ISSUER          "Sekisho"

static enum err tell(enum err result, const char *name, struct aaa_why *why)
{
    if (result == ERR_NOTFOUND)
        return aaa_why(why, result, TOLD(USER_UNKNOWN), name);
    if (result != ERR_OK)
        return aaa_why(why, result, TOLD(STORE_BROKEN));
    return ERR_OK;
}

static enum err check_enabled(const struct aaa *a, struct aaa_why *why)
{
    return a->grid.enabled ? ERR_OK : aaa_why(why, ERR_INVALID, TOLD(GRIDS_OFF));
}

/* ---- grids ---- */

static enum err describe(const struct aaa *a, const uint8_t id[static GRID_ID_SIZE], int64_t expires,
                         struct aaa_grid *out)
{
    *out = (struct aaa_grid){.number = grid_number(a->grid_key, id), .expires = expires, .shape = a->shape};
    grid_code_text(id, out->code);
    return grid_draw(a->grid_key, id, &a->shape, out->cells);
}

/* Every name gets one, by the same way, and nothing is said of whether it opens anything. */
enum err aaa_grid_show(struct aaa *aaa, const struct aaa_visit *visit, struct aaa_grid *out, struct aaa_why *why)
{
    struct proving p = {0};
    enum err result = check_enabled(aaa, why);
    if (result != ERR_OK)
        return result;
    if (aaa_look_up(aaa, visit->user, &visit->source, &p) == ERR_SYSTEM)
        return tell(ERR_SYSTEM, "", why);
    const bool device = visit->device != NULL && aaa_device_known(aaa, &p, visit->device, visit->wall);
    const bool known = aaa_place_known(aaa, p.name, &visit->source) || visit->proved || device;
    const struct desk_visit v = {
        .user = p.asked,
        .source = p.source,
        .session = visit->session,
        .now = visit->now,
        .life = aaa->grid.life * USEC_SEC,
        .wall = visit->wall,
        .quota = aaa->grid.per_source,
        .known = known,
        .decoy = !known && !aaa->grid.strangers,
    };
    bytes_wipe(&p, sizeof p);
    const struct opening *o = desk_take(aaa->desk, &v, &aaa->random);
    if (o == NULL)
        return aaa_why(why, ERR_LIMIT, TOLD(GRIDS_TOO_MANY));
    result = describe(aaa, o->id, o->expires, out);
    return result == ERR_OK ? ERR_OK : aaa_why(why, result, TOLD(GRID_UNDRAWN));
}

/* ---- a new pattern ---- */

static struct enrolment *enrolment_of(struct aaa *a, uint64_t user, usec_t now)
{
    for (size_t i = 0; i < ENROLMENTS; i++)
        if (a->enrolment[i].user == user && now < a->enrolment[i].until)
            return &a->enrolment[i];
    return NULL;
}

static struct enrolment *enrolment_new(struct aaa *a, uint64_t user, usec_t now)
{
    struct enrolment *e = enrolment_of(a, user, now);
    for (size_t i = 0; i < ENROLMENTS && e == NULL; i++)
        if (now >= a->enrolment[i].until)
            e = &a->enrolment[i];
    if (e != NULL)
        bytes_wipe(e, sizeof *e);
    return e;
}

static enum err check_phrase(const struct aaa *a, const char *phrase, struct aaa_why *why)
{
    const size_t n = strlen(phrase);
    if (n > GRID_PHRASE_MAX || n < a->grid.phrase_least)
        return aaa_why(why, ERR_INVALID, TOLD(PHRASE_LENGTH), a->grid.phrase_least, GRID_PHRASE_MAX);
    for (size_t i = 0; i < n; i++)
        if (phrase[i] < ' ' || phrase[i] > '~')
            return aaa_why(why, ERR_INVALID, TOLD(PHRASE_CHARACTERS));
    return ERR_OK;
}

static enum err check_pattern(const struct aaa *a, const char *cells, struct grid_pattern *out, struct aaa_why *why)
{
    const enum err result = grid_pattern_parse(cells, &a->shape, out);
    if (result == ERR_INVALID)
        return aaa_why(why, result, TOLD(PATTERN_CELLS), grid_cells(&a->shape) - 1);
    if (result == ERR_LIMIT)
        return aaa_why(why, result, TOLD(PATTERN_LONG), GRID_PATTERN_MAX);
    return result == ERR_OK ? ERR_OK : aaa_why(why, result, TOLD(PATTERN_FORM));
}

static uint32_t judge(const struct aaa *a, const struct grid_secret *old, const struct grid_pattern *pattern)
{
    const struct grid_rules rules = {(uint8_t)a->grid.least, (uint8_t)a->grid.in_blocks, a->grid.repeats};
    struct grid_pattern former[GRID_FORMER_MAX + 1];
    size_t n = 0;
    if (old->pattern.n > 0 && grid_secret_fits(old, &a->shape)) {
        former[n++] = old->pattern;
        memcpy(former + n, old->former, old->former_n * sizeof former[0]);
        n += old->former_n;
    }
    const uint32_t found = grid_weaknesses(&a->shape, &rules, pattern, former, n);
    bytes_wipe(former, sizeof former);
    return found;
}

static enum err show_practice(struct aaa *a, struct enrolment *e, int64_t wall, usec_t now, struct aaa_grid *out)
{
    random_fill(&a->random, e->id, sizeof e->id);
    return describe(a, e->id, wall + (int64_t)((e->until - now) / USEC_SEC), out);
}

static enum err begin(struct aaa *a, const struct store_row *row, struct grid_secret *secret,
                      const struct aaa_new_pattern *wanted, const struct grid_pattern *pattern,
                      struct aaa_enrolment *out, struct aaa_why *why)
{
    struct enrolment *e = enrolment_new(a, aaa_number_of_user(a, row->user.name), wanted->now);
    if (e == NULL)
        return aaa_why(why, ERR_LIMIT, TOLD(TRIALS_TOO_MANY));
    grid_secret_renew(secret, &a->shape, pattern);
    secret->after = wanted->after;
    secret->phrase_n = (uint8_t)strlen(wanted->phrase);
    memcpy(secret->phrase, wanted->phrase, secret->phrase_n);
    *e = (struct enrolment){.user = aaa_number_of_user(a, row->user.name),
                            .until = wanted->now + ENROLMENT_LIFE,
                            .secret = *secret,
                            .rounds = AAA_PRACTICE_ROUNDS,
                            .tries = ENROLMENT_TRIES};
    out->rounds = AAA_PRACTICE_ROUNDS;
    return show_practice(a, e, wanted->wall, wanted->now, &out->grid);
}

enum err aaa_grid_enrol(struct aaa *aaa, const struct aaa_new_pattern *wanted, struct aaa_enrolment *out,
                        struct aaa_why *why)
{
    struct store_row row;
    struct grid_secret secret = {0};
    struct grid_pattern pattern;
    enum err result = check_enabled(aaa, why);
    if (result == ERR_OK)
        result = tell(store_get(aaa->store, wanted->user, &row), wanted->user, why);
    if (result == ERR_OK)
        result = check_pattern(aaa, wanted->cells, &pattern, why);
    if (result == ERR_OK && !wanted->trial)
        result = check_phrase(aaa, wanted->phrase, why);
    if (result != ERR_OK)
        return result;
    (void)aaa_unseal_secret(aaa, &row, &secret); /* none: nothing to be unlike */
    *out = (struct aaa_enrolment){.guesses = grid_guesses(&aaa->shape, &pattern),
                                  .weaknesses = judge(aaa, &secret, &pattern)};
    out->accepted = out->weaknesses == 0;
    if (out->accepted && !wanted->trial)
        result = begin(aaa, &row, &secret, wanted, &pattern, out, why);
    bytes_wipe(&secret, sizeof secret);
    bytes_wipe(&pattern, sizeof pattern);
    return result;
}

static enum err put_secret(struct aaa *a, const char *name, const struct grid_secret *secret)
{
    uint8_t blob[GRID_BLOB_MAX], sealed[GRID_BLOB_MAX + SEAL_OVERHEAD];
    char context[AAA_CONTEXT_MAX];
    const size_t n = grid_secret_pack(secret, blob);
    snprintf(context, sizeof context, AAA_CONTEXT_GRID "%s", name);
    enum err result = seal(a->key, &a->random, view_str(context), view_of(blob, n), sealed);
    if (result == ERR_OK)
        result = store_pattern(a->store, name, view_of(sealed, n + SEAL_OVERHEAD), secret->phrase_n > 0);
    bytes_wipe(blob, sizeof blob);
    return result;
}

static bool answers(const struct aaa *a, const struct enrolment *e, const char *code, const char *answer)
{
    uint8_t id[GRID_ID_SIZE];
    char cells[GRID_CELLS_MAX + 1], want[GRID_ANSWER_MAX];
    if (grid_code_parse(code, id) != ERR_OK || !bytes_equal_ct(id, e->id, sizeof id) ||
        grid_draw(a->grid_key, e->id, &a->shape, cells) != ERR_OK || !grid_secret_fits(&e->secret, &a->shape))
        return false;
    const size_t n = grid_answer(&e->secret, cells, want);
    const bool same = n == strlen(answer) && bytes_equal_ct(want, answer, n);
    bytes_wipe(want, sizeof want);
    return same;
}

void aaa_forget_tickets(struct aaa *a, const char *name)
{
    tickets_forget(a->tickets, aaa_number_of_user(a, name));
}

uint8_t aaa_grid_practising(struct aaa *aaa, const char *name, usec_t now)
{
    const struct enrolment *e = enrolment_of(aaa, aaa_number_of_user(aaa, name), now);
    return e != NULL ? e->rounds : 0;
}

enum err aaa_grid_practise(struct aaa *aaa, const struct aaa_practice *practice, struct aaa_enrolment *out,
                           struct aaa_why *why)
{
    struct enrolment *e = enrolment_of(aaa, aaa_number_of_user(aaa, practice->user), practice->now);
    struct store_row row;
    enum err result = tell(store_get(aaa->store, practice->user, &row), practice->user, why);
    if (result != ERR_OK)
        return result;
    if (e == NULL)
        return aaa_why(why, ERR_NOTFOUND, TOLD(TRIAL_NONE));
    if (practice->code[0] == '\0') {
        *out = (struct aaa_enrolment){.accepted = true, .rounds = e->rounds};
        return show_practice(aaa, e, practice->wall, practice->now, &out->grid);
    }
    *out = (struct aaa_enrolment){.accepted = answers(aaa, e, practice->code, practice->answer)};
    e->tries--;
    e->rounds = (uint8_t)(out->accepted ? e->rounds - 1 : AAA_PRACTICE_ROUNDS);
    out->rounds = e->rounds;
    if (e->rounds > 0 && e->tries == 0) {
        bytes_wipe(e, sizeof *e);
        return aaa_why(why, ERR_LIMIT, TOLD(TRIAL_FAILED));
    }
    if (e->rounds > 0)
        return show_practice(aaa, e, practice->wall, practice->now, &out->grid);
    result = tell(put_secret(aaa, row.user.name, &e->secret), row.user.name, why);
    bytes_wipe(e, sizeof *e);
    if (result == ERR_OK)
        aaa_forget_tickets(aaa, row.user.name);
    return result;
}

enum err aaa_grid_off(struct aaa *aaa, const char *name, struct aaa_why *why)
{
    const enum err result = tell(store_pattern(aaa->store, name, VIEW_NONE, false), name, why);
    if (result == ERR_OK)
        aaa_forget_tickets(aaa, name);
    return result;
}

enum err aaa_unlock(struct aaa *aaa, const char *name, struct aaa_why *why)
{
    const enum err result = tell(store_lock(aaa->store, name, 0), name, why);
    if (result != ERR_OK)
        return result;
    sieges_lift(&aaa->sieges, aaa_number_of_user(aaa, name));
    throttle_forgive(&aaa->throttle, name);
    return ERR_OK;
}

/* ---- one-time codes ---- */

/* Key Uri Format of authenticator apps; what is not plain in a URI goes in with '%'. */
static void write_uri(const char *name, const char *secret, char out[static AAA_URI_MAX])
{
    static const char hex[] = "0123456789ABCDEF";
    char label[3 * AAA_NAME_MAX];
    struct writer w = wr_init(label, sizeof label - 1);
    for (const char *p = name; *p != '\0'; p++) {
        const uint8_t c = (uint8_t)*p;
        const bool plain =
            (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || memchr("-._~", c, 4) != NULL;
        if (!plain)
            wr_u8(&w, '%');
        wr_u8(&w, plain ? c : (uint8_t)hex[c >> 4]);
        if (!plain)
            wr_u8(&w, (uint8_t)hex[c & 15]);
    }
    label[w.n] = '\0';
    snprintf(out, AAA_URI_MAX, "otpauth://totp/" ISSUER ":%s?secret=%s&issuer=" ISSUER, label, secret);
}

static enum err put_totp(struct aaa *a, const char *name, const uint8_t secret[static TOTP_SECRET_SIZE], bool confirmed)
{
    uint8_t sealed[TOTP_SECRET_SIZE + SEAL_OVERHEAD];
    char context[AAA_CONTEXT_MAX];
    snprintf(context, sizeof context, AAA_CONTEXT_TOTP "%s", name);
    const enum err result = seal(a->key, &a->random, view_str(context), view_of(secret, TOTP_SECRET_SIZE), sealed);
    return result == ERR_OK ? store_totp(a->store, name, VIEW(sealed), confirmed) : result;
}

enum err aaa_totp_begin(struct aaa *aaa, const char *name, char text[static BASE32_SIZE(TOTP_SECRET_SIZE)],
                        char uri[static AAA_URI_MAX], struct aaa_why *why)
{
    struct store_row row;
    uint8_t secret[TOTP_SECRET_SIZE];
    enum err result = check_enabled(aaa, why);
    if (result == ERR_OK)
        result = tell(store_get(aaa->store, name, &row), name, why);
    if (result != ERR_OK)
        return result;
    if (row.user.totp)
        return aaa_why(why, ERR_EXISTS, TOLD(CODES_EXIST), name);
    random_fill(&aaa->random, secret, sizeof secret);
    result = tell(put_totp(aaa, row.user.name, secret, false), name, why);
    if (result == ERR_OK) {
        base32_text(VIEW(secret), text);
        write_uri(row.user.name, text, uri);
    }
    bytes_wipe(secret, sizeof secret);
    return result;
}

/* The step whose code this is, of those that may still be used; 0: of none. All are tried. */
static uint64_t step_of(struct view secret, uint64_t used, const char *answer, int64_t wall)
{
    uint64_t found = 0;
    for (size_t i = 0; i < CHOICE_STEPS; i++) {
        const uint64_t step = (uint64_t)wall / TOTP_STEP + i - 1;
        char code[TOTP_CODE_SIZE] = "";
        if (totp_code(secret, step, code) == ERR_OK && strlen(answer) == TOTP_DIGITS &&
            bytes_equal_ct(code, answer, TOTP_DIGITS) && step > used)
            found = step;
    }
    return found;
}

enum err aaa_totp_confirm(struct aaa *aaa, const char *name, const char *answer, int64_t wall, struct aaa_why *why)
{
    struct store_row row;
    uint8_t secret[TOTP_SECRET_SIZE] = {0};
    enum err result = tell(store_get(aaa->store, name, &row), name, why);
    if (result != ERR_OK)
        return result;
    if (row.totp_n == 0 || row.user.totp || aaa_unseal_totp(aaa, &row, secret) != ERR_OK)
        return aaa_why(why, ERR_NOTFOUND, TOLD(CODES_NONE_BEGUN));
    const uint64_t step = step_of(VIEW(secret), row.totp_step, answer, wall);
    if (step == 0)
        result = aaa_why(why, ERR_INVALID, TOLD(CODE_WRONG));
    else
        result = tell(put_totp(aaa, row.user.name, secret, true), name, why);
    if (result == ERR_OK)
        result = tell(store_totp_step(aaa->store, row.user.name, step), name, why);
    bytes_wipe(secret, sizeof secret);
    return result;
}

enum err aaa_totp_off(struct aaa *aaa, const char *name, struct aaa_why *why)
{
    const enum err result = tell(store_totp(aaa->store, name, VIEW_NONE, false), name, why);
    if (result == ERR_OK)
        aaa_forget_tickets(aaa, name);
    return result;
}

bool aaa_totp_check(struct aaa *aaa, const struct aaa_request *request, const char *answer)
{
    struct proving p = {0};
    const enum err result = aaa_look_up(aaa, request->proof.user, &request->peer, &p);
    const uint64_t step = step_of(VIEW(p.totp), p.row.totp_step, answer, request->wall);
    const bool may = result == ERR_OK && aaa->grid.enabled && p.row.user.totp && p.row.user.locked == 0;
    bool ok = may && step != 0 && !throttle_blocked(&aaa->throttle, p.name, &request->peer, request->now);
    ok = ok && store_totp_step(aaa->store, p.row.user.name, step) == ERR_OK;
    if (ok)
        throttle_passed(&aaa->throttle, p.name, &request->peer, request->now);
    else
        aaa_count_failure(aaa, request, &p);
    bytes_wipe(&p, sizeof p);
    return ok;
}
