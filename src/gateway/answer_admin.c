/* admin.add, admin.passwd, admin.check, whose passwords are hashed elsewhere before they are answered; admin.totp,
 * admin.list, admin.del. */
#include "gateway/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *admin_json(const struct aaa_admin *a)
{
    struct ctl_admin out = {.created = (uint64_t)a->created, .last_login = (uint64_t)a->last_login};
    snprintf(out.name, sizeof(out.name), "%s", a->name);
    snprintf(out.stamp, sizeof(out.stamp), "%s", a->stamp);
    return ctl_admin_json(&out);
}

static char *admin_reply(struct gateway *g, const char *name)
{
    struct aaa_why why = {0};
    struct aaa_admin admin;
    const enum err e = aaa_admin_get(g->aaa, name, &admin, &why);
    return e == ERR_OK ? ctl_reply_ok(ctl_data("admin", admin_json(&admin))) : answer_error(e, &why);
}

/* ---- the secret of one-time codes ---- */

/* As authenticator apps read it from a QR code. */
static void write_uri(const char *name, const char *secret, char *out, size_t cap)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    size_t n = (size_t)snprintf(out, cap, "otpauth://totp/Sekisho:");
    for (; *name && n + 4 < cap; name++)
        n += (size_t)snprintf(out + n, cap - n, strchr(plain, *name) ? "%c" : "%%%02X", (unsigned char)*name);
    snprintf(out + n, cap - n, "?secret=%s&issuer=Sekisho&digits=%d&period=%d", secret, TOTP_DIGITS, TOTP_STEP);
}

/* The administrator with the secret, which is told this once and wiped. */
static char *secret_reply(struct gateway *g, const char *name, uint8_t secret[static TOTP_SECRET_SIZE])
{
    struct aaa_why why = {0};
    char text[BASE32_SIZE(TOTP_SECRET_SIZE)], uri[3 * AAA_NAME_MAX + 128];
    struct aaa_admin admin;
    base32_text(view_of(secret, TOTP_SECRET_SIZE), text);
    bytes_wipe(secret, TOTP_SECRET_SIZE);
    const enum err e = aaa_admin_get(g->aaa, name, &admin, &why);
    if (e != ERR_OK)
        return answer_error(e, &why);
    write_uri(admin.name, text, uri, sizeof(uri));
    json_t *data = ctl_data("admin", admin_json(&admin));
    json_object_set_new(data, "secret", json_string(text));
    json_object_set_new(data, "uri", json_string(uri));
    bytes_wipe(text, sizeof(text));
    bytes_wipe(uri, sizeof(uri));
    return ctl_reply_ok(data);
}

char *answer_admin_totp(struct gateway *g, const struct ctl_request *r)
{
    struct aaa_why why = {0};
    uint8_t secret[TOTP_SECRET_SIZE];
    const enum err e = aaa_admin_totp(g->aaa, ctl_text(r, CTL_ARG_NAME), secret, &why);
    return e == ERR_OK ? secret_reply(g, ctl_text(r, CTL_ARG_NAME), secret) : answer_error(e, &why);
}

/* ---- what needs a password ---- */

struct hashing {
    struct errand errand;
    uint64_t ticket;
    enum ctl_verb verb;
    struct ip_addr source;
    char name[AAA_NAME_MAX], code[TOTP_CODE_SIZE + 1];
    char password[AAA_PASSWORD_MAX + 1];
    uint8_t salt[ARGON2_SALT_SIZE], hash[ARGON2_HASH_SIZE];
    enum err result;
};

static void hashing_free(void *hashing)
{
    bytes_wipe(hashing, sizeof(struct hashing));
    free(hashing);
}

static void hash(struct errand *errand)
{
    struct hashing *h = (struct hashing *)errand;
    h->result = password_hash(view_str(h->password), h->salt, h->hash);
}

static char *finish_check(struct gateway *g, const struct hashing *h)
{
    const enum err e = aaa_admin_judge(g->aaa, h->name, h->hash, h->code, &h->source, clock_wall(), clock_now());
    if (e == ERR_OK)
        return admin_reply(g, h->name);
    return e == ERR_SYSTEM ? answer_error(e, NULL) : answer_refuse(CTL_CODE_REFUSED, TOLD(ADMIN_REFUSED));
}

static char *finish(struct gateway *g, const struct hashing *h)
{
    struct aaa_why why = {0};
    uint8_t secret[TOTP_SECRET_SIZE];
    if (h->result != ERR_OK)
        return answer_refuse(ctl_code_of(h->result), TOLD(HASH_FAILED));
    if (h->verb == CTL_VERB_ADMIN_CHECK)
        return finish_check(g, h);
    if (h->verb == CTL_VERB_ADMIN_PASSWD) {
        const enum err e = aaa_admin_password(g->aaa, h->name, h->salt, h->hash, &why);
        return e == ERR_OK ? admin_reply(g, h->name) : answer_error(e, &why);
    }
    const enum err e = aaa_admin_add(g->aaa, h->name, h->salt, h->hash, clock_wall(), secret, &why);
    return e == ERR_OK ? secret_reply(g, h->name, secret) : answer_error(e, &why);
}

