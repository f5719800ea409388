/* The set-up of a user's devices: the file for the one that the browser runs on, or for another, and the steps. */
#include "portal/portal_internal.h"

#include "handout/handout.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct making {
    struct handout h;
    struct handout_settings settings;
    enum handout_device device;
    bool known; /* which device it is for */
    char why[HANDOUT_WHY_MAX];
    char text[HANDOUT_SIZE_MAX]; /* the file or the steps, with secrets */
};

static enum handout_language handout_language_of(const struct exchange *x)
{
    return x->page.language == LANGUAGE_JA ? HANDOUT_JAPANESE : HANDOUT_ENGLISH;
}

/* The one that the browser runs on. False: it does not tell. */
static bool device_here(const struct exchange *x, enum handout_device *out)
{
    return handout_find(
        platform_told(view_str(exchange_header(x, "Sec-CH-UA-Platform")), view_str(exchange_header(x, "User-Agent"))),
        out);
}

/* The one that is asked for, or else that one. */
static bool device_of(const struct exchange *x, enum handout_device *out)
{
    return handout_find(form_value(&x->query, "for"), out) || device_here(x, out);
}

bool ask_device(struct exchange *x)
{
    exchange_ask(x, ask_about(CTL_VERB_HANDOUT_SETTINGS, CTL_ARG_USER, x->who.name));
    return true;
}

static void making_free(struct making *m)
{
    if (m != NULL)
        bytes_wipe(m, sizeof *m);
    free(m);
}

/* What the gateway has told, for this user. Where it does not know its own name, that of the portal is taken. NULL: the
 * response is made. */
static struct making *making_new(struct exchange *x)
{
    struct ctl_handout told = {0};
    struct making *m = calloc(1, sizeof *m);
    const enum err e = m != NULL ? ctl_handout_read(json_object_get(x->question.data[0], "handout"), &told) : ERR_NOMEM;
    const struct handout_told texts = {told.server, told.psk,    told.logins, told.routes,
                                       told.dns,    told.domain, told.grid};
    if (e != ERR_OK || handout_settings_read(&texts, &m->settings) != ERR_OK) {
        exchange_problem(x, MHD_HTTP_SERVICE_UNAVAILABLE, SAY_REFUSED_FAILED);
        making_free(m);
        m = NULL;
    } else {
        handout_settings_fill(&m->settings, &m->h);
        if (m->h.server[0] == '\0')
            m->h.server = x->portal->host;
        m->h.name = m->h.server;
        m->h.user = x->who.name;
        m->known = device_of(x, &m->device);
    }
    bytes_wipe(&told, sizeof told);
    return m;
}

static void device_list(struct exchange *x, const struct making *m, bool by_hand)
{
    struct page *p = &x->page;
    page_html(p, "<ul class=\"devices\">");
    for (int i = 0; i < HANDOUT_DEVICES; i++) {
        const enum handout_device d = (enum handout_device)i;
        page_html(p, "<li><a href=\"");
        page_text(p, by_hand ? "/me/device/hand" : "/me/device");
        page_html(p, "?for=");
        page_text(p, handout_word(d));
        page_html(p, "\"");
        if (m->known && d == m->device)
            page_html(p, " aria-current=\"true\"");
        page_html(p, ">");
        page_text(p, handout_title(d, handout_language_of(x)));
        page_html(p, "</a></li>");
    }
    page_html(p, "</ul>");
}

static void others(struct exchange *x, const struct making *m, bool by_hand)
{
    struct page *p = &x->page;
    page_html(p, "<details><summary>");
    page_say(p, SAY_DEVICE_OTHERS);
    page_html(p, "</summary>");
    device_list(x, m, by_hand);
    page_html(p, "</details>");
}

static void steps_show(struct exchange *x, struct making *m, bool by_hand)
{
    struct writer w = wr_init(m->text, sizeof m->text - 1);
    struct page *p = &x->page;
    const enum err e = handout_steps(&m->h, m->device, by_hand, handout_language_of(x), &w, m->why);
    m->text[e == ERR_OK ? w.n : 0] = '\0';
    page_html(p, "<div class=\"text\">");
    page_text(p, e == ERR_OK ? m->text : m->why);
    page_html(p, "</div>");
}

static void link_for(struct exchange *x, const char *path, enum handout_device device, enum message name)
{
    struct page *p = &x->page;
    page_html(p, "<p><a class=\"act\" href=\"");
    page_text(p, path);
    page_html(p, "?for=");
    page_query(p, handout_word(device));
    page_html(p, "\">");
    page_say(p, name);
    page_html(p, "</a></p>");
}

static void setup_show(struct exchange *x, struct making *m, bool by_hand)
{
    struct page *p = &x->page;
    enum handout_device here;
    page_html(p, "<h2>");
    page_text(p, handout_title(m->device, handout_language_of(x)));
    page_html(p, "</h2>");
    if (device_here(x, &here) && here == m->device)
        hint(p, SAY_DEVICE_THIS);
    if (m->h.server[0] == '\0') {
        notice_show(p, &(struct notice){.message = SAY_DEVICE_NO_SERVER, .bad = true});
        return;
    }
    if (!by_hand)
        link_for(x, "/me/device/file", m->device, SAY_DEVICE_FILE);
    steps_show(x, m, by_hand);
    link_for(x, by_hand ? "/me/device" : "/me/device/hand", m->device,
             by_hand ? SAY_DEVICE_BY_FILE : SAY_DEVICE_BY_HAND);
    hint(p, SAY_DEVICE_SECRET);
}

static void device_page(struct exchange *x, bool by_hand)
{
    struct making *m = making_new(x);
    if (m == NULL)
        return;
    layout_begin(x, SAY_DEVICE_SETUP);
    if (m->known) {
        setup_show(x, m, by_hand);
        others(x, m, by_hand);
    } else {
        paragraph(&x->page, SAY_DEVICE_UNKNOWN);
        device_list(x, m, by_hand);
    }
    layout_end(x);
    making_free(m);
}

void show_device(struct exchange *x)
{
    device_page(x, false);
}

void show_device_hand(struct exchange *x)
{
    device_page(x, true);
}

void show_device_file(struct exchange *x)
{
    char name[HANDOUT_FILENAME_MAX];
    struct making *m = making_new(x);
    if (m == NULL)
        return;
    struct writer w = wr_init(m->text, sizeof m->text);
    if (!m->known) {
        exchange_go(x, "/me/device");
    } else if (m->h.server[0] == '\0' ||
               handout_write(&m->h, m->device, handout_language_of(x), &w, m->why) != ERR_OK) {
        exchange_refused(x, "/me/device", SAY_DEVICE_NO_SERVER, m->why);
    } else {
        page_raw(&x->page, m->text, w.n);
        x->media = handout_media_type(m->device);
        snprintf(x->disposition, sizeof x->disposition, "attachment; filename=\"%s\"",
                 handout_filename(&m->h, m->device, name));
    }
    making_free(m);
}
