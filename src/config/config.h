/*
 * The gateway's configuration: one file in libconfuse syntax under the schema table of schema.def, which yields the
 * parser's types, ranges and defaults, the commented example file, and the list in sekisho.conf(5).
 *
 * config_parse() works on bytes alone. config_load() is the thin loader around it: it reads the file, the secrets it
 * names, and the host's name servers. A struct config is not changed once built.
 */
#ifndef SEKISHO_CONFIG_H
#define SEKISHO_CONFIG_H

#include "wire/wire.h"

#define CONFIG_DEFAULT_FILE "/etc/sekisho/sekisho.conf"

#define CONFIG_SIZE_MAX           (256u * 1024) /* bytes of a configuration file */
#define CONFIG_NAME_MAX           64            /* bytes of a name with NUL */
#define CONFIG_PATH_MAX           256
#define CONFIG_LISTEN_MAX         16
#define CONFIG_PSK_MAX            64
#define CONFIG_CERTIFICATE_MAX    8
#define CONFIG_AUTHORITY_MAX      16
#define CONFIG_POOL_MAX           16
#define CONFIG_ROUTES_MAX         32         /* networks told to clients: what one DHCP option holds */
#define CONFIG_RANGE_MAX          16         /* ranges of one pool */
#define CONFIG_POOL_ADDRESSES_MAX (1u << 20) /* addresses of one range */
#define CONFIG_SERVERS_MAX        2          /* DNS or WINS servers: IPCP carries two (RFC 1877) */
#define CONFIG_SECRET_MIN         1          /* bytes of a pre-shared key or tunnel secret */
#define CONFIG_SECRET_MAX         256

struct ip_prefix {
    struct ip_addr addr;
    uint8_t bits;
};

struct config_prefixes {
    struct ip_prefix prefix[CONFIG_ROUTES_MAX];
    uint32_t count;
    uint32_t word; /* the n-th, from 1, of the words that may stand in place of a list; 0: a list */
};

/* In the order of ike.h's enum ike_policy and ike_encap, and of ppp.h's enum ppp_auth; the gateway translates. */
enum config_policy { CONFIG_POLICY_MODERN, CONFIG_POLICY_COMPATIBLE, CONFIG_POLICY_LEGACY };
enum config_encap { CONFIG_ENCAP_AUTO, CONFIG_ENCAP_FORCE, CONFIG_ENCAP_OFF };
enum config_auth {
    CONFIG_AUTH_NONE,
    CONFIG_AUTH_MSCHAPV2,
    CONFIG_AUTH_CHAP_MD5,
    CONFIG_AUTH_PAP,
    CONFIG_AUTH_EAP_MSCHAPV2,
    CONFIG_AUTH_EAP_MD5,
    CONFIG_AUTH_EAP_GTC,
    CONFIG_AUTH_EAP_TLS,
    CONFIG_AUTH_COUNT
};
enum config_revocation { CONFIG_REVOCATION_OFF, CONFIG_REVOCATION_CRL, CONFIG_REVOCATION_OCSP, CONFIG_REVOCATION_ANY };
enum config_silent { CONFIG_SILENT_ALLOW, CONFIG_SILENT_REFUSE };
enum config_totp { CONFIG_TOTP_OFF, CONFIG_TOTP_ALTERNATIVE, CONFIG_TOTP_SECOND };
enum config_log_format { CONFIG_LOG_TEXT, CONFIG_LOG_JSON };
enum config_log_level { CONFIG_LOG_ERROR, CONFIG_LOG_WARNING, CONFIG_LOG_INFO, CONFIG_LOG_DEBUG };

/* A list of addresses; count 0: not given. */
struct config_addrs {
    struct ip_addr addr[CONFIG_LISTEN_MAX];
    uint32_t count;
    uint32_t word; /* as above */
};

/* The ways to log in, best first, ended by CONFIG_AUTH_NONE. */
struct config_auths {
    uint32_t method[CONFIG_AUTH_COUNT]; /* enum config_auth */
};

/* IPv4 addresses from first to last, both inclusive, in host order. */
struct config_range {
    uint32_t first, last;
};

struct config_ranges {
    struct config_range range[CONFIG_RANGE_MAX];
    uint32_t count;
};

/* A file of at most so many bytes, or what a descriptor has until its end. */
struct config_file {
    char *text; /* for config_file_done(), whatever the outcome */
    size_t n;
    bool shared; /* others than owner and group may read it */
};

