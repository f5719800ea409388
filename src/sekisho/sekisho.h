/*
 * libsekisho: an L2TP/IPsec client as one object in the caller's own loop.
 *
 *   struct sekisho_options o;
 *   sekisho_options_init(&o);
 *   o.server = "vpn.example.net"; o.psk = "..."; o.psk_size = 3; o.user = "alice"; o.password = "...";
 *   struct sekisho *s = sekisho_new(&o, why, sizeof(why));
 *   sekisho_connect(s);
 *   for (;;) {
 *       poll(sekisho_fd(s), sekisho_timeout_ms(s));
 *       sekisho_run(s);
 *       while (sekisho_event(s, &event)) ...
 *   }
 *
 * One object belongs to one thread at a time; objects know nothing of each other, so a process may have thousands.
 * Nothing blocks: names are resolved and certificates are judged on short-lived threads of the library's own. It writes
 * no log, installs no signal handler and touches no interface, route or name server of the host: the events tell what
 * to set up.
 *
 * This header needs nothing but <stdint.h>. Functions that can fail return 0 or a negative number, which
 * sekisho_error_text() puts into words.
 */
#ifndef SEKISHO_SEKISHO_H
#define SEKISHO_SEKISHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SEKISHO_API __attribute__((visibility("default")))

struct sekisho;

/* When to connect again by itself, with growing pauses from 1 s to 60 s. */
enum sekisho_stay {
    SEKISHO_STAY_NEVER,   /* the first end is final */
    SEKISHO_STAY_ONCE_UP, /* after a connection that was up; but a wrong password or key is final */
    SEKISHO_STAY_ALWAYS,  /* whatever happens, with pauses of 60 s after what a person has to mend */
};

/* Text and bytes are copied by sekisho_new(); NULL: not given. */
struct sekisho_options {
    const char *server; /* a name or an address; needed */
    const char *local;  /* an address of this host to use and to bind to; NULL: the kernel's choice, every time anew */
    uint32_t mark;      /* SO_MARK of all sockets; 0: none. Needs CAP_NET_ADMIN */
    bool ports_free;    /* take source ports that the kernel chooses even where 500 and 4500 are free */
    bool raw_esp;       /* ESP without UDP where no NAT is on the way; needs CAP_NET_RAW, else it is as if false */
    enum sekisho_stay stay; /* ONCE_UP */

    /* Who the machines are: a pre-shared key, or a certificate. */
    const void *psk; /* any bytes */
    size_t psk_size;
    const void *certificate; /* PEM (certificate, its intermediates, private key) or PKCS#12 */
    size_t certificate_size;
    const void *private_key; /* PEM, when the certificate's file has none */
    size_t private_key_size;
    const char *certificate_password;
    const void *authorities; /* PEM: those that the server's certificate must lead to */
    size_t authorities_size;
    const char *server_identity; /* the name that the server's certificate must bear; NULL: `server` */
    const char *identity;   /* our ID payload: NULL: the address, or the certificate's subject. "@group" with PSK */
    const char *revocation; /* "allow" or "refuse" when nobody tells whether a certificate was revoked; NULL: allow */
    bool aggressive;        /* aggressive mode: weaker, for servers that take nothing else */

    /* IKE and ESP */
    const char *policy;        /* "modern", "compatible" (NULL), "legacy" */
    const char *ike_proposal;  /* "aes256-sha1-modp2048,..."; NULL: by policy */
    const char *esp_proposal;  /* "aes256-sha1,aes128gcm16"; NULL: by policy */
    const char *encapsulation; /* "auto" (NULL), "force", "off" */
    bool pfs;
    uint32_t ike_lifetime, esp_lifetime; /* seconds; 0: 28800 and 3600 */

    /* L2TP */
    const char *tunnel_secret; /* tunnel authentication; NULL: none */
    bool hide_avps;            /* needs the secret */
    const char *host_name;     /* NULL: this host's name */

