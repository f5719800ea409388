/* The SA payload: proposals, transforms, attributes, the choice by policy and the answer that echoes it. */
#include "fuzz_rig.h"

static void answer_echoes(const struct offer *o, const struct transform *t)
{
    uint8_t out[SA_PAYLOAD_MAX + 64];
    struct writer w = wr_init(out, sizeof(out));
    struct offer again;
    offer_write_choice(&w, o, t, o->proposals[t->proposal].spi);
    if (!wr_ok(&w))
        return;
    MUST(offer_parse(wr_written(&w), &again) == DROP_NONE);
    MUST(again.transform_count == 1 && again.transforms[0].number == t->number && again.transforms[0].id == t->id);
    MUST(view_equal(again.transforms[0].attributes, t->attributes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct offer o;
    if (size > SA_PAYLOAD_MAX || offer_parse(view_of(data, size), &o) != DROP_NONE)
        return 0;
    char text[SUITE_TEXT_MAX], story[160];
    for (size_t i = 0; i < o.transform_count; i++) {
        struct suite s;
        struct esp_suite e;
        MUST(o.transforms[i].proposal < o.proposal_count);
        if (suite_read(&o.transforms[i], &s) == ERR_OK)
            MUST(strchr(suite_text(&s, text), '?') == NULL);
        if (esp_suite_read(&o.transforms[i], &e) == ERR_OK)
            MUST(strchr(esp_suite_text(&e, text), '?') == NULL);
        answer_echoes(&o, &o.transforms[i]);
    }
    for (int policy = IKE_POLICY_MODERN; policy <= IKE_POLICY_LEGACY; policy++) {
        struct suite s;
        const struct transform *t = policy_choose_ike((enum ike_policy)policy, AUTHS_ALL, &o, &s);
        MUST(!t || suite_rank((enum ike_policy)policy, &s) >= 0);
        policy_explain_ike((enum ike_policy)policy, &o, story, sizeof(story));
        policy_explain_esp((enum ike_policy)policy, &o, story, sizeof(story));
    }
    return 0;
}
