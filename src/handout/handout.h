/*
 * What people get for their devices: from one struct, the file that sets a device up for this gateway, and the steps
 * that go with it; and QR codes. handout.c is the front, check.c the judge of the values, and one file a format writes
 * it.
 *
 * Every writer puts values in through a quoting function of its format (quote.c), never into a template. What a format
 * cannot carry unchanged is refused in a sentence. The user's password is in none of them: the device asks for it.
 * Pure: bytes in, bytes out. What is written has secrets in clear: the caller wipes the buffer.
 */
#ifndef SEKISHO_HANDOUT_H
#define SEKISHO_HANDOUT_H

#include "config/config.h"

#define HANDOUT_SIZE_MAX        (1024u * 1024) /* bytes that always do for a file or steps */
#define HANDOUT_QR_MAX          (64u * 1024)   /* the same for a QR code */
#define HANDOUT_TEXT_MAX        256            /* bytes of any text with NUL */
#define HANDOUT_DOMAINS_MAX     512            /* bytes of all domains with NUL */
#define HANDOUT_CERTIFICATE_MAX (256u * 1024)  /* bytes of a PKCS#12 or a certificate */
#define HANDOUT_FILENAME_MAX    96             /* bytes with NUL */
#define HANDOUT_WHY_MAX         256

enum handout_device {
#define DEVICE(name, word, ending, media, logins, certificate, english, japanese) HANDOUT_##name,
#include "handout/devices.def"
#undef DEVICE
    HANDOUT_DEVICES
};

enum handout_language { HANDOUT_ENGLISH, HANDOUT_JAPANESE };

/* The ways to log in that the gateway takes: a set. */
#define HANDOUT_MSCHAPV2     1u
#define HANDOUT_CHAP         2u
#define HANDOUT_PAP          4u
#define HANDOUT_EAP_MSCHAPV2 8u
#define HANDOUT_EAP_GTC      16u
#define HANDOUT_EAP_MD5      32u
#define HANDOUT_EAP_TLS      64u

/* All is borrowed. Texts are UTF-8, and "" when not given; NULL is taken as "". */
struct handout {
    const char *server; /* the gateway's name or address, as devices reach it */
    const char *name;   /* of the connection, shown to people */
    const char *user;
    struct view psk; /* n == 0: none, the certificate proves the device */

    struct {
        struct view p12;       /* PKCS#12 with key and certificate; n == 0: none */
        const char *password;  /* of it; "": asked for on the device */
        struct view authority; /* PEM: who issued the gateway's certificate, the first in it; n == 0: none */
        const char *file;      /* where the PKCS#12 lies on a device whose set-up can but name it */
        const char *identity;  /* the name in the gateway's certificate; "": server */
    } certificate;

    uint32_t logins; /* HANDOUT_MSCHAPV2 | ...; at least one */
    bool everything; /* all traffic goes through the tunnel; else `routes` alone */
    const struct ip_prefix *routes;
    size_t route_count; /* at most CONFIG_ROUTES_MAX */
    const struct ip_addr *dns;
    size_t dns_count;    /* at most CONFIG_SERVERS_MAX */
    const char *domains; /* "corp.example,lab.example": asked of these name servers; "": all or none, as the routes */
    bool grid;           /* the user reads the password from a grid; with EAP-GTC the gateway shows it to our client */
};

/* ---- what the gateway tells by handout.settings ---- */

/* As it comes over the control socket. */
struct handout_told {
    const char *server, *psk, *logins, *routes, *dns, *domain;
    bool grid;
};

struct handout_settings {
    char server[HANDOUT_TEXT_MAX], domains[HANDOUT_DOMAINS_MAX];
    struct secret psk;
    uint32_t logins;
    struct ip_prefix routes[CONFIG_ROUTES_MAX];
    size_t route_count;
    struct ip_addr dns[CONFIG_SERVERS_MAX];
    size_t dns_count;
    bool grid;
};

/* ERR_INVALID: it is not understood. The caller wipes *out. */
enum err handout_settings_read(const struct handout_told *told, struct handout_settings *out);
/* Fills what the gateway told; all of it is borrowed from the settings. Name, user and certificate are left alone. */
void handout_settings_fill(const struct handout_settings *settings, struct handout *h);

/* ---- files and steps ---- */

/* Writes the file for a device; comments and messages in it are in that language. ERR_INVALID: a value is none, or
 * the format cannot carry it; ERR_LIMIT: it does not fit. why is filled for both, in that language. */
enum err handout_write(const struct handout *h, enum handout_device device, enum handout_language language,
                       struct writer *w, char why[static HANDOUT_WHY_MAX]);

/* What a person does with that file, or, by hand, without it: "1. ...\n2. ...\n". Errors as above. By hand the key is
 * in clear among the steps. */
enum err handout_steps(const struct handout *h, enum handout_device device, bool by_hand,
                       enum handout_language language, struct writer *w, char why[static HANDOUT_WHY_MAX]);

/* "windows"; false when there is none of that word. */
const char *handout_word(enum handout_device device);
bool handout_find(const char *word, enum handout_device *out);
/* For people: "Windows 10 and 11". */
const char *handout_title(enum handout_device device, enum handout_language language);
const char *handout_media_type(enum handout_device device);
/* "Office.mobileconfig": of the name the letters and digits of ASCII and the signs - _; "vpn" when there are none.
 * Returns out. */
const char *handout_filename(const struct handout *h, enum handout_device device,
                             char out[static HANDOUT_FILENAME_MAX]);

/* ---- QR codes (ISO/IEC 18004), with the quiet zone around ---- */

/* In half blocks of UTF-8, a line for two rows. With colours each line says black on white by ANSI sequences, which is
 * right on dark and light terminals; without, black is the background, as on a dark terminal. ERR_LIMIT: too much to
 * say, or for w; ERR_NOMEM. */
enum err handout_qr_text(struct view what, bool colours, struct writer *w);
/* An <svg> element whose sides are the modules, black on white, with an id-free title for screen readers. */
enum err handout_qr_svg(struct view what, const char *title, struct writer *w);

#endif