    /* PPP */
    const char *user;
    const char *password;
    const char *methods; /* "mschapv2,chap-md5" (NULL); also "pap", "eap-tls", ... in the order of preference */
    /* What the server asks by EAP-GTC comes as SEKISHO_PROMPT; else the password answers it. What was typed at a grid
     * is kept in memory, and answers once when the connection comes back, as long as the server says that it takes it.
     */
    bool ask_prompts;
    bool ipv6;
    uint16_t mtu;        /* of the tunnel; 0: what the path carries */
    bool ask_routes;     /* ask the server for routes and domain by DHCPINFORM */
    const char *address; /* inner address to ask for; NULL: any */

    /* Packets: through a TUN device of the caller's (IFF_TUN | IFF_NO_PI, with IFF_VNET_HDR or without; the descriptor
     * is duplicated), or, with -1, through sekisho_write() and sekisho_read(). */
    int tun;
    uint32_t probe_ms;  /* of silence, after which the server is asked whether it is there; 0: 8000 */
    bool quiet_network; /* do not watch the host's addresses: sekisho_network_changed() will tell */
};

/* All of it unset, and the values said above. */
SEKISHO_API void sekisho_options_init(struct sekisho_options *out);

/* Opens the sockets, so the process may give up its rights afterwards. NULL: `why` tells in a sentence. */
SEKISHO_API struct sekisho *sekisho_new(const struct sekisho_options *options, char *why, size_t cap);
/* Without goodbye unless sekisho_disconnect() came first; wipes secrets. Takes NULL. */
SEKISHO_API void sekisho_free(struct sekisho *s);

SEKISHO_API const char *sekisho_error_text(int error);

/* ---- the caller's loop ---- */

/* The one descriptor: readable when sekisho_run() has work. It stays the object's. */
SEKISHO_API int sekisho_fd(const struct sekisho *s);
/* Milliseconds until sekisho_run() is due even if nothing is readable; -1: never; 0: now. */
SEKISHO_API int sekisho_timeout_ms(const struct sekisho *s);
/* Does what is due, without waiting. Negative: the kernel refuses to wait on descriptors, nothing more will come. */
SEKISHO_API int sekisho_run(struct sekisho *s);

/* ---- verbs ---- */

/* Begins. Negative when it has begun already. */
SEKISHO_API int sekisho_connect(struct sekisho *s);
/* Says goodbye on every layer and ends: SEKISHO_ENDED follows at once. Harmless when nothing is there. */
SEKISHO_API void sekisho_disconnect(struct sekisho *s);
/* What the user typed at SEKISHO_PROMPT; copied. Negative: nothing is asked any more. */
SEKISHO_API int sekisho_answer(struct sekisho *s, const char *text);
/* The host's addresses or routes have changed: goes on from the new address, or connects anew. */
SEKISHO_API void sekisho_network_changed(struct sekisho *s);
/* One IP packet into the tunnel, when there is no TUN. Negative: it was not taken (not up, too large). */
SEKISHO_API int sekisho_write(struct sekisho *s, const void *packet, size_t size);
/* The next IP packet out of the tunnel: its size, 0 when there is none. A packet larger than cap is cut to it. At most
 * 256 wait; later ones are lost. */
SEKISHO_API size_t sekisho_read(struct sekisho *s, void *out, size_t cap);

/* ---- events ---- */

#define SEKISHO_TEXT        256 /* bytes of a sentence with NUL */
#define SEKISHO_PROMPT_TEXT 512 /* bytes of a server's question with NUL */
#define SEKISHO_CELLS_MAX   100
#define SEKISHO_ADDRESS     46 /* bytes of an address as text with NUL */
#define SEKISHO_DNS_MAX     4
#define SEKISHO_ROUTES_MAX  64

struct sekisho_route {
    char to[SEKISHO_ADDRESS];
    uint8_t bits;
    char via[SEKISHO_ADDRESS]; /* "": the tunnel itself */
};

/* What the interface is to be given. */
struct sekisho_network {
    char address[SEKISHO_ADDRESS], peer[SEKISHO_ADDRESS]; /* inner, ours and the server's */
    char address6[SEKISHO_ADDRESS];                       /* link-local, or "" */
    char dns[SEKISHO_DNS_MAX][SEKISHO_ADDRESS];           /* dns_count of them */
    char wins[2][SEKISHO_ADDRESS];
    uint32_t dns_count, wins_count, route_count;
    struct sekisho_route routes[SEKISHO_ROUTES_MAX]; /* told by the server; DHCP option 249 or 121 */
    char domain[SEKISHO_TEXT];
    uint16_t mtu;
    char server[SEKISHO_ADDRESS]; /* outer address of the server: must not be routed into the tunnel */
    uint16_t server_port;
};

