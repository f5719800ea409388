/*
 * The control socket of a daemon: connections, lines in, lines out. What a request means is the daemon's: a function
 * that turns it into a reply. One thread's own, in that thread's loop.
 */
#ifndef SEKISHO_CONTROL_H
#define SEKISHO_CONTROL_H

#include "ctl/ctl.h"
#include "net/net.h"

struct control;

/* One request, beside its text. */
struct control_asked {
    uint64_t ticket; /* in: its name, never 0 and never used twice */
    bool subscribe;  /* out: this connection is told every event from now on */
    bool later;      /* out: the reply comes by control_reply(); what answer() returns is not looked at */
};

struct control_config {
    struct loop *loop; /* must outlive the control */
    const char *path;  /* of the socket */
    const char *group; /* whose members may ask, too; NULL, "" or unknown: root and own_uid alone */
    uint32_t own_uid;
    const char *refusal; /* the sentence for all others; borrowed */
    /* The reply's line, which is taken. May call control_tell(). */
    char *(*answer)(void *ctx, const struct ctl_request *request, struct control_asked *asked);
    /* One more connection is told events, or one fewer; NULL: nobody wants to know. */
    void (*listeners)(void *ctx, int change);
    void *ctx;
};

/* Replaces a stale socket. NULL: why has the rest of a sentence. */
struct control *control_new(const struct control_config *config, char *why, size_t cap);
void control_free(struct control *control);
/* The reply to a request that was to be answered later; line is taken, and thrown away when who asked is gone. A
 * connection is not read from while it waits. */
void control_reply(struct control *control, uint64_t ticket, char *line);
/* Sends a line, as ctl_event_line() makes it, to everyone who asked for events. */
void control_tell(struct control *control, const char *line);

#endif
