/* user.add, user.set and the rest; user.check, the login at the portal. */
#include "gateway/answer.h"

#include <stdio.h>
#include <string.h>

static struct ctl_user user_of(const struct aaa_user *u)
{
    struct ctl_user out = {.enabled = u->enabled,
                           .max_sessions = u->max_sessions,
                           .expires = (uint64_t)u->expires,
                           .created = (uint64_t)u->created,
                           .last_login = (uint64_t)u->last_login,
                           .sessions = u->sessions};
    snprintf(out.name, sizeof(out.name), "%s", u->name);
    snprintf(out.group, sizeof(out.group), "%s", u->group);
    snprintf(out.note, sizeof(out.note), "%s", u->note);
    snprintf(out.login, sizeof(out.login), "%s", u->grid ? "grid" : "password");
    out.phrase = u->phrase;
    out.totp = u->totp;
    out.locked = (uint64_t)u->locked;
    out.grid_logins = u->grid_logins;
    out.grid_exposed = u->grid_exposed;
    out.bits_left = u->bits_left;
    out.renew = u->renew;
    out.welcome = aaa_welcome(u, clock_wall()) == CAUSE_NONE;
    snprintf(out.stamp, sizeof(out.stamp), "%s", u->stamp);
    if (u->address.family)
        ip_text(&u->address, out.address);
    return out;
}

enum err answer_user_args(const struct ctl_request *r, struct aaa_user *user, struct aaa_why *why)
{
    const char *address = ctl_text(r, CTL_ARG_ADDRESS);
    if (ctl_given(r, CTL_ARG_ADDRESS)) {
        user->address = (struct ip_addr){0};
        if (address[0] && (ip_parse(address, &user->address) != ERR_OK || user->address.family != 4))
            return answer_why(why, ERR_INVALID, TOLD(ADDRESS_BAD), address);
    }
    if (ctl_given(r, CTL_ARG_MAX_SESSIONS))
        user->max_sessions = (uint32_t)ctl_number(r, CTL_ARG_MAX_SESSIONS);
    if (ctl_given(r, CTL_ARG_EXPIRES))
        user->expires = (int64_t)ctl_number(r, CTL_ARG_EXPIRES);
    if (ctl_given(r, CTL_ARG_ENABLED))
        user->enabled = ctl_flag(r, CTL_ARG_ENABLED);
    if (ctl_given(r, CTL_ARG_GROUP))
        snprintf(user->group, sizeof(user->group), "%s", ctl_text(r, CTL_ARG_GROUP));
    if (ctl_given(r, CTL_ARG_NOTE))
        snprintf(user->note, sizeof(user->note), "%s", ctl_text(r, CTL_ARG_NOTE));
    return ERR_OK;
}

char *answer_user(struct gateway *g, const char *name)
{
    struct aaa_user user;
    struct aaa_why why = {0};
    const enum err e = aaa_user_get(g->aaa, name, &user, &why);
    if (e != ERR_OK)
        return answer_error(e, &why);
    const struct ctl_user out = user_of(&user);
    return ctl_reply_ok(ctl_data("user", ctl_user_json(&out)));
}

char *answer_user_add(struct gateway *g, const struct ctl_request *r)
{
    struct aaa_why why = {0};
    const char *name = ctl_text(r, CTL_ARG_NAME);
    struct aaa_user user = {.enabled = true};
    enum err e = ERR_OK;
    snprintf(user.name, sizeof(user.name), "%s", name);
    e = answer_user_args(r, &user, &why);
    if (e == ERR_OK)
        e = aaa_user_add(g->aaa, &user, view_str(ctl_text(r, CTL_ARG_PASSWORD)), clock_wall(), &why);
    return e == ERR_OK ? answer_user(g, name) : answer_error(e, &why);
}

char *answer_user_set(struct gateway *g, const struct ctl_request *r)
{
    struct aaa_why why = {0};
    struct aaa_user user;
    enum err e = aaa_user_get(g->aaa, ctl_text(r, CTL_ARG_NAME), &user, &why);
    if (e == ERR_OK)
        e = answer_user_args(r, &user, &why);
    if (e == ERR_OK)
        e = aaa_user_set(g->aaa, &user, &why);
    if (e != ERR_OK)
        return answer_error(e, &why);
    gateway_show_out(g); /* a disabled user has no sessions, now and not at the next login */
    return answer_user(g, user.name);
}

char *answer_user_passwd(struct gateway *g, const struct ctl_request *r)
{
    struct aaa_why why = {0};
    const char *name = ctl_text(r, CTL_ARG_NAME);
    const enum err e = aaa_user_password(g->aaa, name, view_str(ctl_text(r, CTL_ARG_PASSWORD)), &why);
    return e == ERR_OK ? answer_user(g, name) : answer_error(e, &why);
}

char *answer_user_del(struct gateway *g, const struct ctl_request *r)
{
    struct aaa_why why = {0};
    struct aaa_user user;
    enum err e = aaa_user_get(g->aaa, ctl_text(r, CTL_ARG_NAME), &user, &why);
    if (e == ERR_OK)
        e = aaa_user_del(g->aaa, user.name, &why);
    if (e != ERR_OK)
        return answer_error(e, &why);
    gateway_show_out(g);
    return ctl_reply_ok(NULL);
}

static bool list_user(void *ctx, const struct aaa_user *user)
{
    const struct ctl_user out = user_of(user);
    json_array_append_new(ctx, ctl_user_json(&out));
    return true;
}

char *answer_user_list(struct gateway *g, const struct ctl_request *r)
{
    struct aaa_why why = {0};
    json_t *list = json_array();
    enum err e;
    if (ctl_given(r, CTL_ARG_NAME)) {
        struct aaa_user user;
        e = aaa_user_get(g->aaa, ctl_text(r, CTL_ARG_NAME), &user, &why);
        if (e == ERR_OK)
            list_user(list, &user);
    } else {
        e = aaa_user_each(g->aaa, list_user, list, &why);
    }
    if (e == ERR_OK)
        return ctl_reply_ok(ctl_data("users", list));
    json_decref(list);
    return answer_error(e, &why);
}

/* ---- the portal ---- */

/* Strangers learn nothing; who has proved the password may know why it does not help. */
char *answer_user_check(struct gateway *g, const struct ctl_request *r)
{
    struct aaa_request request = {
        .proof = {.method = AAA_METHOD_PAP,
                  .user = ctl_text(r, CTL_ARG_NAME),
                  .password = view_str(ctl_text(r, CTL_ARG_PASSWORD))},
        .wall = clock_wall(),
        .now = clock_now(),
    };
    struct aaa_answer answer;
    if (ip_parse(ctl_text(r, CTL_ARG_SOURCE), &request.peer) != ERR_OK)
        return answer_refuse(CTL_CODE_INVALID, TOLD(SOURCE_BAD));
    aaa_check(g->aaa, &request, &answer);
    if (answer.accepted)
        return answer_user(g, answer.user);
    if (answer.cause == CAUSE_AUTH_DISABLED || answer.cause == CAUSE_AUTH_EXPIRED)
        return answer_cause(CTL_CODE_REFUSED, answer.cause);
    if (answer.cause == CAUSE_AUTH_SERVICE)
        return answer_cause(CTL_CODE_FAILED, answer.cause);
    return answer_refuse(CTL_CODE_REFUSED, TOLD(LOGIN_REFUSED));
}