/* A grid that a server shows in its question; no cells: there is none. Blocks stand side by side. */
struct sekisho_grid {
    uint32_t blocks, rows, columns;
    uint32_t number;                   /* to tell it from others; may be typed in front of the answer */
    uint32_t seconds;                  /* that it is good */
    char cells[SEKISHO_CELLS_MAX + 1]; /* block after block, row after row */
};

enum sekisho_event_type {
    SEKISHO_STEP,   /* a step was reached: stage, sentence, detail */
    SEKISHO_PROMPT, /* with ask_prompts: the server asks `detail`, below `grid`; sekisho_answer() within 3 minutes */
    SEKISHO_UP,     /* network: packets pass now. Again when it changed while up */
    SEKISHO_LOST,   /* it was up or was tried, and is tried again in retry_ms: cause, why, cure */
    SEKISHO_FAILED, /* final: stage, cause, why, cure. SEKISHO_ENDED follows */
    SEKISHO_ENDED,  /* nothing more will come until sekisho_connect() */
};

struct sekisho_event {
    enum sekisho_event_type type;
    uint64_t at_ms;            /* since sekisho_connect() */
    const char *stage;         /* a word: "ike-1", ...; see `sekisho explain`. Never NULL */
    const char *sentence;      /* what that stage is */
    const char *cause;         /* a word: "wrong-psk"; "" when nothing is wrong */
    char detail[SEKISHO_TEXT]; /* of this case: transforms, a server's own words; printable */
    const char *why, *cure;    /* sentences for the cause */
    int status;        /* FAILED: what a program does well to exit with; each number stands for a kind of cause */
    uint32_t retry_ms; /* LOST */
    uint32_t attempt;  /* counts from 1 */
    struct sekisho_network network; /* UP; of a STEP that begins an attempt, only whom it is for: `server` */
    uint32_t round; /* PROMPT: how often it was asked in this attempt, from 1; 2: the answer was wrong */
    char prompt[SEKISHO_PROMPT_TEXT]; /* PROMPT: all that the server says, printable lines, with the grid's */
    struct sekisho_grid grid;         /* PROMPT */
};

/* The next event; false: none is left. The texts pointed to live as long as the library. */
SEKISHO_API bool sekisho_event(struct sekisho *s, struct sekisho_event *out);

/* ---- looking in ---- */

enum sekisho_state { SEKISHO_IDLE, SEKISHO_CONNECTING, SEKISHO_CONNECTED, SEKISHO_WAITING };

struct sekisho_status {
    enum sekisho_state state;
    uint32_t attempts;                                     /* since sekisho_connect() */
    uint32_t ups;                                          /* of these, how many came up */
    uint64_t up_ms;                                        /* how long it has been up; 0 when it is not */
    uint32_t retry_ms;                                     /* WAITING: until the next attempt */
    uint64_t in_packets, in_bytes, out_packets, out_bytes; /* inner, since sekisho_connect() */
    const char *stage;                                     /* of the attempt, or of the one that failed last */
    const char *cause;                                     /* what went wrong last; "" */
    char detail[SEKISHO_TEXT];
    char server_address[64], local_address[64]; /* outer, with ports */
    char ike[64], esp[64];                      /* transforms */
    char machine_auth[16];                      /* "psk" or "certificate" */
    char auth[16];                              /* how the user logged in: "mschapv2" */
    char server_name[128];                      /* IKE identity, or subject of the certificate */
    char server_host[64];                       /* L2TP host name */
    bool encapsulated;                          /* ESP in UDP */
    bool nat_here, nat_there;
    struct sekisho_network network; /* the last one */
};
SEKISHO_API void sekisho_status(const struct sekisho *s, struct sekisho_status *out);

#ifdef __cplusplus
}
#endif

#endif
