/*
 * A client's connection: one file in the syntax of sekisho.conf under the schema table of schema.def, which yields the
 * parser's types, ranges and defaults, the commented file that profile_write() makes, and the list in
 * sekisho-profile(5). nm.c reads NetworkManager's files of the same kind into it.
 *
 * profile_parse(), profile_write() and profile_import_nm() work on bytes alone. profile_load() and profile_secrets()
 * read files. profile_free() wipes.
 */
#ifndef SEKISHO_PROFILE_H
#define SEKISHO_PROFILE_H

#include "config/config.h"

#define PROFILE_DIRECTORY  "/etc/sekisho/client"       /* NAME.conf: the profile NAME */
#define PROFILE_NAME_MAX   64                          /* bytes of a profile's name with NUL */
#define PROFILE_SIZE_MAX   (64u * 1024)                /* bytes of a profile's file */
#define PROFILE_TEXT_MAX   256                         /* bytes of a text with NUL */
#define PROFILE_LIST_MAX   512                         /* bytes of a list of texts with NUL */
#define PROFILE_SECRET_MAX (2 * CONFIG_SECRET_MAX + 1) /* bytes of a secret as written (hex) with NUL */
#define PROFILE_BLOB_MAX   (256u * 1024)               /* bytes of a file with certificates */

/* What may stand in place of a list of networks, and of name servers: their `word`. */
enum profile_routes { PROFILE_ROUTES_LISTED, PROFILE_ROUTES_EVERYTHING, PROFILE_ROUTES_ASK, PROFILE_ROUTES_NONE };
enum profile_dns { PROFILE_DNS_LISTED, PROFILE_DNS_TUNNEL, PROFILE_DNS_OFF };

/* A secret: said in the file, or in a file of its own, which profile_secrets() reads into value. "": not given. */
struct profile_secret {
    char value[PROFILE_SECRET_MAX];
    char file[CONFIG_PATH_MAX];
};

/* A file with certificates or keys, and what profile_secrets() has read of it. */
struct profile_blob {
    char file[CONFIG_PATH_MAX]; /* "": not given */
    uint8_t *p;                 /* the profile's own; NULL when not given or not read yet */
    size_t n;
};

/* Texts that are "" were not given. Choices are texts of the words that the schema allows. */
struct profile {
    char server[PROFILE_TEXT_MAX]; /* a name or an address */
    char user[PROFILE_TEXT_MAX];
    struct profile_secret password;
    char password_command[PROFILE_LIST_MAX]; /* for /bin/sh; its first line is the password */
    struct profile_secret psk;
    char psk_encoding[8]; /* of psk, "text", "hex" or "base64" */
    struct secret key;    /* the pre-shared key in bytes, after profile_secrets(); n == 0: none */

    struct {
        struct profile_blob certificate;        /* PEM with all that belongs to it, or PKCS#12 */
        struct profile_blob key;                /* PEM, when the certificate's file has none */
        struct profile_secret password;         /* of either */
        struct profile_blob authorities;        /* PEM */
        char server_identity[PROFILE_TEXT_MAX]; /* "": the name in `server` */
        char revocation[8];                     /* "allow" or "refuse" */
    } certificate;

    struct {
        char policy[16];                 /* "modern", "compatible", "legacy" */
        char proposal[PROFILE_TEXT_MAX]; /* for phase 1; "": by policy */
        char esp[PROFILE_TEXT_MAX];      /* for phase 2 */
        char encapsulation[8];           /* "auto", "force", "off" */
        bool pfs;
        bool aggressive;
        char identity[PROFILE_TEXT_MAX];
        uint32_t lifetime, child_lifetime; /* seconds */
    } ike;

    struct {
        struct profile_secret secret; /* of tunnel authentication */
        bool hide;                    /* AVPs */
        char host_name[CONFIG_NAME_MAX];
    } l2tp;

    struct {
        char methods[PROFILE_LIST_MAX]; /* "mschapv2,eap-mschapv2": acceptable ones, the preferred first */
        bool answer_prompts;            /* the password answers what the server asks by EAP-GTC */
        uint32_t mtu;                   /* 0: found by probing */
        bool ipv6;
        struct ip_addr address; /* to ask for; family 0: any */
    } ppp;

