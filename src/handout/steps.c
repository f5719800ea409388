/* What a person does: numbered steps, and the sheet of a device that has no file to read. */
#include "handout/handout_internal.h"

enum way { FILE_WAY, HAND_WAY };
enum when {
    WHEN_ALWAYS,
    WHEN_SPLIT,
    WHEN_ALL,
    WHEN_CERTIFICATE,
    WHEN_PASSWORD,
    WHEN_PATTERN,
    WHEN_SHOWN,
    WHEN_FETCHED
};

static const struct step {
    enum handout_device device;
    enum way way;
    enum when when;
    const char *text[2]; /* by language */
} steps[] = {
#define STEP(device, way, when, english, japanese) {HANDOUT_##device, way##_WAY, WHEN_##when, {english, japanese}},
#include "handout/steps.def"
#undef STEP
};

static bool applies(const struct step *s, const struct handout *h)
{
    switch (s->when) {
    case WHEN_ALWAYS:
        return true;
    case WHEN_SPLIT:
        return !h->everything && h->route_count > 0;
    case WHEN_ALL:
        return h->everything;
    case WHEN_CERTIFICATE:
        return by_certificate(h);
    case WHEN_PASSWORD:
        return !h->grid;
    case WHEN_PATTERN:
        return h->grid;
    case WHEN_SHOWN:
        return is_shown_grids(h);
    case WHEN_FETCHED:
        return h->grid && !is_shown_grids(h);
    }
    return false;
}

enum err write_steps(const struct job *j, bool by_hand)
{
    const enum way way = by_hand ? HAND_WAY : FILE_WAY;
    uint32_t n = 0;
    if (by_hand && by_certificate(j->h))
        return refuse(j, TEXT_HAND_NEEDS_KEY);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        if (steps[i].device != j->device || steps[i].way != way || !applies(&steps[i], j->h))
            continue;
        put_number(j->w, ++n);
        put(j->w, ". ");
        put_text(j, steps[i].text[j->language]);
        put(j->w, "\n");
    }
    return n > 0 ? ERR_OK : refuse(j, TEXT_NO_HAND);
}

static enum err put_qr(const struct job *j, enum text title, struct view what)
{
    put(j->w, "\n");
    put(j->w, text_of(title, j->language));
    put(j->w, "\n\n");
    return handout_qr_text(what, false, j->w);
}

/* What is long to type is there as a QR code besides, for a scanner that copies text. */
enum err write_sheet(const struct job *j)
{
    put_text(j, text_of(TEXT_HEADING, j->language));
    put(j->w, "\n");
    put(j->w, text_of(TEXT_SECRET_INSIDE, j->language));
    put(j->w, "\n\n");
    enum err result = write_steps(j, true);
    if (result == ERR_OK)
        result = put_qr(j, TEXT_QR_SERVER, view_str(j->h->server));
    if (result == ERR_OK)
        result = put_qr(j, TEXT_QR_KEY, j->h->psk);
    return result == ERR_OK ? put_qr(j, TEXT_QR_USER, view_str(j->h->user)) : result;
}
