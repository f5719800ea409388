/* grid.* and totp.*: patterns, the grids that they are read from, and one-time codes. */
#include "gateway/answer.h"

#include <stdio.h>
#include <string.h>

static struct ctl_grid grid_of(const struct aaa_grid *g)
{
    struct ctl_grid out = {
        .blocks = g->shape.blocks, .rows = g->shape.rows, .columns = g->shape.columns, .expires = (uint64_t)g->expires};
    snprintf(out.code, sizeof(out.code), "%s", g->code);
    snprintf(out.number, sizeof(out.number), "%u", g->number);
    snprintf(out.alphabet, sizeof(out.alphabet), "%s", g->shape.alphabet);
    snprintf(out.cells, sizeof(out.cells), "%s", g->cells);
    return out;
}

static json_t *grid_json(const struct aaa_grid *g)
{
    const struct ctl_grid out = grid_of(g);
    return ctl_grid_json(&out);
}

char *answer_grid_policy(struct gateway *g, const struct ctl_request *r)
{
    static const char *const uses[] = {"off", "alternative", "second"};
    const struct config_grid *c = &g->config->grid;
    struct ctl_policy policy = {
        .enabled = c->enabled,
        .blocks = c->blocks,
        .rows = c->rows,
        .columns = c->columns,
        .life = c->life,
        .least = c->least,
        .most = GRID_PATTERN_MAX,
        .in_blocks = c->in_blocks,
        .repeats = c->repeats,
        .phrase_least = c->phrase_least,
        .phrase_most = GRID_PHRASE_MAX,
        .rounds = AAA_PRACTICE_ROUNDS,
        .strangers = c->strangers,
    };
    (void)r;
    snprintf(policy.alphabet, sizeof(policy.alphabet), "%s", c->alphabet);
    snprintf(policy.totp, sizeof(policy.totp), "%s", uses[c->enabled ? c->totp : CONFIG_TOTP_OFF]);
    return ctl_reply_ok(ctl_data("policy", ctl_policy_json(&policy)));
}

/* ---- a login ---- */

char *answer_grid_show(struct gateway *g, const struct ctl_request *r)
{
    struct aaa_visit visit = {.user = ctl_text(r, CTL_ARG_USER),
                              .proved = ctl_flag(r, CTL_ARG_PROVED),
                              .device = ctl_text(r, CTL_ARG_DEVICE),
                              .wall = clock_wall(),
                              .now = clock_now()};
    struct aaa_grid grid;
    struct aaa_why why = {0};
    if (ip_parse(ctl_text(r, CTL_ARG_SOURCE), &visit.source) != ERR_OK)
        return answer_refuse(CTL_CODE_INVALID, TOLD(SOURCE_BAD));
    const enum err e = aaa_grid_show(g->aaa, &visit, &grid, &why);
    if (e == ERR_LIMIT)
        return ctl_reply_told(CTL_CODE_REFUSED, why.sentence, &why.told);
    return e == ERR_OK ? ctl_reply_ok(ctl_data("grid", grid_json(&grid))) : answer_error(e, &why);
}

char *answer_grid_remember(struct gateway *g, const struct ctl_request *r)
{
    char text[AAA_DEVICE_MAX];
    int64_t expires;
    struct aaa_why why = {0};
    const enum err e = aaa_device_make(g->aaa, ctl_text(r, CTL_ARG_USER), clock_wall(), text, &expires, &why);
    if (e != ERR_OK)
        return answer_error(e, &why);
    json_t *data = ctl_data("device", json_string(text));
    bytes_wipe(text, sizeof(text));
    if (data)
        json_object_set_new(data, "expires", json_integer(expires));
    return ctl_reply_ok(data);
}

static enum err read_request(const struct ctl_request *r, struct aaa_request *out)
{
    *out = (struct aaa_request){.wall = clock_wall(), .now = clock_now()};
    out->proof = (struct aaa_proof){
        .method = AAA_METHOD_PAP, .user = ctl_text(r, CTL_ARG_USER), .password = view_str(ctl_text(r, CTL_ARG_ANSWER))};
    return ip_parse(ctl_text(r, CTL_ARG_SOURCE), &out->peer);
}

char *answer_grid_check(struct gateway *g, const struct ctl_request *r)
{
    struct aaa_request request;
    struct aaa_answer answer;
    if (read_request(r, &request) != ERR_OK)
        return answer_refuse(CTL_CODE_INVALID, TOLD(SOURCE_BAD));
    request.proof.code = ctl_text(r, CTL_ARG_CODE);
    aaa_check(g->aaa, &request, &answer);
    if (answer.accepted)
        return answer_user(g, answer.user);
    if (answer.cause == CAUSE_AUTH_DISABLED || answer.cause == CAUSE_AUTH_EXPIRED) /* of one who has proved the rest */
        return answer_cause(CTL_CODE_REFUSED, answer.cause);
    return answer_refuse(CTL_CODE_REFUSED, TOLD(GRID_REFUSED));
}

/* ---- a new pattern ---- */

static json_t *problems_json(uint32_t weaknesses)
{
    json_t *list = json_array();
    for (int i = 0; i < GRID_WEAKNESS_COUNT; i++) {
        struct ctl_problem p = {0};
        if (!(weaknesses & 1u << i))
            continue;
        snprintf(p.word, sizeof(p.word), "%s", grid_weakness_word((enum grid_weakness)i));
        snprintf(p.sentence, sizeof(p.sentence), "%s", grid_weakness_sentence((enum grid_weakness)i));
        json_array_append_new(list, ctl_problem_json(&p));
    }
    return list;
}

