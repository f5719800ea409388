/* The steps of a script, one after the other; see replay.h for the language. */
#include "tests/replay/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS_MAX 8
#define IKE_HEADER  28

struct replay {
    struct gateway gateway;
    struct client clients[CLIENTS_MAX];
    size_t clients_n;
    struct client *speaking;
    const char *path; /* of the script being run */
    size_t steps;
};

static struct client *speaking(struct replay *r)
{
    wanted(r->speaking != NULL, "a client first");
    return r->speaking;
}

static void read_pattern(struct replay *r, struct pattern *p, const struct step *s, size_t words, bool wild)
{
    static char text[2 * BYTES_MAX];
    step_bytes(s, words, text, sizeof(text));
    pattern_read(p, speaking(r), text, wild, 0);
}

/* ---- SEND ---- */

static void send_raw(struct replay *r, const struct step *s, bool plain)
{
    static struct pattern p;
    struct client *c = speaking(r);
    read_pattern(r, &p, s, 2, false);
    if (step_number(s, "size", (uint32_t)p.n) != p.n)
        broken("the datagram has %zu bytes", p.n);
    const struct path path = plain ? client_path_plain(c) : client_path_ike(c);
    /* A first message given as a whole: its SA payload counts in HASH_I. */
    if (!plain && c->current && c->current->sa_n == 0 && p.n > IKE_HEADER && p.bytes[17] == 0x10) {
        struct chain chain;
        chain_read(&chain, p.bytes[16], view_of(p.bytes + IKE_HEADER, p.n - IKE_HEADER));
        ike_keys_learn(c->current, secret_view(&c->psk), &chain, true);
    }
    client_send_bytes(c, &path, p.bytes, p.n);
}

static void step_send(struct replay *r, const struct step *s)
{
    char what[WORD_MAX];
    uint8_t exchange;
    struct client *c = speaking(r);
    wanted(step_word(s, 1, what), "what to send");
    if (message_exchange(what, &exchange))
        message_send(c, s, exchange);
    else if (strcmp(what, "raw") == 0 || strcmp(what, "plain") == 0)
        send_raw(r, s, strcmp(what, "plain") == 0);
    else if (strcmp(what, "l2tp") == 0)
        carry_send(c, s, NULL);
    else if (strcmp(what, "ppp") == 0)
        carry_send(c, s, c->frames_sent);
    else if (strcmp(what, "again") == 0)
        client_send_bytes(c, &c->last_path, c->last, c->last_n);
    else
        broken("'%s' cannot be sent", what);
}

/* ---- EXPECT ---- */

static void expect_raw(struct replay *r, const struct step *s, bool plain)
{
    static struct pattern p;
    struct client *c = speaking(r);
    const struct path path = plain ? client_path_plain(c) : client_path_ike(c);
    const struct view came = client_hear(c, &path);
    read_pattern(r, &p, s, 2, true);
    pattern_match(&p, c, "the datagram", came);
}

static void expect_again(struct replay *r)
{
    struct client *c = speaking(r);
    static uint8_t before[BYTES_MAX];
    const size_t n = c->heard_n;
    memcpy(before, c->heard, n);
    wanted(view_equal(client_hear(c, NULL), view_of(before, n)), "the same datagram again");
}

static void expect_tun(struct replay *r, const struct step *s)
{
    static struct pattern p;
    struct sent *frame = r->gateway.frames;
    wanted(frame != NULL, "a packet for the inner network");
    read_pattern(r, &p, s, 2, true);
    pattern_match(&p, speaking(r), "the packet", view_of(frame->bytes, frame->n));
    r->gateway.frames = frame->next;
    free(frame);
}

static void expect_drop(struct replay *r, const struct step *s)
{
    char word[WORD_MAX], count[WORD_MAX];
    wanted(step_word(s, 2, word), "the word of a drop");
    if (!step_word(s, 3, count))
        strcpy(count, "1");
    const struct stack_counters counters = stack_counters(r->gateway.stack);
    for (size_t i = 1; i < DROP_COUNT; i++) {
        if (strcmp(drop_word((enum drop)i), word) != 0)
            continue;
        r->gateway.drops[i] += strtoul(count, NULL, 10);
        if (counters.drops[i] != r->gateway.drops[i]) {
            r->gateway.drops[i] = counters.drops[i];
            gateway_no_drops(&r->gateway);
            broken("%s was not counted %s more", word, count);
        }
        return;
    }
    broken("there is no drop '%s'", word);
}

