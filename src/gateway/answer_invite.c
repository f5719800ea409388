/* invite.make, invite.show, invite.use, invite.list, invite.revoke. */
#include "gateway/answer.h"

#include <stdio.h>
#include <string.h>

static struct ctl_invite invite_of(const struct aaa_invite *i)
{
    struct ctl_invite out = {.id = i->id, .created = (uint64_t)i->created, .expires = (uint64_t)i->expires};
    snprintf(out.name, sizeof(out.name), "%s", i->name);
    snprintf(out.login, sizeof(out.login), "%s", i->login);
    return out;
}

static json_t *invite_json(const struct aaa_invite *i)
{
    const struct ctl_invite out = invite_of(i);
    return ctl_invite_json(&out);
}

/* Who is not there yet is added; of who is, nothing is changed here. */
static enum err make_user(struct gateway *g, const struct ctl_request *r, struct aaa_why *why)
{
    static const enum ctl_arg of_new[] = {CTL_ARG_ADDRESS, CTL_ARG_MAX_SESSIONS, CTL_ARG_EXPIRES, CTL_ARG_GROUP,
                                          CTL_ARG_NOTE};
    struct aaa_user user = {.enabled = true};
    const char *name = ctl_text(r, CTL_ARG_NAME);
    enum err e = aaa_user_get(g->aaa, name, &user, why);
    if (e == ERR_NOTFOUND) {
        snprintf(user.name, sizeof(user.name), "%s", name);
        e = answer_user_args(r, &user, why);
        return e == ERR_OK ? aaa_invite_user(g->aaa, &user, clock_wall(), why) : e;
    }
    for (size_t i = 0; e == ERR_OK && i < ARRAY_LEN(of_new); i++)
        if (ctl_given(r, of_new[i]))
            return answer_why(why, ERR_EXISTS, TOLD(USER_THERE), user.name);
    return e;
}

/* The token stands behind the #, which browsers send to nobody. */
static json_t *url_json(const struct config *c, const char *token)
{
    char url[CONFIG_PATH_MAX + AAA_TOKEN_MAX + 16] = "";
    if (c->portal.url[0])
        snprintf(url, sizeof(url), "%s/invite#%s", c->portal.url, token);
    json_t *json = json_string(url);
    bytes_wipe(url, sizeof(url));
    return json;
}

char *answer_invite_make(struct gateway *g, const struct ctl_request *r)
{
    struct aaa_why why = {0};
    char token[AAA_TOKEN_MAX];
    struct aaa_invite invite;
    enum err e = make_user(g, r, &why);
    if (e == ERR_OK)
        e = aaa_invite_make(g->aaa, ctl_text(r, CTL_ARG_NAME), clock_wall(), (uint32_t)ctl_number(r, CTL_ARG_VALID),
                            token, &invite, &why);
    if (e != ERR_OK)
        return answer_error(e, &why);
    json_t *data = ctl_data("invite", invite_json(&invite));
    json_object_set_new(data, "token", json_string(token));
    json_object_set_new(data, "url", url_json(g->config, token));
    bytes_wipe(token, sizeof(token));
    return ctl_reply_ok(data);
}

/* Whatever is wrong with a token, strangers are told the same. */
static char *refuse(enum err e, const struct aaa_why *why)
{
    return e == ERR_NOTFOUND ? ctl_reply_told(CTL_CODE_REFUSED, why->sentence, &why->told) : answer_error(e, why);
}

char *answer_invite_show(struct gateway *g, const struct ctl_request *r)
{
    struct aaa_why why = {0};
    struct aaa_invite invite;
    const enum err e = aaa_invite_show(g->aaa, ctl_text(r, CTL_ARG_TOKEN), clock_wall(), &invite, &why);
    if (e != ERR_OK)
        return refuse(e, &why);
    struct ctl_invite out = invite_of(&invite);
    out.rounds = aaa_grid_practising(g->aaa, invite.name, clock_now());
    return ctl_reply_ok(ctl_data("invite", ctl_invite_json(&out)));
}

char *answer_invite_use(struct gateway *g, const struct ctl_request *r)
{
    struct aaa_why why = {0};
    struct aaa_invite invite;
    if (ctl_given(r, CTL_ARG_PASSWORD) && ctl_text(r, CTL_ARG_PASSWORD)[0] == '\0')
        return answer_refuse(CTL_CODE_INVALID, TOLD(PASSWORD_EMPTY));
    const enum err e = aaa_invite_use(g->aaa, ctl_text(r, CTL_ARG_TOKEN), view_str(ctl_text(r, CTL_ARG_PASSWORD)),
                                      clock_wall(), &invite, &why);
    return e == ERR_OK ? answer_user(g, invite.name) : refuse(e, &why);
}

/* A pattern is made like one of a user who is logged in: see answer_grid.c. */
char *answer_invite_enrol(struct gateway *g, const struct ctl_request *r)
{
    const struct aaa_new_pattern wanted = answer_pattern_args(r);
    struct aaa_enrolment enrolment;
    struct aaa_why why = {0};
    const enum err e = aaa_invite_enrol(g->aaa, ctl_text(r, CTL_ARG_TOKEN), &wanted, &enrolment, &why);
    return e == ERR_OK ? ctl_reply_ok(answer_enrolment(&enrolment)) : refuse(e, &why);
}

char *answer_invite_practise(struct gateway *g, const struct ctl_request *r)
{
    const struct aaa_practice practice = answer_practice_args(r);
    struct aaa_enrolment enrolment;
    struct aaa_invite invite;
    struct aaa_why why = {0};
    const enum err e = aaa_invite_practise(g->aaa, ctl_text(r, CTL_ARG_TOKEN), &practice, &enrolment, &invite, &why);
    if (e != ERR_OK)
        return refuse(e, &why);
    json_t *data = answer_enrolment(&enrolment);
    json_object_set_new(data, "invite", invite_json(&invite));
    return ctl_reply_ok(data);
}

static bool list_invite(void *ctx, const struct aaa_invite *invite)
{
    json_array_append_new(ctx, invite_json(invite));
    return true;
}

char *answer_invite_list(struct gateway *g, const struct ctl_request *r)
{
    struct aaa_why why = {0};
    json_t *list = json_array();
    (void)r;
    const enum err e = aaa_invite_each(g->aaa, clock_wall(), list_invite, list, &why);
    if (e == ERR_OK)
        return ctl_reply_ok(ctl_data("invites", list));
    json_decref(list);
    return answer_error(e, &why);
}

char *answer_invite_revoke(struct gateway *g, const struct ctl_request *r)
{
    struct aaa_why why = {0};
    const uint32_t id = (uint32_t)ctl_number(r, CTL_ARG_ID);
    if (ctl_given(r, CTL_ARG_ID) == ctl_given(r, CTL_ARG_NAME) || (ctl_given(r, CTL_ARG_ID) && id == 0))
        return answer_refuse(CTL_CODE_REQUEST, TOLD(INVITE_WHICH));
    const enum err e = aaa_invite_revoke(g->aaa, id, ctl_text(r, CTL_ARG_NAME), &why);
    return e == ERR_OK ? ctl_reply_ok(NULL) : answer_error(e, &why);
}