static void run_finish(void *receiver, void *letter)
{
    struct gateway *g = receiver;
    struct hashing *h = letter;
    control_reply(g->control, h->ticket, finish(g, h));
    hashing_free(h);
}

/* Takes it. */
static char *send_off(struct gateway *g, struct hashing *h, struct control_asked *asked)
{
    if (workers_run(g->hashers, &g->mailbox, &h->errand)) {
        asked->later = true;
        return NULL;
    }
    hashing_free(h);
    return answer_refuse(CTL_CODE_BUSY, TOLD(LOGINS_BUSY));
}

static struct hashing *hashing_new(const struct ctl_request *r, const struct control_asked *asked)
{
    struct hashing *h = calloc(1, sizeof(*h));
    if (!h)
        return NULL;
    h->errand = (struct errand){.letter = {.run = run_finish, .discard = hashing_free}, .work = hash};
    h->ticket = asked->ticket;
    h->verb = ctl_request_verb(r);
    snprintf(h->name, sizeof(h->name), "%s", ctl_text(r, CTL_ARG_NAME));
    snprintf(h->code, sizeof(h->code), "%s", ctl_text(r, CTL_ARG_ANSWER));
    snprintf(h->password, sizeof(h->password), "%s", ctl_text(r, CTL_ARG_PASSWORD));
    return h;
}

static char *set_password(struct gateway *g, const struct ctl_request *r, struct control_asked *asked)
{
    struct aaa_why why = {0};
    const enum err e = aaa_admin_acceptable(ctl_text(r, CTL_ARG_NAME), view_str(ctl_text(r, CTL_ARG_PASSWORD)), &why);
    if (e != ERR_OK)
        return answer_error(e, &why);
    struct hashing *h = hashing_new(r, asked);
    if (!h)
        return answer_error(ERR_NOMEM, NULL);
    const struct random rng = entropy_random(&g->entropy);
    random_fill(&rng, h->salt, sizeof(h->salt));
    return send_off(g, h, asked);
}

char *answer_admin_add(struct gateway *g, const struct ctl_request *r, struct control_asked *asked)
{
    return set_password(g, r, asked);
}

char *answer_admin_passwd(struct gateway *g, const struct ctl_request *r, struct control_asked *asked)
{
    return set_password(g, r, asked);
}

char *answer_admin_check(struct gateway *g, const struct ctl_request *r, struct control_asked *asked)
{
    struct ip_addr source;
    if (ip_parse(ctl_text(r, CTL_ARG_SOURCE), &source) != ERR_OK)
        return answer_refuse(CTL_CODE_INVALID, TOLD(SOURCE_BAD));
    struct hashing *h = hashing_new(r, asked);
    if (!h)
        return answer_error(ERR_NOMEM, NULL);
    h->source = source;
    const enum err e = aaa_admin_begin(g->aaa, h->name, &source, clock_now(), h->salt);
    if (e == ERR_OK)
        return send_off(g, h, asked);
    hashing_free(h);
    return e == ERR_LIMIT ? answer_refuse(CTL_CODE_REFUSED, TOLD(ADMIN_REFUSED)) : answer_error(e, NULL);
}

/* ---- the rest ---- */

static bool list_admin(void *ctx, const struct aaa_admin *admin)
{
    json_array_append_new(ctx, admin_json(admin));
    return true;
}

char *answer_admin_list(struct gateway *g, const struct ctl_request *r)
{
    struct aaa_why why = {0};
    json_t *list = json_array();
    enum err e;
    if (ctl_given(r, CTL_ARG_NAME)) {
        struct aaa_admin admin;
        e = aaa_admin_get(g->aaa, ctl_text(r, CTL_ARG_NAME), &admin, &why);
        if (e == ERR_OK)
            list_admin(list, &admin);
    } else {
        e = aaa_admin_each(g->aaa, list_admin, list, &why);
    }
    if (e == ERR_OK)
        return ctl_reply_ok(ctl_data("admins", list));
    json_decref(list);
    return answer_error(e, &why);
}

char *answer_admin_del(struct gateway *g, const struct ctl_request *r)
{
    struct aaa_why why = {0};
    const enum err e = aaa_admin_del(g->aaa, ctl_text(r, CTL_ARG_NAME), &why);
    return e == ERR_OK ? ctl_reply_ok(NULL) : answer_error(e, &why);
}