static void same_word(const struct step *s, const char *key, const char *is)
{
    char text[WORD_MAX];
    if (step_option(s, key, 0, text) && strcmp(text, is) != 0)
        broken("%s is '%s', not '%s'", key, is, text);
}

static void holds_word(const struct step *s, const char *key, const char *is)
{
    char text[WORD_MAX];
    if (step_option(s, key, 0, text) && !strstr(is, text))
        broken("%s is '%s' and does not hold '%s'", key, is, text);
}

static void same_number(const struct step *s, const char *key, uint32_t is)
{
    if (step_number(s, key, is) != is)
        broken("%s is %u, not %u", key, is, step_number(s, key, is));
}

static void expect_event(struct replay *r, const struct step *s, enum stack_event_type type)
{
    struct stack_event e;
    char address[IP_TEXT_MAX];
    wanted(gateway_told(&r->gateway, type, &e), "such an event");
    same_word(s, "user", e.user);
    same_word(s, "address", ip_text(&e.network.remote, address));
    same_word(s, "stage", stage_word(e.stage));
    same_word(s, "cause", cause_word(e.cause));
    holds_word(s, "detail", e.detail);
}

static void expect_story(struct replay *r, const struct step *s)
{
    char who[ENDPOINT_TEXT_MAX];
    const struct story *story = stack_story(r->gateway.stack, ip_text(&speaking(r)->outside, who), 0);
    wanted(story != NULL, "a story");
    same_word(s, "kind", story->kind);
    same_word(s, "stage", stage_word(story->stage));
    same_word(s, "cause", cause_word(story->cause));
    same_word(s, "psk", story->psk);
    same_word(s, "user", story->user);
    holds_word(s, "identity", story->identity);
    holds_word(s, "cure", cause_cure(story->cause));
    holds_word(s, "detail", story->cause_detail);
    char text[WORD_MAX];
    for (size_t i = 0; step_option(s, "step", i, text); i++) {
        bool found = false;
        for (uint8_t j = 0; j < story->n; j++)
            found |= strstr(story->step[j].detail, text) != NULL;
        if (!found)
            broken("no step of the story holds '%s'", text);
    }
}

static void expect_counts(struct replay *r, const struct step *s)
{
    const struct stack_counters counters = stack_counters(r->gateway.stack);
    same_number(s, "peers", counters.peers);
    same_number(s, "sessions", counters.sessions);
    same_number(s, "ike-sas", counters.ike_sas);
    same_number(s, "half-open", counters.half_open);
}

static void expect_once(struct replay *r, const struct step *s)
{
    char what[WORD_MAX];
    uint8_t exchange;
    wanted(step_word(s, 1, what), "what to expect");
    if (message_exchange(what, &exchange))
        message_expect(speaking(r), s, exchange);
    else if (strcmp(what, "raw") == 0 || strcmp(what, "plain") == 0)
        expect_raw(r, s, strcmp(what, "plain") == 0);
    else if (strcmp(what, "l2tp") == 0)
        carry_expect(speaking(r), s, NULL);
    else if (strcmp(what, "ppp") == 0)
        carry_expect(speaking(r), s, speaking(r)->frames_heard);
    else if (strcmp(what, "again") == 0)
        expect_again(r);
    else if (strcmp(what, "tun") == 0)
        expect_tun(r, s);
    else if (strcmp(what, "nothing") == 0)
        client_hear_nothing(speaking(r));
    else if (strcmp(what, "drop") == 0)
        expect_drop(r, s);
    else if (strcmp(what, "up") == 0)
        expect_event(r, s, STACK_EVENT_UP);
    else if (strcmp(what, "down") == 0)
        expect_event(r, s, STACK_EVENT_DOWN);
    else if (strcmp(what, "failed") == 0)
        expect_event(r, s, STACK_EVENT_FAILED);
    else if (strcmp(what, "story") == 0)
        expect_story(r, s);
    else if (strcmp(what, "counts") == 0)
        expect_counts(r, s);
    else
        broken("'%s' cannot be expected", what);
}

static void step_expect(struct replay *r, const struct step *s)
{
    for (uint32_t i = step_number(s, "times", 1); i > 0; i--)
        expect_once(r, s);
}

/* ---- the other steps ---- */

static void step_gateway(struct replay *r, const struct step *s)
{
    gateway_start(&r->gateway, s);
}

static void step_client(struct replay *r, const struct step *s)
{
    wanted(r->clients_n < CLIENTS_MAX, "fewer clients");
    r->speaking = &r->clients[r->clients_n++];
    client_start(r->speaking, &r->gateway, s);
}