/* How the gateway proves itself. */
struct config_certificate {
    char name[CONFIG_NAME_MAX];
    char file[CONFIG_PATH_MAX], key_file[CONFIG_PATH_MAX], password_file[CONFIG_PATH_MAX]; /* "": none */
    struct config_file content, key;                                                       /* after config_load() */
    struct secret password;                                                                /* likewise; n == 0: none */
    uint32_t line;
};

/* Whose certificates clients may use. */
struct config_authority {
    char name[CONFIG_NAME_MAX];
    char file[CONFIG_PATH_MAX], crl_file[CONFIG_PATH_MAX];
    struct config_file content, crl; /* after config_load() */
    uint32_t line;
};

struct config_psk {
    char name[CONFIG_NAME_MAX];
    char file[CONFIG_PATH_MAX];         /* "": the secret stands in the configuration itself */
    char secret[CONFIG_SECRET_MAX + 1]; /* as written inline; "" when it is in a file */
    struct ip_addr peer;                /* family 0: from any address */
    struct secret key;                  /* the key itself: after config_parse() when inline, else after config_load() */
    uint32_t line;                      /* where it was said; 0: by default */
};

struct config_pool {
    char name[CONFIG_NAME_MAX];
    struct config_ranges ranges;   /* sorted, apart from each other and from those of all other pools */
    struct ip_addr gateway;        /* our inner address: always set, never inside a range */
    struct config_addrs dns, wins; /* at most CONFIG_SERVERS_MAX each; dns is filled from config.dns when not given */
    uint32_t line;
};

/* Of logins by a pattern, and by one-time codes. The shape is one that grid.h takes. */
struct config_grid {
    bool enabled;
    uint32_t blocks, rows, columns;
    char alphabet[33];
    uint32_t life; /* of a grid */
    uint32_t least, in_blocks;
    bool repeats;
    uint32_t phrase_least; /* bytes */
    bool bind, strangers;
    uint32_t per_source; /* grids an hour */
    uint32_t totp;       /* enum config_totp */
    uint32_t reconnect, reconnect_longest;
    uint32_t lock_sources; /* 0: never */
    uint32_t exposed;      /* logins; 0: never */
};

/* Durations are in seconds. */
struct config {
    struct config_addrs listen; /* count 0: all addresses of the host */
    uint32_t shards;            /* 0: one a core */
    struct config_addrs dns;    /* for pools that name none; config_load() fills it from the host when not given */

    struct {
        uint32_t policy;         /* enum config_policy */
        uint32_t encapsulation;  /* enum config_encap */
        uint32_t lifetime;       /* of an IKE SA */
        uint32_t child_lifetime; /* of an ESP SA */
        uint32_t dpd_interval;   /* 0: never */
        uint32_t dpd_timeout;
        char psk_file[CONFIG_PATH_MAX]; /* has become a psk named "default" when there is no psk section */
        uint32_t revocation;            /* enum config_revocation */
        uint32_t revocation_silent;     /* enum config_silent */
    } ike;

    struct config_psk *psks;
    size_t psk_count; /* at least 1 where there is no certificate */
    struct config_certificate *certificates;
    size_t certificate_count; /* 0, or there is an authority too */
    struct config_authority *authorities;
    size_t authority_count;

    /* For the whole gateway: each shard gets its part. */
    struct {
        uint32_t half_open, half_open_per_source;
        uint32_t sas, tunnels, sessions;
        uint32_t sessions_per_user; /* for users without a limit of their own; 0: none */
    } limits;

    struct {
        char host_name[CONFIG_NAME_MAX];
        char secret_file[CONFIG_PATH_MAX];
        struct secret secret; /* after config_load(); n == 0: no tunnel authentication */
        uint32_t window;
        uint32_t hello;   /* 0: never */
        bool allow_plain; /* L2TP without IPsec is served: for trials only */
    } l2tp;

    struct {
        struct config_auths auth;
        uint32_t mru, mtu;
        bool ipv6;
        uint32_t echo_interval; /* 0: never */
        uint32_t echo_failures;
        uint32_t auth_timeout;
    } ppp;

    struct config_pool *pools;
    size_t pool_count; /* at least 1 */

    struct {
        char tun[16];
        bool masquerade;                  /* the pools' packets leave with the host's address */
        struct config_prefixes routes;    /* IPv4; told to clients that ask by DHCPINFORM */
        char domain[CONFIG_NAME_MAX];     /* likewise; "": none */
        char server[CONFIG_NAME_MAX * 2]; /* the name by which clients reach us; "": not known */
        char outside[16];                 /* interface to masquerade on; "": whichever the packet leaves by */
    } net;