    struct {
        struct config_prefixes routes; /* word: enum profile_routes */
        struct config_addrs dns;       /* word: enum profile_dns */
        char
            domains[PROFILE_LIST_MAX]; /* "corp.example,lab.example": asked of the tunnel's name servers; "": all are */
        bool no_leak;
        char interface[16]; /* "": one named after the profile */
    } net;

    struct {
        char stay[8];               /* "never", "up" (once it was up), "always" */
        char level[8];              /* of the log: "error", "warning", "info", "debug" */
        char user[CONFIG_NAME_MAX]; /* whom the engine becomes once all is open; "root": stays root */
    } run;
};

/* Parses text and checks it in itself. filename is for errors only. Files are named, not read. A profile without a
 * server is wrong; one without secrets is not. ERR_INVALID, ERR_NOMEM (error is filled for both). Give *out to
 * profile_free(). Not re-entrant, as config_parse(). */
enum err profile_parse(struct view text, const char *filename, struct profile **out, struct config_error *error);

/* Reads and parses a file. One with secrets in it that others may read is refused. ERR_SYSTEM, ERR_INVALID,
 * ERR_NOMEM. */
enum err profile_load(const char *filename, struct profile **out, struct config_error *error);
/* The same from a descriptor, to its end; the caller closes it. */
enum err profile_load_fd(int fd, const char *filename, struct profile **out, struct config_error *error);

/* Reads the files that the profile names: secrets, which then are as if they had stood in the profile, and
 * certificates; and, for secrets that it does not give, the files
 * psk, password, certificate-password and tunnel-secret in the directory `credentials` (systemd's
 * $CREDENTIALS_DIRECTORY; NULL: none), where they are there. filename is for errors. */
enum err profile_secrets(struct profile *profile, const char *credentials, const char *filename,
                         struct config_error *error);

/* Which secrets are still to be asked for, after profile_secrets(). */
#define PROFILE_NEEDS_PSK                  1u /* neither key nor certificate */
#define PROFILE_NEEDS_PASSWORD             2u /* the user's */
#define PROFILE_NEEDS_CERTIFICATE_PASSWORD 4u /* the private key is encrypted */
#define PROFILE_NEEDS_USER                 8u /* the user's name */
uint32_t profile_needs(const struct profile *profile);

/* Whether it can be a profile's name: up to 63 letters, digits and the signs - _ . and none of these signs but _ in
 * front. */
bool profile_name_good(const char *name);

/* Wipes; NULL-safe. */
void profile_free(struct profile *profile);

/* Sets one key, "user" or "net.routes", from a text as the file would have it (a list with commas), and checks the
 * whole when done with profile_check(). */
enum err profile_set(struct profile *profile, const char *key, const char *text, struct config_error *error);
enum err profile_check(const struct profile *profile, struct config_error *error);
/* The value of a key as profile_set() takes it, secrets in clear; "": not set, NULL: no such key. Returns out. */
const char *profile_get(const struct profile *profile, const char *key, char out[static SCHEMA_TEXT_MAX]);
/* Whether the key's value is a secret: not to be shown, nor to be taken from a command line. */
bool profile_key_secret(const char *key);
/* Wipes the secrets that stand in the profile itself. */
void profile_forget(struct profile *profile);
/* Everything by default; not right yet: the server is missing. NULL: out of memory. */
struct profile *profile_new(void);

/* Writes the profile as a commented file that profile_parse() reads back: all keys with their sentences, those that are
 * as by default with a number sign before them. ERR_LIMIT when it does not fit; PROFILE_SIZE_MAX does. */
enum err profile_write(const struct profile *profile, bool comments, struct writer *w);

/* The keys of the schema in order: "server", "ike.policy"; NULL at the end. Returns out. */
const char *profile_key(size_t i, char out[static CONFIG_NAME_MAX]);

/* ---- NetworkManager ---- */

/* What could not be carried over, a sentence each, with "\n" after each. */
#define PROFILE_NOTES_MAX 4096

/* Reads a .nmconnection of the plug-in NetworkManager-l2tp (keyfile format). ERR_INVALID with the sentence when it is
 * none, or when it has no server. */
enum err profile_import_nm(struct view text, const char *filename, struct profile **out,
                           char notes[static PROFILE_NOTES_MAX], struct config_error *error);

#endif
