/* The front of handout: which writer a device has, and what is judged before it writes. */
#include "handout/handout_internal.h"

#include <string.h>

static const char *given(const char *text)
{
    return text != NULL ? text : "";
}

static struct handout without_nulls(const struct handout *h)
{
    struct handout out = *h;
    out.server = given(h->server);
    out.name = given(h->name);
    out.user = given(h->user);
    out.domains = given(h->domains);
    out.certificate.password = given(h->certificate.password);
    out.certificate.file = given(h->certificate.file);
    out.certificate.identity = given(h->certificate.identity);
    return out;
}

static enum err check_device(const struct job *j)
{
    if ((j->h->logins & device_logins(j->device)) == 0)
        return refuse(j, TEXT_NO_LOGIN);
    if (by_certificate(j->h) && !device_certificates(j->device))
        return refuse(j, TEXT_NO_CERTIFICATES);
    return ERR_OK;
}

/* The key as characters that someone, or a program without bytes, will enter. */
static enum err check_typed(const struct job *j)
{
    return ascii_good(j->h->psk) ? ERR_OK : refuse(j, TEXT_KEY_NOT_ASCII);
}

static enum err write_file(const struct job *j)
{
    switch (j->device) {
    case HANDOUT_WINDOWS:
        return write_windows(j);
    case HANDOUT_MACOS:
    case HANDOUT_IOS:
        return write_apple(j);
    case HANDOUT_LINUX:
        return write_keyfile(j);
    case HANDOUT_SEKISHO:
        return write_profile(j);
    case HANDOUT_CHROMEOS:
        return write_onc(j);
    case HANDOUT_ANDROID:
        return write_sheet(j);
    case HANDOUT_ROUTEROS:
        return write_routeros(j);
    case HANDOUT_RTX:
        return write_rtx(j);
    case HANDOUT_OPENWRT:
        return write_openwrt(j);
    case HANDOUT_DEVICES:
        break;
    }
    return ERR_INVALID;
}

/* Those whose reader takes the key as text. */
static bool typed(enum handout_device device)
{
    return device == HANDOUT_WINDOWS || device == HANDOUT_CHROMEOS || device == HANDOUT_ANDROID ||
           device == HANDOUT_ROUTEROS;
}

static enum err finish(const struct job *j, enum err result)
{
    if (result == ERR_OK && !wr_ok(j->w))
        result = ERR_LIMIT;
    if (result == ERR_LIMIT)
        (void)refuse(j, TEXT_TOO_LONG);
    else if (result != ERR_OK && result != ERR_INVALID)
        (void)refuse(j, TEXT_FAILED);
    return result;
}

enum err handout_write(const struct handout *h, enum handout_device device, enum handout_language language,
                       struct writer *w, char why[static HANDOUT_WHY_MAX])
{
    const struct handout whole = without_nulls(h);
    const struct job j = {&whole, device, language, w, why};
    enum err result = check(&j);
    if (result == ERR_OK)
        result = check_device(&j);
    if (result == ERR_OK && typed(device))
        result = check_typed(&j);
    return finish(&j, result == ERR_OK ? write_file(&j) : result);
}

enum err handout_steps(const struct handout *h, enum handout_device device, bool by_hand,
                       enum handout_language language, struct writer *w, char why[static HANDOUT_WHY_MAX])
{
    const struct handout whole = without_nulls(h);
    const struct job j = {&whole, device, language, w, why};
    enum err result = check(&j);
    if (result == ERR_OK)
        result = check_device(&j);
    if (result == ERR_OK && by_hand)
        result = check_typed(&j);
    return finish(&j, result == ERR_OK ? write_steps(&j, by_hand) : result);
}
