/* explain: the stories of attempts, newest first, of all shards. event.list: what happened lately. */
#include "gateway/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct attempt {
    struct story story;
    uint8_t shard;
};

struct story_query {
    const char *who; /* NULL: all */
    uint32_t wanted, n;
    struct attempt *found; /* 2 * wanted places: those of the shards so far, and one shard's */
};

static int newest_first(const void *a, const void *b)
{
    const struct attempt *x = a, *y = b;
    return x->story.began < y->story.began ? 1 : x->story.began > y->story.began ? -1 : 0;
}

static void visit_stories(struct shard *shard, void *ctx)
{
    struct story_query *query = ctx;
    const struct story *story;
    for (uint32_t i = 0; i < query->wanted && (story = stack_story(shard->stack, query->who, i)) != NULL; i++)
        query->found[query->n++] = (struct attempt){*story, shard->number};
    qsort(query->found, query->n, sizeof(*query->found), newest_first);
    if (query->n > query->wanted)
        query->n = query->wanted;
}

static json_t *steps_json(const struct story *story)
{
    json_t *steps = json_array();
    for (uint8_t i = 0; i < story->n; i++) {
        struct ctl_step step = {.at = story->step[i].after_ms};
        view_copy_text(step.stage, sizeof(step.stage), view_str(stage_word(story->step[i].stage)));
        view_copy_text(step.sentence, sizeof(step.sentence), view_str(stage_sentence(story->step[i].stage)));
        view_copy_text(step.detail, sizeof(step.detail), view_str(story->step[i].detail));
        json_array_append_new(steps, ctl_step_json(&step));
    }
    return steps;
}

static json_t *attempt_json(const struct attempt *attempt)
{
    const struct story *story = &attempt->story;
    struct ctl_attempt a = {
        .id = story->id << 6 | attempt->shard, .started = answer_wall(story->began), .over = story->ended};
    endpoint_text(&story->path.remote, a.peer);
    view_copy_text(a.user, sizeof(a.user), view_str(story->user));
    view_copy_text(a.stage, sizeof(a.stage), view_str(stage_word(story->stage)));
    view_copy_text(a.reached, sizeof(a.reached), view_str(stage_sentence(story->stage)));
    view_copy_text(a.cause, sizeof(a.cause), view_str(cause_word(story->cause)));
    view_copy_text(a.detail, sizeof(a.detail), view_str(story->cause_detail));
    char why[CTL_PHRASE_MAX];
    snprintf(why, sizeof(why), story->cause_detail[0] ? "%s (%s)" : "%s", cause_sentence(story->cause),
             story->cause_detail);
    view_copy_text(a.why, sizeof(a.why), view_str(why));
    view_copy_text(a.cure, sizeof(a.cure), view_str(cause_cure(story->cause)));
    json_t *json = ctl_attempt_json(&a);
    json_object_set_new(json, "steps", steps_json(story));
    return json;
}

char *answer_explain(struct gateway *g, const struct ctl_request *r)
{
    const char *who = ctl_text(r, CTL_ARG_WHO);
    struct story_query query = {.who = strcmp(who, "last") == 0 ? NULL : who,
                                .wanted = (uint32_t)ctl_number(r, CTL_ARG_ATTEMPTS)};
    if (query.wanted == 0)
        query.wanted = 1;
    query.found = calloc(2 * (size_t)query.wanted, sizeof(*query.found));
    if (!query.found)
        return answer_error(ERR_NOMEM, NULL);
    for (uint8_t i = 0; i < g->shard_count; i++)
        shard_call(&g->shards[i], visit_stories, &query);
    json_t *list = json_array();
    for (uint32_t i = 0; i < query.n; i++)
        json_array_append_new(list, attempt_json(&query.found[i]));
    free(query.found);
    return ctl_reply_ok(ctl_data("attempts", list));
}

char *answer_event_list(struct gateway *g, const struct ctl_request *r)
{
    json_t *list = json_array();
    const struct ctl_event *e = recent_after(&g->recent, ctl_number(r, CTL_ARG_SINCE));
    for (; e; e = recent_after(&g->recent, e->id))
        json_array_append_new(list, ctl_event_json(e));
    return ctl_reply_ok(ctl_data("events", list));
}
