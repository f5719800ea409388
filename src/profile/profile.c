/* A profile as a whole: made, parsed, judged, written. */
#include "profile/profile_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MTU_MIN 576 /* what every IPv4 host takes (RFC 791) */

struct profile *profile_new(void)
{
    struct profile *p = calloc(1, sizeof *p);
    if (p != NULL)
        schema_fallbacks(&profile_schema, p);
    return p;
}

static void blob_done(struct profile_blob *b)
{
    if (b->p != NULL)
        bytes_wipe(b->p, b->n);
    free(b->p);
}

void profile_free(struct profile *profile)
{
    if (profile == NULL)
        return;
    blob_done(&profile->certificate.certificate);
    blob_done(&profile->certificate.key);
    blob_done(&profile->certificate.authorities);
    bytes_wipe(profile, sizeof *profile);
    free(profile);
}

bool profile_name_good(const char *name)
{
    size_t n = strlen(name);
    bool good = n > 0 && n < PROFILE_NAME_MAX && name[0] != '.' && name[0] != '-';
    for (const char *p = name; good && *p != '\0'; p++)
        good = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || strchr("-_.", *p);
    return good;
}

/* ---- the judge ---- */

static enum err check_server(const struct profile *p, struct config_error *e)
{
    if (p->server[0] == '\0')
        return config_fail(e, 0, "server", "The server is missing; add server = \"vpn.example.net\" with its name.");
    for (const char *c = p->server; *c != '\0'; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || strchr("-_.:", *c)))
            return config_fail(e, 0, "server",
                               "This is no host's name or address; write it like vpn.example.net or 192.0.2.1, without "
                               "a port.");
    return ERR_OK;
}

static enum err check_once(const struct profile_secret *s, const char *name, struct config_error *e)
{
    if (s->value[0] != '\0' && s->file[0] != '\0')
        return config_fail(e, 0, name, "It is given twice, here and in a file; remove one of the two.");
    return ERR_OK;
}

enum err profile_key_check(const struct profile *p, struct secret *key, struct config_error *e)
{
    if (p->psk.value[0] == '\0')
        return ERR_OK;
    const enum err result = profile_key_decode(p->psk_encoding, p->psk.value, key);
    if (result == ERR_LIMIT)
        return config_fail(e, 0, "psk", "The key is longer than %d bytes, which is the limit.", CONFIG_SECRET_MAX);
    if (result != ERR_OK)
        return config_fail(e, 0, "psk", "This is not written in %s, which psk_encoding says that it is.",
                           p->psk_encoding);
    return ERR_OK;
}

static enum err check_secrets(const struct profile *p, struct config_error *e)
{
    struct secret key = {0};
    enum err result = check_once(&p->password, "password", e);
    if (result == ERR_OK)
        result = check_once(&p->psk, "psk", e);
    if (result == ERR_OK)
        result = check_once(&p->certificate.password, "certificate.password", e);
    if (result == ERR_OK)
        result = check_once(&p->l2tp.secret, "l2tp.secret", e);
    if (result != ERR_OK)
        return result;
    if (p->password_command[0] != '\0' && (p->password.value[0] != '\0' || p->password.file[0] != '\0'))
        return config_fail(e, 0, "password_command", "The password is given already; remove that or this command.");
    result = profile_key_check(p, &key, e);
    secret_wipe(&key);
    return result;
}

static bool has_psk(const struct profile *p)
{
    return p->psk.value[0] != '\0' || p->psk.file[0] != '\0' || p->key.n > 0;
}

static enum err check_certificate(const struct profile *p, struct config_error *e)
{
    bool own = p->certificate.certificate.file[0] != '\0';
    if (p->certificate.key.file[0] != '\0' && !own)
        return config_fail(e, 0, "certificate.key_file",
                           "There is a key but no certificate; add certificate.file with it.");
    if (p->ike.aggressive && own && !has_psk(p))
        return config_fail(e, 0, "ike.aggressive",
                           "Aggressive mode goes with a pre-shared key; turn it off, or give the key.");
    if (strcmp(p->ppp.methods, "eap-tls") == 0 && !own)
        return config_fail(e, 0, "ppp.methods",
                           "EAP-TLS alone is acceptable, but there is no certificate; add certificate.file.");
    return ERR_OK;
}

