/* token.make, token.list, token.revoke, token.check. */
#include "gateway/answer.h"

#include <stdio.h>
#include <string.h>

static json_t *token_json(const struct aaa_token *t)
{
    struct ctl_token out = {
        .created = (uint64_t)t->created, .expires = (uint64_t)t->expires, .last_used = (uint64_t)t->last_used};
    snprintf(out.name, sizeof(out.name), "%s", t->name);
    snprintf(out.scopes, sizeof(out.scopes), "%s", t->scopes);
    return ctl_token_json(&out);
}

char *answer_token_make(struct gateway *g, const struct ctl_request *r)
{
    struct aaa_why why = {0};
    char text[AAA_TOKEN_MAX];
    const char *name = ctl_text(r, CTL_ARG_NAME);
    struct aaa_token token = {.expires = (int64_t)ctl_number(r, CTL_ARG_EXPIRES)};
    if (strlen(name) >= sizeof(token.name))
        return answer_refuse(CTL_CODE_INVALID, TOLD(TOKEN_NAME_LONG), CONFIG_NAME_MAX - 1);
    snprintf(token.name, sizeof(token.name), "%s", name);
    snprintf(token.scopes, sizeof(token.scopes), "%s", ctl_text(r, CTL_ARG_SCOPES));
    enum err e = aaa_token_make(g->aaa, &token, clock_wall(), text, &why);
    if (e == ERR_OK)
        e = aaa_token_get(g->aaa, name, &token, &why);
    if (e != ERR_OK)
        return answer_error(e, &why);
    json_t *data = ctl_data("token", token_json(&token));
    json_object_set_new(data, "secret", json_string(text));
    bytes_wipe(text, sizeof(text));
    return ctl_reply_ok(data);
}

static bool list_token(void *ctx, const struct aaa_token *token)
{
    json_array_append_new(ctx, token_json(token));
    return true;
}

char *answer_token_list(struct gateway *g, const struct ctl_request *r)
{
    struct aaa_why why = {0};
    json_t *list = json_array();
    (void)r;
    const enum err e = aaa_token_each(g->aaa, list_token, list, &why);
    if (e == ERR_OK)
        return ctl_reply_ok(ctl_data("tokens", list));
    json_decref(list);
    return answer_error(e, &why);
}

char *answer_token_revoke(struct gateway *g, const struct ctl_request *r)
{
    struct aaa_why why = {0};
    const enum err e = aaa_token_revoke(g->aaa, ctl_text(r, CTL_ARG_NAME), &why);
    return e == ERR_OK ? ctl_reply_ok(NULL) : answer_error(e, &why);
}

char *answer_token_check(struct gateway *g, const struct ctl_request *r)
{
    struct aaa_why why = {0};
    struct aaa_token token;
    const enum err e = aaa_token_check(g->aaa, ctl_text(r, CTL_ARG_TOKEN), clock_wall(), &token, &why);
    if (e == ERR_NOTFOUND)
        return ctl_reply_told(CTL_CODE_REFUSED, why.sentence, &why.told);
    return e == ERR_OK ? ctl_reply_ok(ctl_data("token", token_json(&token))) : answer_error(e, &why);
}