    struct {
        char database[CONFIG_PATH_MAX];
        char key_file[CONFIG_PATH_MAX];
    } users;

    struct config_grid grid;

    struct {
        char socket[CONFIG_PATH_MAX];
        char group[CONFIG_NAME_MAX]; /* whose members may use the socket; "": root and the gateway's user only */
    } control;

    /* Of sekisho-portal; the gateway itself takes only the URL, for links. */
    struct {
        struct ip_addr listen; /* family 0: all addresses */
        uint32_t port;
        char url[CONFIG_PATH_MAX];         /* "https://vpn.example.com", without a slash at its end; "": not known */
        char certificate[CONFIG_PATH_MAX]; /* with its key, unless there is a key_file */
        char key_file[CONFIG_PATH_MAX];    /* "": none */
        uint32_t idle, longest;            /* of a login */
        bool api;                          /* JSON for programs */
        char user[CONFIG_NAME_MAX];
        char group[CONFIG_NAME_MAX]; /* "": control.group */
    } portal;

    struct {
        struct ip_addr listen; /* family 0: off */
        uint32_t port;
    } metrics;

    struct {
        uint32_t format; /* enum config_log_format */
        uint32_t level;  /* enum config_log_level */
    } log;

    struct {
        char user[CONFIG_NAME_MAX];  /* "": stay who we are */
        char group[CONFIG_NAME_MAX]; /* "": the user's own group */
    } run;
};

/* What is wrong, in one plain sentence that also says what would be right. */
struct config_error {
    char file[CONFIG_PATH_MAX];
    uint32_t line;                 /* 0: no single line is to blame */
    char key[CONFIG_NAME_MAX * 2]; /* "ike.policy", "pool \"home\".range"; "": no single key */
    char sentence[256];
    struct telling told; /* the same for other languages, with its place when config_error_place() has put it in */
};

#define CONFIG_ERROR_TEXT_MAX 704
/* "FILE:LINE: KEY" into error->told.place, without the parts that are not there. */
void config_error_place(struct config_error *error);
/* "FILE:LINE: KEY: SENTENCE" without the parts that are not there; returns out. */
const char *config_error_text(const struct config_error *e, char out[static CONFIG_ERROR_TEXT_MAX]);

/* Parses text and checks it in itself. filename is for errors only. Secrets in files are named, not read.
 * ERR_INVALID, ERR_NOMEM (err is filled for both). Give *out to config_free(). Not re-entrant: libconfuse's scanner
 * is one a process. */
enum err config_parse(struct view text, const char *filename, struct config **out, struct config_error *error);

/* Reads the file, parses it, then reads the secrets it names. Refuses files with secrets that others may read.
 * ERR_SYSTEM, ERR_INVALID, ERR_NOMEM. */
enum err config_load(const char *filename, struct config **out, struct config_error *error);

/* Wipes the secrets; NULL-safe. */
void config_free(struct config *config);

/* Whether the pools collide with networks that the host has on its own interfaces. ERR_EXISTS with the sentence. */
enum err config_check_host(const struct config *config, const char *filename, const struct ip_prefix *local, size_t n,
                           struct config_error *error);

/* The fewest prefixes that hold exactly this range, for routes. At most CONFIG_PREFIXES_MAX; returns their number. */
#define CONFIG_PREFIXES_MAX 62
size_t config_range_prefixes(const struct config_range *range, struct ip_prefix out[static CONFIG_PREFIXES_MAX]);

/* Name servers in the text of a resolv.conf(5) that a client could use: no loopback, no link-local. */
uint32_t config_resolv_parse(struct view text, struct ip_addr out[static CONFIG_SERVERS_MAX]);

/* Writes the fully commented example file, all defaults in place. ERR_LIMIT when it does not fit; 32 KB do. */
enum err config_example(struct writer *w);

/* The keys of the schema in order: "listen", "ike.policy", "pool.range"; NULL at the end. */
const char *config_key(size_t i);

/* ---- one syntax, several schemas ---- */

