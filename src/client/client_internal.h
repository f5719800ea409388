/*
 * The engine: one connection of this host. A profile, or options, become libsekisho's options and wishes about the
 * host; the steward makes the host so; everything that happens goes to the log and to the control socket.
 */
#ifndef SEKISHO_CLIENT_INTERNAL_H
#define SEKISHO_CLIENT_INTERNAL_H

#include "control/control.h"
#include "net/net.h"
#include "sekisho/sekisho.h"
#include "steward/steward.h"

/* What happened, and what is drawn with it. */
struct told {
    struct ctl_progress progress;
    struct ctl_grid grid; /* no cells: none */
};

#define CLIENT_TOLD_MAX 64 /* steps of the attempt under way that latecomers to the control socket are told */

/* Exit statuses that no cause has; see base/exits.def. */
#define EXIT_OK          0
#define EXIT_OTHER       1
#define EXIT_USAGE       2
#define EXIT_INTERRUPTED 22
#define EXIT_RIGHTS      23

/* What the host is to be given, beside what the server tells. */
struct wishes {
    struct steward_prefix routes[STEWARD_ROUTES];
    size_t route_count;
    bool everything; /* all traffic */
    bool told;       /* the networks that the server tells */
    bool leave_ipv6;
    struct ip_addr dns[STEWARD_DNS];
    size_t dns_count;
    bool dns_of_tunnel;
    char domains[STEWARD_DOMAINS][STEWARD_DOMAIN];
    size_t domain_count;
    bool no_leak;
};

/* All borrowed from the command line or the profile. */
struct client_options {
    char name[STEWARD_NAME_MAX]; /* of the connection */
    char iface[IFACE_NAME_MAX];  /* "": one named after the connection */
    const char *user;            /* whom to become; "root": nobody else */
    const char *server_text;     /* as the profile has it */
    const char *log_level;       /* "error", "warning"; else, or NULL: everything */
    char address[IP_TEXT_MAX];   /* the inner one to ask for, that `connection` borrows */
    struct sekisho_options connection;
    struct wishes wishes;
    bool json;               /* the log */
    const char *log_file;    /* NULL: standard error is as it was found */
    bool control;            /* listens on the control socket */
    int ready_fd;            /* -1: nobody waits there */
    struct steward *steward; /* forked before any secret was read; client_run() ends it */
};

/* Connects and carries packets until a signal, a request or the end. Returns the exit status. */
int client_run(const struct client_options *options);

/* Writes the line to whoever started us and waits at ready_fd, and closes that. Takes the line. */
void client_tell_starter(const struct client_options *options, char *line);

/* ---- profile.c ---- */

struct profile;

/* What a profile says, as options. They borrow from it. False: `why` tells. */
bool client_take_profile(const struct profile *profile, struct client_options *out, char *why, size_t cap);

/* ---- the engine ---- */

struct engine {
    const struct client_options *options;
    struct loop *loop;
    struct tun *tun;
    struct steward *steward;
    struct sekisho *sekisho;
    struct control *control;
    int signals;
    int status;                /* the exit status so far */
    usec_t begin_at;           /* the first attempt; earlier when somebody listens; USEC_NEVER: it has begun */
    bool ending;               /* the loop is about to stop */
    struct steward_plan plan;  /* of the last UP; before it, of the guard alone */
    bool applied;              /* the host is as planned */
    bool lookups;              /* but for its name servers: its own are asked, to find the server by its name */
    char unasked[STEWARD_WHY]; /* why they cannot be asked; "" */
    char problem[STEWARD_WHY]; /* why the host could not be made so; "" */
    int64_t up_since;          /* wall clock; 0: it is not up */
    int64_t retry_at;
    struct told told[CLIENT_TOLD_MAX];
    size_t told_count;
    usec_t rated_at; /* when the bytes were counted last, for the rates */
    uint64_t rated_in, rated_out, rate_in, rate_out;
};

/* host.c: the plan for the steward, from what the server tells and what is wished. */
void host_plan(const struct wishes *wishes, const struct sekisho_network *network, struct steward_plan *out);
/* Before the first packet: nothing leaves any more but ours, when that is wished. */
bool host_guard(struct engine *engine, char *why, size_t cap);
/* Makes the host once more as it is planned: what another program has swept away stands again. lookups: its own name
 * servers, those of this moment, are asked beside the tunnel for the server's name. */
void host_again(struct engine *engine, bool lookups);
/* The server is asked at this address now. */
void host_try(struct engine *engine, const char *server);

/* follow.c: tells the log, the control socket and systemd what happens. */
void follow(struct engine *engine, const struct sekisho_event *event);
json_t *follow_json(const struct told *told);
void follow_say(const struct engine *engine, const char *type, const char *text);

/* log.c: the log in a file, to which standard output and standard error go from then on. */
bool log_open(const char *file, char *why, size_t cap);
void log_stamp(void); /* the time in front of a line */
void log_trim(void);  /* after lines: drops the oldest when they are too many */

/* answer.c */
char *client_answer(void *engine, const struct ctl_request *request, struct control_asked *asked);
/* Begins with the first attempt, unless that is done. */
void client_begin(struct engine *engine);
/* Ends the connection and undoes everything; the loop stops. */
void client_end(struct engine *engine);

#endif