static unsigned bits_of(uint64_t guesses)
{
    unsigned bits = 0;
    for (; guesses > 1; guesses >>= 1)
        bits++;
    return bits;
}

json_t *answer_enrolment(const struct aaa_enrolment *e)
{
    const struct ctl_enrolment out = {
        .accepted = e->accepted, .guesses = e->guesses, .bits = bits_of(e->guesses), .rounds = e->rounds};
    json_t *data = ctl_data("enrolment", ctl_enrolment_json(&out));
    if (data && e->rounds > 0)
        json_object_set_new(data, "grid", grid_json(&e->grid));
    if (data)
        json_object_set_new(data, "problems", problems_json(e->weaknesses));
    return data;
}

struct aaa_new_pattern answer_pattern_args(const struct ctl_request *r)
{
    return (struct aaa_new_pattern){.user = ctl_text(r, CTL_ARG_USER),
                                    .cells = ctl_text(r, CTL_ARG_CELLS),
                                    .phrase = ctl_text(r, CTL_ARG_PHRASE),
                                    .after = ctl_flag(r, CTL_ARG_AFTER),
                                    .trial = ctl_flag(r, CTL_ARG_TRIAL),
                                    .wall = clock_wall(),
                                    .now = clock_now()};
}

struct aaa_practice answer_practice_args(const struct ctl_request *r)
{
    return (struct aaa_practice){.user = ctl_text(r, CTL_ARG_USER),
                                 .code = ctl_text(r, CTL_ARG_CODE),
                                 .answer = ctl_text(r, CTL_ARG_ANSWER),
                                 .wall = clock_wall(),
                                 .now = clock_now()};
}

char *answer_grid_enrol(struct gateway *g, const struct ctl_request *r)
{
    const struct aaa_new_pattern wanted = answer_pattern_args(r);
    struct aaa_enrolment enrolment;
    struct aaa_why why = {0};
    const enum err e = aaa_grid_enrol(g->aaa, &wanted, &enrolment, &why);
    return e == ERR_OK ? ctl_reply_ok(answer_enrolment(&enrolment)) : answer_error(e, &why);
}

char *answer_grid_practise(struct gateway *g, const struct ctl_request *r)
{
    const struct aaa_practice practice = answer_practice_args(r);
    struct aaa_enrolment enrolment;
    struct aaa_why why = {0};
    const enum err e = aaa_grid_practise(g->aaa, &practice, &enrolment, &why);
    return e == ERR_OK ? ctl_reply_ok(answer_enrolment(&enrolment)) : answer_error(e, &why);
}

/* ---- one-time codes ---- */

char *answer_totp_begin(struct gateway *g, const struct ctl_request *r)
{
    char secret[BASE32_SIZE(TOTP_SECRET_SIZE)], uri[AAA_URI_MAX];
    struct aaa_why why = {0};
    const enum err e = aaa_totp_begin(g->aaa, ctl_text(r, CTL_ARG_USER), secret, uri, &why);
    if (e != ERR_OK)
        return answer_error(e, &why);
    json_t *data = ctl_data("secret", json_string(secret));
    if (data)
        json_object_set_new(data, "uri", json_string(uri));
    bytes_wipe(secret, sizeof(secret));
    bytes_wipe(uri, sizeof(uri));
    return ctl_reply_ok(data);
}

char *answer_totp_check(struct gateway *g, const struct ctl_request *r)
{
    struct aaa_request request;
    if (read_request(r, &request) != ERR_OK)
        return answer_refuse(CTL_CODE_INVALID, TOLD(SOURCE_BAD));
    if (aaa_totp_check(g->aaa, &request, ctl_text(r, CTL_ARG_ANSWER)))
        return answer_user(g, request.proof.user);
    return answer_refuse(CTL_CODE_REFUSED, TOLD(GRID_REFUSED));
}

/* ---- acts on a user ---- */

static char *user_after(struct gateway *g, const struct ctl_request *r, enum err e, const struct aaa_why *why)
{
    return e == ERR_OK ? answer_user(g, ctl_text(r, CTL_ARG_USER)) : answer_error(e, why);
}

char *answer_totp_confirm(struct gateway *g, const struct ctl_request *r)
{
    struct aaa_why why = {0};
    const enum err e =
        aaa_totp_confirm(g->aaa, ctl_text(r, CTL_ARG_USER), ctl_text(r, CTL_ARG_ANSWER), clock_wall(), &why);
    return user_after(g, r, e, &why);
}

char *answer_totp_off(struct gateway *g, const struct ctl_request *r)
{
    struct aaa_why why = {0};
    return user_after(g, r, aaa_totp_off(g->aaa, ctl_text(r, CTL_ARG_USER), &why), &why);
}

char *answer_grid_off(struct gateway *g, const struct ctl_request *r)
{
    struct aaa_why why = {0};
    return user_after(g, r, aaa_grid_off(g->aaa, ctl_text(r, CTL_ARG_USER), &why), &why);
}

char *answer_grid_unlock(struct gateway *g, const struct ctl_request *r)
{
    struct aaa_why why = {0};
    return user_after(g, r, aaa_unlock(g->aaa, ctl_text(r, CTL_ARG_USER), &why), &why);
}
