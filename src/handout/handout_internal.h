/*
 * The parts of handout: handout.c is the front, table.c the devices and the texts, check.c the judge of the values,
 * quote.c how each format spells a value, uuid.c stable identifiers; apple.c, windows.c, keyfile.c, profile.c, onc.c,
 * router.c and steps.c write, qr.c draws, and settings.c
 * reads what the gateway told.
 */
#ifndef SEKISHO_HANDOUT_INTERNAL_H
#define SEKISHO_HANDOUT_INTERNAL_H

#include "handout/handout.h"

enum text {
#define TEXT(name, english, japanese) TEXT_##name,
#include "handout/texts.def"
#undef TEXT
    TEXT_COUNT
};

const char *text_of(enum text t, enum handout_language language);
uint32_t device_logins(enum handout_device device);
bool device_certificates(enum handout_device device);

/* One file being written. */
struct job {
    const struct handout *h; /* checked, without NULLs */
    enum handout_device device;
    enum handout_language language;
    struct writer *w;
    char *why; /* HANDOUT_WHY_MAX bytes */
};

/* Says why, and returns ERR_INVALID. */
enum err refuse(const struct job *j, enum text t);

/* ---- what is asked of values ---- */

/* What every format and every device demands. */
enum err check(const struct job *j);
/* UTF-8 for people: no control characters, none that turn the direction of writing, none that are no characters. */
bool text_good(struct view text);
/* Printable ASCII: what every device sends as the same bytes. */
bool ascii_good(struct view text);
/* The certificate, not the key, proves the device. */
/* EAP-GTC alone can show a grid. */
static inline bool is_shown_grids(const struct handout *h)
{
    return h->grid && (h->logins & HANDOUT_EAP_GTC) != 0;
}

static inline bool by_certificate(const struct handout *h)
{
    return h->psk.n == 0;
}

/* The names of h->domains one by one: start with *at = h->domains; false at the end. */
bool next_domain(const char **at, struct view *out);

/* ---- writing ---- */

void put(struct writer *w, const char *ours); /* as it is: never a value */
void put_number(struct writer *w, uint32_t n);
void put_base64(struct writer *w, struct view bytes); /* RFC 4648, on one line */
void put_pem(struct writer *w, struct view pem);      /* what stands in base64 in the first certificate of it */
void put_prefix(struct writer *w, const struct ip_prefix *p);
void put_address(struct writer *w, const struct ip_addr *a);
/* A text of the tables with {server}, {name}, {user}, {key}, {file}, {certificate}, {routes}, {dns} and {domains}
 * filled in; what is filled in is not looked at again. */
void put_text(const struct job *j, const char *text);

/* A value with its quotes, as the reader of a format gives back the same bytes. All of UTF-8 that text_good() lets
 * through, where nothing else is said. */
void quote_powershell(struct writer *w, struct view value); /* 'it''s' */
void quote_shell(struct writer *w, struct view value);      /* 'it'\''s' of POSIX */
void quote_json(struct writer *w, struct view value);       /* RFC 8259 */
void quote_routeros(struct writer *w, struct view value);   /* "\E9" for all that could mean something */
void quote_xml(struct writer *w, struct view value);        /* character data, without quotes */
void quote_keyfile(struct writer *w, struct view value);    /* GLib's key files, without quotes */

/* ---- identifiers ---- */

#define UUID_TEXT_MAX 37 /* bytes with NUL */

/* The same for the same server, connection and user, another for each part (RFC 9562 5.5). ERR_CRYPTO. */
enum err uuid_of(const struct handout *h, const char *part, char out[static UUID_TEXT_MAX]);

/* ---- the writers ---- */

enum err write_apple(const struct job *j);
enum err write_windows(const struct job *j);
enum err write_keyfile(const struct job *j);
enum err write_profile(const struct job *j);
enum err write_onc(const struct job *j);
enum err write_routeros(const struct job *j);
enum err write_rtx(const struct job *j);
enum err write_openwrt(const struct job *j);
enum err write_sheet(const struct job *j); /* the steps by hand, with QR codes */
enum err write_steps(const struct job *j, bool by_hand);

#endif