/* What a value is, and the type of its field. */
enum schema_kind {
    KIND_FLAG,      /* bool */
    KIND_NUMBER,    /* uint32_t */
    KIND_SECONDS,   /* uint32_t */
    KIND_WORD,      /* uint32_t: the word's place */
    KIND_CHOICE,    /* char[max + 1]: the word */
    KIND_NAME,      /* char[max + 1]: letters, digits, - _ . @ */
    KIND_TEXT,      /* char[max + 1]: any printable */
    KIND_PATH,      /* char[max + 1] */
    KIND_SECRET,    /* char[max + 1] */
    KIND_ADDRESS,   /* struct ip_addr */
    KIND_ADDRESSES, /* struct config_addrs */
    KIND_RANGES,    /* struct config_ranges */
    KIND_PREFIXES,  /* struct config_prefixes */
    KIND_AUTHS,     /* struct config_auths */
    KIND_CHOICES,   /* char[max + 1]: words, a comma between, each once */
    KIND_NAMES,     /* char[max + 1]: names, a comma between, each once */
};

struct schema_section {
    const char *word; /* "" for what stands at the top, which is section 0 */
    bool titled;      /* there may be several, each under a name: only the gateway's own */
    const char *sentence;
};

struct schema_key {
    unsigned section;
    const char *word;
    enum schema_kind kind;
    size_t offset; /* of the field in the struct that the section fills */
    uint64_t min, max;
    const char *words;    /* the choices with blanks between; of a list: what may stand in its place */
    const char *fallback; /* as in a file; "": none */
    const char *sentence;
};

#define SCHEMA_SECTIONS_MAX 24

struct schema {
    const struct schema_section *sections;
    const struct schema_key *keys;
    size_t section_count, key_count;
    const char *page; /* which manual page lists the keys */
};

/* Fills base by a schema without titled sections: fallbacks, then what the text says. The file of the error is the
 * caller's to set. ERR_INVALID, ERR_NOMEM; base then has something of both. Not re-entrant, as config_parse(). */
enum err schema_parse(const struct schema *schema, struct view text, void *base, struct config_error *error);
void schema_fallbacks(const struct schema *schema, void *base);
/* Sets one key, "user" or "ike.policy", to a text: as in a file but without quotes, a list with commas. */
enum err schema_set(const struct schema *schema, const char *key, const char *text, void *base,
                    struct config_error *error);
/* The value of a key as a text in the form that schema_set() takes; "" when it is not set, NULL when there is no such
 * key. Returns out, which has secrets in clear. */
#define SCHEMA_TEXT_MAX 4096
const char *schema_get(const struct schema *schema, const char *key, const void *base,
                       char out[static SCHEMA_TEXT_MAX]);
/* Writes base in the syntax, keys whose value is the fallback with a number sign before them. With comments every key
 * has its sentence; without, only what differs is written. ERR_LIMIT when it does not fit. */
enum err schema_write(const struct schema *schema, const void *base, bool comments, struct writer *w);
/* The line on which a text that parses says a key; 0 when it does not. For checks that come after. */
uint32_t schema_line(const struct schema *schema, struct view text, const char *key);
/* The key of that name; NULL when there is none. */
const struct schema_key *schema_find(const struct schema *schema, const char *key);
/* "ike.policy"; returns out. */
const char *schema_key_name(const struct schema *schema, const struct schema_key *key,
                            char out[static CONFIG_NAME_MAX]);

/* Copies text with everything unprintable as '?', cut to fit; returns out. */
const char *config_printable(const char *text, char *out, size_t cap);
/* Fills all of the error but its file, and returns ERR_INVALID. */
enum err config_tell(struct config_error *e, uint32_t line, const char *key, const char *word, const char *text, ...)
    __attribute__((format(printf, 5, 6)));
/* The same with a sentence that is told in English alone. */
enum err config_fail(struct config_error *e, uint32_t line, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* ERR_SYSTEM, ERR_INVALID (no regular file), ERR_LIMIT, ERR_NOMEM; the error is filled for all, ERR_LIMIT told as
 * ERR_INVALID. */
enum err config_file_read(const char *path, size_t max, uint32_t line, const char *key, struct config_file *out,
                          struct config_error *e);
enum err config_file_read_fd(int fd, size_t max, struct config_file *out, struct config_error *e);
void config_file_done(struct config_file *f); /* wipes */
/* The secret in a file's text: without one line end behind, of `most` bytes at most (SECRET_MAX). ERR_INVALID with the
 * sentence. */
enum err config_secret(struct view text, size_t most, struct secret *out, uint32_t line, const char *key,
                       struct config_error *e);

#endif
