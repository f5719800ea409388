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

/* The string that begins at *at, by PowerShell's rule: any quote that is not doubled ends it. */
static void check_powershell(const char **at, const char *name, struct view want)
{
    static uint8_t value[sizeof text];
    struct writer w = wr_init(value, sizeof value);
    const char *p = *at;
    insist(strncmp(p, name, strlen(name)) == 0, name);
    for (p += strlen(name);;) {
        const size_t quote = *p == '\'' ? 1 : typographic(p) ? 3 : 0;
        if (quote > 0 && p[quote] != '\'' && !typographic(p + quote))
            break;
        p += quote;
        insist(*p != '\0', "a string without an end");
        wr_bytes(&w, p, quote == 3 ? 3 : 1);
        p += quote == 3 ? 3 : 1;
    }
    insist(view_equal(wr_written(&w), want) && strncmp(p, "'\n", 2) == 0, name);
    *at = p + 2;
}

static void check_windows(const struct handout *h)
{
    const char *at = strstr(text, "\n$connection = '");
    insist(at != NULL, "no connection");
    at++;
    check_powershell(&at, "$connection = '", view_str(h->name));
    check_powershell(&at, "$server = '", view_str(h->server));
    check_powershell(&at, "$key = '", h->psk);
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
    const char *name = NULL, *host = NULL, *psk = NULL, *user = NULL;
    json_t *top = json_loads(text, JSON_REJECT_DUPLICATES, &e);
    insist(top != NULL, e.text);
    const json_t *network = json_array_get(json_object_get(top, "NetworkConfigurations"), 0);
    insist(json_unpack((json_t *)(uintptr_t)network, "{s:s, s:{s:s, s:{s:s}, s:{s:s}}}", "Name", &name, "VPN", "Host",
                       &host, "IPsec", "PSK", &psk, "L2TP", "Username", &user) == 0,
           "members");
    insist(strcmp(name, h->name) == 0 && strcmp(user, h->user) == 0 && strcmp(host, h->server) == 0 &&
               view_equal(view_str(psk), h->psk),
           "onc");
    json_decref(top);
}

/* ---- property lists ---- */

static const char *xml_text(const char *p, struct writer *w)
{
    static const struct {
        const char *entity;
        uint8_t c;
    } entities[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    while (*p != '<') {
        size_t i = 0;
        insist(*p != '\0' && *p != '>', "character data");
        if (*p != '&') {
            wr_u8(w, (uint8_t)*p++);
            continue;
        }
        while (i < ARRAY_LEN(entities) && strncmp(p, entities[i].entity, strlen(entities[i].entity)) != 0)
            i++;
        insist(i < ARRAY_LEN(entities), "ampersand");
        wr_u8(w, entities[i].c);
        p += strlen(entities[i].entity);
    }
    return p;
}

static bool is_base64(struct view of, struct view bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (of.n != (bytes.n + 2) / 3 * 4)
        return false;
    for (size_t i = 0; i < of.n; i++) {
        const size_t bit = 6 * i, at = bit / 8;
        const uint32_t pair = (at < bytes.n ? bytes.p[at] : 0u) << 8 | (at + 1 < bytes.n ? bytes.p[at + 1] : 0u);
        const char digit = at < bytes.n ? digits[pair >> (10 - bit % 8) & 63] : '=';
        if (of.p[i] != (uint8_t)digit)
            return false;
    }
    return true;
}

static bool is_value(const struct handout *h, struct view key, struct view value)
{
    if (view_equal(key, view_str("UserDefinedName")))
        return view_equal(value, view_str(h->name));
    if (view_equal(key, view_str("AuthName")))
        return view_equal(value, view_str(h->user));
    if (view_equal(key, view_str("CommRemoteAddress")))
        return view_equal(value, view_str(h->server));
    return !view_equal(key, view_str("SharedSecret")) || is_base64(value, h->psk);
}

/* What this format needs of XML: elements without attributes but the first, each closed in its turn. */
static void check_xml(const struct handout *h)
{
    static const char plist[] = "<plist version=\"1.0\">";
    static uint8_t bytes[2][sizeof text];
    struct view open[8] = {{0}}, key = VIEW_NONE;
    size_t depth = 0;
    const char *p = strstr(text, plist);
    insist(p != NULL, "no property list");
    open[depth++] = view_str("plist");
    for (p += strlen(plist); depth > 0;) {
        struct writer value = wr_init(bytes[0], sizeof bytes[0]);
        p = xml_text(p, &value) + 1;
        const bool closes = *p == '/';
        p += closes;
        const struct view name = view_of(p, strspn(p, "abcdefghijklmnopqrstuvwxyz"));
        p += name.n;
        insist(name.n > 0 && *p++ == '>' && (closes || depth < ARRAY_LEN(open)), "tag");
        if (!closes) {
            open[depth++] = name;
            continue;
        }
        insist(view_equal(open[--depth], name), "nesting");
        if (view_equal(name, view_str("key"))) {
            memcpy(bytes[1], value.p, value.n);
            key = view_of(bytes[1], value.n);
        } else if (view_equal(name, view_str("string")) || view_equal(name, view_str("data"))) {
            insist(is_value(h, key, wr_written(&value)), "a value");
        }
    }
    insist(strcmp(p, "\n") == 0, "more behind the end");
}

/* ---- commands ---- */

/* What a shell makes of the word that begins at p, up to the end of its line. */
static void check_shell(const char *before, struct view want)
{
    static uint8_t value[sizeof text];
    struct writer w = wr_init(value, sizeof value);
    const char *p = strstr(text, before);
    insist(p != NULL, before);
    for (p += strlen(before); *p != '\n';) {
        insist(*p == '\'', "a word that is not quoted");
        const size_t n = strcspn(++p, "'");
        wr_bytes(&w, p, n);
        p += n;
        insist(*p++ == '\'', "a quote without an end");
        if (strncmp(p, "\\'", 2) == 0) {
            wr_u8(&w, '\'');
            p += 2;
        }
    }
    insist(view_equal(wr_written(&w), want), before);
}

/* RouterOS: two hexadecimal digits after a backslash are a byte, and nothing else has a meaning between quotes. */
static void check_quoted(const char *before, struct view want)
{
    static uint8_t value[sizeof text];
    struct writer w = wr_init(value, sizeof value);
    const char *p = strstr(text, before);
    insist(p != NULL, before);
    for (p += strlen(before); *p != '"'; p++) {
        unsigned byte = (uint8_t)*p;
        insist(*p >= ' ' && *p <= '~' && strchr("$`;[]{}?", *p) == NULL, "a sign with a meaning");
        if (*p == '\\') {
            insist(sscanf(p, "\\%2X", &byte) == 1 && strspn(p + 1, "0123456789ABCDEF") >= 2, "an escape");
            p += 2;
        }
        wr_u8(&w, (uint8_t)byte);
    }
    insist(view_equal(wr_written(&w), want), before);
}

static void check_routeros(const struct handout *h)
{
    check_quoted("/interface l2tp-client add name=\"", view_str(h->name));
    check_quoted(" user=\"", view_str(h->user));
    check_quoted(" ipsec-secret=\"", h->psk);
}

/* ---- all ---- */

/* Jansson takes nothing but UTF-8. */
static void check_lines(void)
{
    json_t *whole = json_string(text);
    insist(whole != NULL, "no UTF-8");
    json_decref(whole);
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
        check_xml(h);
    else if (device == HANDOUT_OPENWRT)
        check_shell("\nuci set network.sekisho.username=", view_str(h->user));
    else if (device == HANDOUT_ROUTEROS)
        check_routeros(h);
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
