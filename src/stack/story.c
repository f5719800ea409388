/*
 * Stories: what happened to each connection attempt, for `sekisho explain`. Two rings, so that strangers who send
 * nothing but first messages can only push out each other's stories, never those of peers whose address is proved.
 */
#include "stack/stack_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define UNPROVED_STORIES 128
#define PROVED_STORIES   1024

struct entry {
    struct story story;
    UT_hash_handle hh;
};

struct story_ring {
    struct entry **entries; /* made as they are needed */
    uint32_t size, next;
    struct entry *by_id;
};

static struct story_ring *ring_new(uint32_t size)
{
    struct story_ring *ring = calloc(1, sizeof(*ring));
    if (!ring)
        return NULL;
    ring->entries = calloc(size, sizeof(*ring->entries));
    ring->size = size;
    if (!ring->entries) {
        free(ring);
        return NULL;
    }
    return ring;
}

static void ring_free(struct story_ring *ring)
{
    if (!ring)
        return;
    HASH_CLEAR(hh, ring->by_id);
    for (uint32_t i = 0; i < ring->size; i++)
        free(ring->entries[i]);
    free(ring->entries);
    free(ring);
}

enum err stories_init(struct stack *s)
{
    s->unproved = ring_new(UNPROVED_STORIES);
    s->proved = ring_new(PROVED_STORIES);
    return s->unproved && s->proved ? ERR_OK : ERR_NOMEM;
}

void stories_done(struct stack *s)
{
    ring_free(s->unproved);
    ring_free(s->proved);
}

static struct entry *ring_find(const struct story_ring *ring, uint64_t id)
{
    struct entry *entry = NULL;
    HASH_FIND(hh, ring->by_id, &id, sizeof(id), entry);
    return entry;
}

/* The place of the oldest story, emptied. */
static struct entry *ring_take(struct story_ring *ring)
{
    struct entry *entry = ring->entries[ring->next];
    if (!entry)
        entry = malloc(sizeof(*entry));
    else if (entry->story.id != 0)
        HASH_DELETE(hh, ring->by_id, entry);
    if (!entry)
        return NULL;
    memset(entry, 0, sizeof(*entry));
    ring->entries[ring->next] = entry;
    ring->next = (ring->next + 1) % ring->size;
    return entry;
}

static struct entry *ring_add(struct story_ring *ring, const struct story *story)
{
    struct entry *entry = ring_take(ring);
    if (!entry)
        return NULL;
    entry->story = *story;
    HASH_ADD(hh, ring->by_id, story.id, sizeof(entry->story.id), entry);
    if (entry->hh.tbl)
        return entry;
    entry->story.id = 0;
    return NULL;
}

struct story *story_find(const struct stack *s, uint64_t id)
{
    struct entry *entry = ring_find(s->proved, id);
    if (!entry)
        entry = ring_find(s->unproved, id);
    return entry ? &entry->story : NULL;
}

/* From message 3 on the peer's address is proved: the story moves to the ring that strangers cannot reach. */
static struct story *promote(struct stack *s, struct story *story)
{
    struct entry *old = ring_find(s->unproved, story->id);
    if (!old)
        return story;
    struct entry *entry = ring_add(s->proved, &old->story);
    if (!entry)
        return story;
    HASH_DELETE(hh, s->unproved->by_id, old);
    memset(old, 0, sizeof(*old));
    return &entry->story;
}

static struct story *story_at(struct stack *s, usec_t now, uint64_t id, const struct path *path, enum stage stage)
{
    struct story *story = story_find(s, id);
    if (!story) {
        const struct story fresh = {.id = id, .began = now, .path = *path};
        struct entry *entry = ring_add(stage < STAGE_IKE_MM3 ? s->unproved : s->proved, &fresh);
        return entry ? &entry->story : NULL;
    }
    return stage >= STAGE_IKE_MM3 ? promote(s, story) : story;
}

static void add_step(struct story *story, usec_t now, enum stage stage, const char *detail)
{
    if (story->n == STORY_STEPS)
        return;
    struct story_step *step = &story->step[story->n++];
    step->stage = stage;
    step->after_ms = (uint32_t)((now - story->began) / USEC_MSEC);
    view_copy_text(step->detail, sizeof(step->detail), view_str(detail));
}

struct story *story_step(struct stack *s, usec_t now, uint64_t id, const struct path *path, enum stage stage,
                         const char *detail)
{
    struct story *story = id ? story_at(s, now, id, path, stage) : NULL;
    if (!story)
        return NULL;
    story->last = now;
    const bool again =
        stage < story->stage && story->established; /* rekeying tells its steps anew: told once is enough */
    if (!again)
        add_step(story, now, stage, detail);
    if (stage > story->stage)
        story->stage = stage;
    return story;
}

