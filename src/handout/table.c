/* The devices, and the texts in both languages. */
#include "handout/handout_internal.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *word, *ending, *media;
    uint32_t logins;
    bool certificates;
    const char *title[2];
} devices[] = {
#define DEVICE(name, word, ending, media, logins, certificate, english, japanese)                                      \
    {word, ending, media, logins, certificate, {english, japanese}},
#include "handout/devices.def"
#undef DEVICE
};

static const char *const texts[][2] = {
#define TEXT(name, english, japanese) {english, japanese},
#include "handout/texts.def"
#undef TEXT
};

const char *handout_word(enum handout_device device)
{
    return devices[device].word;
}

bool handout_find(const char *word, enum handout_device *out)
{
    for (size_t i = 0; i < ARRAY_LEN(devices); i++)
        if (strcmp(devices[i].word, word) == 0) {
            *out = (enum handout_device)i;
            return true;
        }
    return false;
}

const char *handout_title(enum handout_device device, enum handout_language language)
{
    return devices[device].title[language];
}

const char *handout_media_type(enum handout_device device)
{
    return devices[device].media;
}

uint32_t device_logins(enum handout_device device)
{
    return devices[device].logins;
}

bool device_certificates(enum handout_device device)
{
    return devices[device].certificates;
}

static bool plain_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

const char *handout_filename(const struct handout *h, enum handout_device device, char out[static HANDOUT_FILENAME_MAX])
{
    const char *ending = devices[device].ending, *name = h->name != NULL ? h->name : "";
    const size_t most = HANDOUT_FILENAME_MAX - 1 - strlen(ending);
    size_t n = 0;
    for (; *name != '\0' && n < most; name++)
        if (plain_letter(*name) || (n > 0 && (*name == '-' || *name == '_')))
            out[n++] = *name;
        else if (n > 0 && out[n - 1] != '-')
            out[n++] = '-';
    while (n > 0 && out[n - 1] == '-')
        n--;
    snprintf(out + n, HANDOUT_FILENAME_MAX - n, "%s%s", n == 0 ? "vpn" : "", ending);
    return out;
}

/* ---- texts ---- */

const char *text_of(enum text t, enum handout_language language)
{
    return texts[t][language];
}

enum err refuse(const struct job *j, enum text t)
{
    snprintf(j->why, HANDOUT_WHY_MAX, "%s", text_of(t, j->language));
    return ERR_INVALID;
}

static void put_routes(const struct job *j)
{
    if (j->h->everything)
        put(j->w, text_of(TEXT_EVERYTHING, j->language));
    for (size_t i = 0; !j->h->everything && i < j->h->route_count; i++) {
        put(j->w, i > 0 ? ", " : "");
        put_prefix(j->w, &j->h->routes[i]);
    }
}

static void put_servers(const struct job *j)
{
    for (size_t i = 0; i < j->h->dns_count; i++) {
        put(j->w, i > 0 ? ", " : "");
        put_address(j->w, &j->h->dns[i]);
    }
}

static void put_value(const struct job *j, struct view name)
{
    const struct handout *h = j->h;
    char file[HANDOUT_FILENAME_MAX];
    if (view_equal(name, view_str("server")))
        put(j->w, h->server);
    else if (view_equal(name, view_str("name")))
        put(j->w, h->name);
    else if (view_equal(name, view_str("user")))
        put(j->w, h->user);
    else if (view_equal(name, view_str("key")))
        wr_view(j->w, h->psk);
    else if (view_equal(name, view_str("file")))
        put(j->w, handout_filename(h, j->device, file));
    else if (view_equal(name, view_str("certificate")))
        put(j->w, h->certificate.file);
    else if (view_equal(name, view_str("domains")))
        put(j->w, h->domains);
    else if (view_equal(name, view_str("routes")))
        put_routes(j);
    else if (view_equal(name, view_str("dns")))
        put_servers(j);
}

void put_text(const struct job *j, const char *text)
{
    while (*text != '\0') {
        const size_t plain = strcspn(text, "{");
        wr_bytes(j->w, text, plain);
        text += plain;
        if (*text == '{') {
            const size_t n = strcspn(++text, "}");
            put_value(j, view_of(text, n));
            text += n + (text[n] == '}');
        }
    }
}
