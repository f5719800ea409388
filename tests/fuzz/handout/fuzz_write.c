/* Any values into every writer: a refusal with its sentence, or a file from which readers get the same values back.
 * The input is five texts with NUL between: name, user, server, domains, key; then what decides the rest. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handout/handout.h"
#include "profile/profile.h"

static char text[HANDOUT_SIZE_MAX];

static void insist(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "%s\n%s\n", what, text);
        abort();
    }
}

static bool typographic(const char *p)
{
    return memcmp(p, "\xe2\x80", 2) == 0 && (uint8_t)p[2] >= 0x98 && (uint8_t)p[2] <= 0x9b;
}

/* PowerShell's rule: any quote that is not doubled ends the string. */
static void check_windows(const struct handout *h)
{
    char value[2 * HANDOUT_TEXT_MAX];
    size_t n = 0;
    const char *p = strstr(text, "$connection = '");
    insist(p != NULL, "no connection");
    for (p += strlen("$connection = '");;) {
        const size_t quote = *p == '\'' ? 1 : typographic(p) ? 3 : 0;
        if (quote > 0 && p[quote] != '\'' && !typographic(p + quote))
            break;
        p += quote;
        value[n++] = *p++;
        if (quote == 3) {
            value[n++] = *p++;
            value[n++] = *p++;
        }
    }
    value[n] = '\0';
    insist(strcmp(value, h->name) == 0 && strncmp(p, "'\n$server = '", 13) == 0, "windows");
}

static void check_profile(const struct handout *h, enum handout_device device)
{
    char notes[PROFILE_NOTES_MAX];
    struct config_error e;
    struct profile *p = NULL;
    const struct view v = view_str(text);
    const enum err result =
        device == HANDOUT_LINUX ? profile_import_nm(v, "fuzz", &p, notes, &e) : profile_parse(v, "fuzz", &p, &e);
    insist(result == ERR_OK, e.sentence);
    insist(strcmp(p->user, h->user) == 0 && strcmp(p->server, h->server) == 0, "user or server");
    insist(profile_secrets(p, NULL, "fuzz", &e) == ERR_OK && view_equal(secret_view(&p->key), h->psk), "key");
    profile_free(p);
}

static void check_onc(const struct handout *h)
{
    json_error_t e;
    const char *name = NULL, *user = NULL;
    json_t *top = json_loads(text, JSON_REJECT_DUPLICATES, &e);
    insist(top != NULL, e.text);
    const json_t *network = json_array_get(json_object_get(top, "NetworkConfigurations"), 0);
    insist(json_unpack((json_t *)(uintptr_t)network, "{s:s, s:{s:{s:s}}}", "Name", &name, "VPN", "L2TP", "Username",
                       &user) == 0,
           "members");
    insist(strcmp(name, h->name) == 0 && strcmp(user, h->user) == 0, "onc");
    json_decref(top);
}

/* Character data has neither brackets nor a bare ampersand. */
static void check_xml(void)
{
    int depth = 0;
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '<') {
            insist(strspn(p + 1, "abcdefghijklmnopqrstuvwxyz/?!DOCTYPE") > 0, "tag");
            const bool closes = p[1] == '/', none = p[1] == '?' || p[1] == '!';
            depth += none ? 0 : closes ? -1 : 1;
            p = strchr(p, '>');
            insist(p != NULL && depth >= 0, "nesting");
        } else if (*p == '&') {
            insist(strchr(p, ';') != NULL && strspn(p + 1, "ampltgquos") == strcspn(p + 1, ";"), "ampersand");
        }
    }
    insist(depth == 0, "depth");
}

static void check_lines(void)
{
    for (const char *p = text; *p != '\0'; p++)
        insist(*p == '\n' || ((uint8_t)*p >= ' ' && *p != 0x7f), "a control character");
}

static void check_file(const struct handout *h, enum handout_device device)
{
    check_lines();
    if (device == HANDOUT_WINDOWS)
        check_windows(h);
    else if (device == HANDOUT_LINUX || device == HANDOUT_SEKISHO)
        check_profile(h, device);
    else if (device == HANDOUT_CHROMEOS)
        check_onc(h);
    else if (device == HANDOUT_MACOS || device == HANDOUT_IOS)
        check_xml();
}

static void one(const struct handout *h, enum handout_device device, enum handout_language language, bool by_hand)
{
    char why[HANDOUT_WHY_MAX] = "";
    struct writer w = wr_init(text, sizeof text - 1);
    enum err result = handout_write(h, device, language, &w, why);
    text[w.n] = '\0';
    if (result == ERR_OK)
        check_file(h, device);
    else
        insist(why[0] != '\0', "a refusal without a sentence");
    why[0] = '\0';
    w = wr_init(text, sizeof text - 1);
    result = handout_steps(h, device, by_hand, language, &w, why);
    text[w.n] = '\0';
    if (result == ERR_OK)
        check_lines();
    else
        insist(why[0] != '\0', "a refusal without a sentence");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ip_prefix routes[] = {{{4, {10, 0, 0, 0}}, 8}};
    static const struct ip_addr dns[] = {{4, {10, 0, 0, 53}}};
    char *parts[5] = {NULL}, *copy = calloc(1, size + 6), *next = copy;
    if (copy == NULL)
        return 0;
    memcpy(copy, data, size);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        parts[i] = next;
        if (next < copy + size)
            next += strlen(next) + 1;
    }
    const uint8_t bits = size > 0 ? data[size - 1] : 0;
    const struct handout h = {
        .name = parts[0],
        .user = parts[1],
        .server = parts[2],
        .domains = parts[3],
        .psk = view_str(parts[4]),
        .logins = HANDOUT_MSCHAPV2 | (bits & 63u),
        .everything = (bits & 64) != 0,
        .routes = routes,
        .route_count = 1,
        .dns = dns,
        .dns_count = 1,
    };
    for (int d = 0; h.psk.n > 0 && d < HANDOUT_DEVICES; d++)
        one(&h, (enum handout_device)d, (enum handout_language)(bits & 1), (bits & 2) != 0);
    free(copy);
    return 0;
}