void story_end(struct stack *s, usec_t now, uint64_t id, const struct path *path, enum stage stage, enum cause cause,
               const char *detail)
{
    struct story *story = id ? story_at(s, now, id, path, stage) : NULL;
    if (!story || story->ended) /* the first cause is the cause: what follows is its consequence */
        return;
    story->last = now;
    story->ended = true;
    story->cause = cause;
    if (stage > story->stage)
        story->stage = stage;
    view_copy_text(story->cause_detail, sizeof(story->cause_detail), view_str(detail));
}

void story_reopen(struct stack *s, uint64_t id)
{
    struct story *story = story_find(s, id);
    if (!story || !story->ended)
        return;
    story->ended = story->established = false;
    story->stage = STAGE_L2TP_SESSION;
    story->cause = CAUSE_NONE;
    story->cause_detail[0] = '\0';
}

void stack_step(struct stack *s, usec_t now, const struct peer *peer, uint32_t session, enum stage stage,
                const char *user, const char *detail)
{
    if (!peer)
        return;
    struct story *story = story_step(s, now, peer->story, &peer->path, stage, detail);
    if (story && user[0])
        view_copy_text(story->user, sizeof(story->user), view_str(user));
    struct stack_event event = {
        .type = STACK_EVENT_STEP, .story = peer->story, .session = session, .path = peer->path, .stage = stage};
    view_copy_text(event.user, sizeof(event.user), view_str(user));
    view_copy_text(event.detail, sizeof(event.detail), view_str(detail));
    stack_tell(s, &event);
}

void stack_failed(struct stack *s, usec_t now, const struct peer *peer, struct session *session, enum stage stage,
                  enum cause cause, const char *detail)
{
    if (!peer)
        return;
    struct story *story = story_find(s, peer->story);
    /* Each session's end is told, every refused login with it: who watches for guessing must see them all. */
    const bool known = session ? session->told : story && story->ended;
    if (session)
        session->told = true;
    const char *user = session ? ppp_user(session->ppp) : "";
    if (story && user[0])
        view_copy_text(story->user, sizeof(story->user), view_str(user));
    if (story && story->stage > stage)
        stage = story->stage;
    story_end(s, now, peer->story, &peer->path, stage, cause, detail);
    if (known)
        return;
    struct stack_event event = {.type = STACK_EVENT_FAILED,
                                .story = peer->story,
                                .session = session ? session->number : 0,
                                .session_key = session ? session->key : 0,
                                .path = peer->path,
                                .stage = stage,
                                .cause = cause};
    view_copy_text(event.user, sizeof(event.user), view_str(user));
    view_copy_text(event.detail, sizeof(event.detail), view_str(detail));
    stack_tell(s, &event);
}

/* ---- finding ---- */

/* A user is the same however its name was sent: in capitals, with DOMAIN\\ in front. */
static bool names_user(const char *who, const char *sent)
{
    const char *backslash = strrchr(sent, '\\');
    return strcasecmp(who, sent) == 0 || (backslash && strcasecmp(who, backslash + 1) == 0);
}

static bool concerns(const struct story *story, const char *who)
{
    char text[ENDPOINT_TEXT_MAX], address[IP_TEXT_MAX];
    return !who || names_user(who, story->user) || strcmp(who, endpoint_text(&story->path.remote, text)) == 0 ||
           strcmp(who, ip_text(&story->path.remote.addr, address)) == 0;
}

/* The newest story of a ring that concerns who and is older than `before`. */
static const struct story *newest(const struct story_ring *ring, const char *who, usec_t before, uint64_t before_id,
                                  const struct story *best)
{
    for (uint32_t i = 0; i < ring->size; i++) {
        const struct story *story = ring->entries[i] ? &ring->entries[i]->story : NULL;
        if (!story || story->id == 0)
            continue;
        const bool older = story->began < before || (story->began == before && story->id < before_id);
        const bool newer = !best || story->began > best->began || (story->began == best->began && story->id > best->id);
        if (older && newer && concerns(story, who)) /* last, as it costs most */
            best = story;
    }
    return best;
}

const struct story *stack_story(const struct stack *s, const char *who, uint32_t i)
{
    usec_t before = USEC_NEVER;
    uint64_t before_id = UINT64_MAX;
    for (;; i--) {
        const struct story *story = newest(s->proved, who, before, before_id, NULL);
        story = newest(s->unproved, who, before, before_id, story);
        if (!story || i == 0)
            return story;
        before = story->began;
        before_id = story->id;
    }
}