static void step_as(struct replay *r, const struct step *s)
{
    char name[WORD_MAX];
    wanted(step_word(s, 1, name), "a name");
    for (size_t i = 0; i < r->clients_n; i++)
        if (strcmp(r->clients[i].name, name) == 0) {
            r->speaking = &r->clients[i];
            return;
        }
    broken("there is no client '%s'", name);
}

static void step_move(struct replay *r, const struct step *s)
{
    client_outside(speaking(r), s);
}

static void step_ike(struct replay *r, const struct step *s)
{
    char cookie[WORD_MAX];
    wanted(step_word(s, 1, cookie), "a cookie");
    client_use_ike(speaking(r), cookie);
}

static void step_port(struct replay *r, const struct step *s)
{
    char port[WORD_MAX];
    wanted(step_word(s, 1, port), "a port");
    speaking(r)->ike_port = (uint16_t)strtoul(port, NULL, 10);
}

static void step_pair(struct replay *r, const struct step *s)
{
    char spi[WORD_MAX];
    wanted(step_word(s, 1, spi), "an SPI");
    client_use_pair(speaking(r), spi);
}

static void step_let(struct replay *r, const struct step *s)
{
    static struct pattern p;
    char name[WORD_MAX];
    wanted(step_word(s, 1, name), "a name");
    read_pattern(r, &p, s, 2, false);
    client_let(speaking(r), name, view_of(p.bytes, p.n));
}

static void step_frames(struct replay *r, const struct step *s)
{
    char way[WORD_MAX];
    wanted(step_word(s, 1, way), "sent or heard");
    step_bytes(s, 2, strcmp(way, "sent") == 0 ? speaking(r)->frames_sent : speaking(r)->frames_heard, WORD_MAX);
}

static void step_login(struct replay *r, const struct step *s)
{
    client_login(speaking(r), s);
}

static void step_tun(struct replay *r, const struct step *s)
{
    static struct pattern p;
    gateway_no_drops(&r->gateway);
    read_pattern(r, &p, s, 1, false);
    gateway_tun(&r->gateway, p.bytes, p.n);
}

static void step_time(struct replay *r, const struct step *s)
{
    char span[WORD_MAX];
    wanted(step_word(s, 1, span), "a span");
    gateway_no_drops(&r->gateway);
    gateway_pass(&r->gateway, span_parse(span));
}

static void run(struct replay *r, const char *path);

static void step_include(struct replay *r, const struct step *s)
{
    char name[WORD_MAX], path[2 * WORD_MAX];
    wanted(step_word(s, 1, name), "a file");
    const char *including = r->path, *slash = strrchr(including, '/');
    snprintf(path, sizeof(path), "%.*s%s", slash ? (int)(slash - including + 1) : 0, including, name);
    run(r, path);
    r->path = including;
    broken_at(including, s->head.number);
}

static const struct {
    const char *word;
    void (*act)(struct replay *r, const struct step *s);
} steps[] = {
    {"GATEWAY", step_gateway}, {"CLIENT", step_client}, {"AS", step_as},           {"MOVE", step_move},
    {"IKE", step_ike},         {"PORT", step_port},     {"PAIR", step_pair},       {"LET", step_let},
    {"FRAMES", step_frames},   {"LOGIN", step_login},   {"SEND", step_send},       {"TUN", step_tun},
    {"TIME", step_time},       {"EXPECT", step_expect}, {"INCLUDE", step_include},
};

static void run_step(struct replay *r, const struct step *s)
{
    char word[WORD_MAX];
    broken_at(NULL, s->head.number);
    wanted(step_word(s, 0, word), "a step");
    wanted(r->gateway.stack || strcmp(word, "GATEWAY") == 0, "a gateway first");
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        if (strcmp(steps[i].word, word) == 0) {
            steps[i].act(r, s);
            return;
        }
    broken("there is no step '%s'", word);
}

static void run(struct replay *r, const char *path)
{
    struct script script;
    script_read(&script, path);
    wanted(script.n > 0, "steps");
    r->path = path;
    r->steps += script.n;
    for (size_t i = 0; i < script.n; i++)
        run_step(r, &script.steps[i]);
    script_free(&script);
}

int main(int argc, char **argv)
{
    static struct replay replay;
    if (argc != 2) {
        fprintf(stderr, "usage: replay SCRIPT\n");
        return 2;
    }
    run(&replay, argv[1]);
    gateway_no_drops(&replay.gateway);
    gateway_nothing_left(&replay.gateway);
    gateway_stop(&replay.gateway);
    printf("%zu steps\n", replay.steps);
    return 0;
}