static enum err check_rest(const struct profile *p, struct config_error *e)
{
    bool secret = p->l2tp.secret.value[0] != '\0' || p->l2tp.secret.file[0] != '\0';
    if (p->l2tp.hide && !secret)
        return config_fail(e, 0, "l2tp.hide", "Attributes are hidden under the tunnel's secret; add l2tp.secret.");
    if (p->ppp.mtu != 0 && p->ppp.mtu < MTU_MIN)
        return config_fail(e, 0, "ppp.mtu", "%u is too small; it must be 0, or from %d to 1500.", p->ppp.mtu, MTU_MIN);
    if (p->ppp.address.family != 0 && p->ppp.address.family != 4)
        return config_fail(e, 0, "ppp.address", "It must be an IPv4 address like 192.0.2.1.");
    if (p->ike.child_lifetime > p->ike.lifetime)
        return config_fail(e, 0, "ike.child_lifetime",
                           "An ESP SA cannot outlive its IKE SA; it must be at most %u seconds.", p->ike.lifetime);
    if (p->net.no_leak && p->net.routes.word != PROFILE_ROUTES_EVERYTHING)
        return config_fail(
            e, 0, "net.no_leak",
            "What is not in net.routes goes beside the tunnel; set that to \"everything\", or this off.");
    return ERR_OK;
}

enum err profile_check(const struct profile *profile, struct config_error *error)
{
    enum err result = check_server(profile, error);
    if (result == ERR_OK)
        result = check_secrets(profile, error);
    if (result == ERR_OK)
        result = check_certificate(profile, error);
    return result == ERR_OK ? check_rest(profile, error) : result;
}

/* ---- from and to text ---- */

enum err profile_parse(struct view text, const char *filename, struct profile **out, struct config_error *error)
{
    *error = (struct config_error){0};
    snprintf(error->file, sizeof error->file, "%s", filename);
    struct profile *p = profile_new();
    enum err result = ERR_OK;
    if (p == NULL) {
        config_fail(error, 0, "", "There is not enough memory to read the profile.");
        return ERR_NOMEM;
    }
    if (text.n > PROFILE_SIZE_MAX)
        result =
            config_fail(error, 0, "", "The file is larger than %u KB, which is the limit.", PROFILE_SIZE_MAX / 1024);
    if (result == ERR_OK)
        result = schema_parse(&profile_schema, text, p, error);
    if (result == ERR_OK) {
        result = profile_check(p, error);
        error->line = result != ERR_OK ? schema_line(&profile_schema, text, error->key) : 0;
    }
    if (result != ERR_OK) {
        profile_free(p);
        return result;
    }
    *out = p;
    return ERR_OK;
}

enum err profile_set(struct profile *profile, const char *key, const char *text, struct config_error *error)
{
    return schema_set(&profile_schema, key, text, profile, error);
}

const char *profile_get(const struct profile *profile, const char *key, char out[static SCHEMA_TEXT_MAX])
{
    return schema_get(&profile_schema, key, profile, out);
}

bool profile_key_secret(const char *key)
{
    const struct schema_key *found = schema_find(&profile_schema, key);
    return found != NULL && found->kind == KIND_SECRET;
}

void profile_forget(struct profile *p)
{
    bytes_wipe(p->password.value, sizeof p->password.value);
    bytes_wipe(p->psk.value, sizeof p->psk.value);
    bytes_wipe(p->certificate.password.value, sizeof p->certificate.password.value);
    bytes_wipe(p->l2tp.secret.value, sizeof p->l2tp.secret.value);
    secret_wipe(&p->key);
}

enum err profile_write(const struct profile *profile, bool comments, struct writer *w)
{
    if (comments)
        wr_view(w,
                view_str("# A connection of the Sekisho client; see sekisho-profile(5). Lines with a number sign are "
                         "the default, or\n# an example where there is none. A line takes effect without its number "
                         "sign.\n\n"));
    return schema_write(&profile_schema, profile, comments, w);
}
