/* IKE fragmentation: messages that are cut, and what comes of the pieces. */
#include "ike/ike_internal.h"
#include "world.h"

/* A first message of quick mode that no packet of 1280 bytes holds. */
#define LONG_IKE "aes256-sha256-modp4096"
#define SIX      "aes256-sha256,aes256-sha1,aes256-sha512,aes128-sha256,aes128-sha1,aes128-sha512"
#define LONG_ESP SIX "," SIX "," SIX "," SIX

static struct world *long_world(uint64_t seed)
{
    struct world *w = world_new(seed);
    w->side[0].config.ike_proposal = LONG_IKE;
    w->side[0].config.esp_proposal = LONG_ESP;
    w->side[0].config.pfs = true;
    return w;
}

/* Datagrams of side 0 up to QM1: MM1 MM3 MM5, then QM1 in two. */
static void a_long_message_goes_in_fragments_with_and_without_nat(void **state)
{
    (void)state;
    for (int nat = 0; nat < 2; nat++) {
        for (int ipv6 = 0; ipv6 < 2 - nat; ipv6++) {
            struct world *w = long_world((uint64_t)(700 + 2 * nat + ipv6));
            w->nat = nat;
            w->ipv6 = ipv6;
            world_begin(w);
            world_connect(w);
            world_run(w, 5 * USEC_SEC);
            world_assert_connected(w);
            assert_int_equal(w->side[0].sent, 3 + 2 + 1);
            assert_true(w->side[0].largest <= FRAGMENT_PACKET_MAX - (ipv6 ? 48u : 28u) - (nat ? 4u : 0u));
            assert_int_equal(w->side[1].ike->reassembly_count, 0);
            world_free(w);
        }
    }
}

static void who_did_not_announce_it_gets_a_message_whole(void **state)
{
    (void)state;
    struct world *w = long_world(710);
    world_begin(w);
    world_connect(w);
    /* --> MM1 whose vendor ID of fragmentation is spoiled, so that MM2 has none */
    uint8_t id[16];
    struct flight *f = &w->flight[0];
    uint8_t *at = memmem(f->bytes, f->n, id, unhex("4048b7d56ebce88525e7de7f00d6c2d3", id, sizeof(id)));
    assert_non_null(at);
    at[0] ^= 1;
    world_run(w, 5 * USEC_SEC);
    world_assert_connected(w);
    assert_int_equal(w->side[0].sent, 3 + 1 + 1);
    assert_true(w->side[0].largest > FRAGMENT_PACKET_MAX);
    world_free(w);
}

static void lost_fragments_come_again_with_all_others(void **state)
{
    (void)state;
    for (unsigned lost = 1; lost < 4; lost++) {
        struct world *w = long_world(720 + lost);
        w->lose[0] = (uint64_t)lost << 3;
        w->nat = true;
        world_begin(w);
        world_connect(w);
        world_run(w, 10 * USEC_SEC);
        world_assert_connected(w);
        assert_int_equal(w->side[0].sent, 3 + 4 + 1);
        world_free(w);
    }
}

static void repeated_and_overtaking_fragments_change_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 730; seed < 736; seed++) {
        struct world *w = long_world(seed);
        w->nat = w->repeat = w->jumble = true;
        world_begin(w);
        world_connect(w);
        world_run(w, 20 * USEC_SEC);
        world_assert_connected(w);
        world_run(w, 40 * USEC_SEC);
        assert_int_equal(w->side[1].ike->reassembly_count, 0);
        world_free(w);
    }
}

/* ---- fragments by hand ---- */

struct cut {
    uint8_t bytes[64 + 4096];
    struct view view;
};

/* A fragment under the header of a message, as Windows and libreswan write it. */
static struct view write_cut(struct cut *c, const uint8_t *header, uint16_t id, uint8_t number, bool last,
                             struct view data)
{
    struct writer w = wr_init(c->bytes, sizeof(c->bytes));
    wr_bytes(&w, header, IKE_HEADER_SIZE);
    wr_patch8(&w, 16, PAYLOAD_FRAGMENT);
    wr_patch8(&w, 19, 0);
    wr_u16(&w, 0);
    wr_u16(&w, (uint16_t)(8 + data.n));
    wr_u16(&w, id);
    wr_u8(&w, number);
    wr_u8(&w, last);
    wr_view(&w, data);
    wr_patch32(&w, 24, (uint32_t)w.n);
    c->view = wr_written(&w);
    return c->view;
}

struct pieces {
    struct path path;
    struct cut at[3];
    uint8_t whole[4096];
    size_t n;
};

/* The client's third message, taken off its way and cut in three. */
static struct world *with_third_message(uint64_t seed, struct pieces *out)
{
    struct world *w = world_new(seed);
    world_begin(w);
    world_connect(w);
    world_run(w, 2 * ONE_WAY);
    world_pull(w);
    struct flight *f = w->flight;
    while (!f->used || f->to != 1)
        f++;
    f->used = false;
    out->path = f->path;
    out->n = f->n;
    memcpy(out->whole, f->bytes, f->n);
    struct reader r = rd_init(view_of(out->whole, out->n));
    for (uint8_t i = 0; i < 3; i++)
        write_cut(&out->at[i], out->whole, 7, i + 1, i == 2, rd_view(&r, i < 2 ? 60 : rd_left(&r)));
    return w;
}

static size_t kept(const struct world *w)
{
    return w->side[1].ike->reassembly_count;
}

static enum drop give(struct world *w, const struct pieces *p, int i)
{
    return world_inject(w, 1, &p->path, p->at[i].view);
}

static void fragments_are_put_together_in_any_order(void **state)
{
    (void)state;
    static const int orders[][5] = {{0, 1, 2, -1}, {2, 1, 0, -1}, {1, 2, 0, -1}, {2, 2, 0, 0, 1}, {1, 0, 1, 0, 2}};
    for (size_t o = 0; o < ARRAY_LEN(orders); o++) {
        struct pieces p;
        struct world *w = with_third_message(740 + o, &p);
        /* --> MM3 in pieces, before an IKE SA is there */
        for (int i = 0; i < 5 && orders[o][i] >= 0; i++)
            assert_int_equal(give(w, &p, orders[o][i]), DROP_NONE);
        assert_int_equal(kept(w), 0);
        assert_int_equal(ike_stats(w->side[1].ike).sas, 1);
        world_run(w, 2 * USEC_SEC);
        world_assert_connected(w);
        world_free(w);
    }
}

static void a_message_in_fragments_that_is_repeated_is_answered_from_memory(void **state)
{
    (void)state;
    struct pieces p;
    struct world *w = with_third_message(750, &p);
    const int before = w->side[1].sent;
    for (int i = 0; i < 3; i++)
        assert_int_equal(give(w, &p, i), DROP_NONE);
    assert_int_equal(w->side[1].sent, before + 1);
    assert_int_equal(give(w, &p, 0), DROP_NONE);
    assert_int_equal(give(w, &p, 1), DROP_NONE);
    assert_int_equal(give(w, &p, 2), DROP_IKE_REPEATED);
    assert_int_equal(w->side[1].sent, before + 2);
    world_free(w);
}

static void strangers_make_us_keep_nothing(void **state)
{
    (void)state;
    struct pieces p;
    struct world *w = with_third_message(751, &p);
    struct cut c;
    /* cookies that are not ours */
    uint8_t header[IKE_HEADER_SIZE];
    memcpy(header, p.whole, sizeof(header));
    header[COOKIE_SIZE] ^= 1;
    assert_int_equal(world_inject(w, 1, &p.path, write_cut(&c, header, 1, 1, false, VIEW(header))),
                     DROP_IKE_FRAGMENT_STRAY);
    /* the right ones, from an address that was not sent them */
    struct path other = p.path;
    other.remote.addr = ip4_addr(0xc6336499);
    assert_int_equal(world_inject(w, 1, &other, p.at[0].view), DROP_IKE_FRAGMENT_STRAY);
    assert_int_equal(kept(w), 0);
    world_free(w);
}

static void an_initiator_keeps_none_before_the_choice(void **state)
{
    (void)state;
    struct world *w = world_new(752);
    world_begin(w);
    world_connect(w);
    struct cut c;
    uint8_t header[IKE_HEADER_SIZE];
    memcpy(header, w->flight[0].bytes, sizeof(header));
    memset(header + COOKIE_SIZE, 3, COOKIE_SIZE);
    const struct path path = world_path(w, 0, IKE_PORT);
    assert_int_equal(world_inject(w, 0, &path, write_cut(&c, header, 1, 1, false, VIEW(header))),
                     DROP_IKE_FRAGMENT_STRAY);
    assert_int_equal(w->side[0].ike->reassembly_count, 0);
    world_free(w);
}

static void malformed_fragments_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        enum drop verdict;
    } cases[] = {
        {"0000000900010101 aa", DROP_NONE},
        {"00000008 0001 01 00", DROP_NONE},
        {"00000009 0001 00 01 aa", DROP_IKE_MALFORMED}, /* they count from 1 */
        {"00000009 0001 41 01 aa", DROP_IKE_FRAGMENT_LIMIT},
        {"01000009 0001 01 01 aa", DROP_IKE_MALFORMED}, /* it is the only payload */
        {"00010009 0001 01 01 aa", DROP_IKE_MALFORMED},
        {"00000008 0001 01 01 aa", DROP_IKE_MALFORMED},
        {"0000000a 0001 01 01 aa", DROP_IKE_MALFORMED},
        {"00000007 0001 01", DROP_IKE_MALFORMED},
        {"", DROP_IKE_MALFORMED},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t body[64];
        struct fragment f;
        assert_int_equal(fragment_parse(view_of(body, unhex(cases[i].body, body, sizeof(body))), &f), cases[i].verdict);
    }
}

static void what_contradicts_the_newest_fragment_goes(void **state)
{
    (void)state;
    const uint8_t noise[60] = {1};
    /* another id; a second last one, before and behind the first; one behind the last, and one in its place */
    static const struct {
        uint16_t id;
        uint8_t number;
        bool last;
        enum drop verdict;
    } evils[] = {{8, 1, false, DROP_NONE},
                 {7, 2, true, DROP_IKE_FRAGMENT},
                 {7, 9, true, DROP_NONE},
                 {7, 9, false, DROP_NONE},
                 {7, 3, false, DROP_NONE}};
    for (size_t i = 0; i < ARRAY_LEN(evils); i++) {
        struct pieces p;
        struct cut evil;
        struct world *w = with_third_message(770 + i, &p);
        assert_int_equal(give(w, &p, 0), DROP_NONE);
        assert_int_equal(give(w, &p, 2), DROP_NONE);
        write_cut(&evil, p.whole, evils[i].id, evils[i].number, evils[i].last, VIEW(noise));
        assert_int_equal(world_inject(w, 1, &p.path, evil.view), evils[i].verdict);
        assert_int_equal(give(w, &p, 1), DROP_NONE);
        assert_int_equal(ike_stats(w->side[1].ike).sas, 0);
        assert_int_equal(kept(w), 1);
        /* the client sends again, and all is well */
        for (int n = 0; n < 3; n++)
            assert_int_equal(give(w, &p, n), DROP_NONE);
        assert_int_equal(ike_stats(w->side[1].ike).sas, 1);
        assert_int_equal(kept(w), 0);
        world_free(w);
    }
}

/* All peers give the same id to all their messages, so that a straggler may meet the next message. */
static void parts_of_two_messages_make_none(void **state)
{
    (void)state;
    struct pieces p;
    struct cut old;
    const uint8_t noise[70] = {1};
    struct world *w = with_third_message(754, &p);
    write_cut(&old, p.whole, 7, 1, false, VIEW(noise));
    assert_int_equal(world_inject(w, 1, &p.path, old.view), DROP_NONE);
    assert_int_equal(give(w, &p, 1), DROP_NONE);
    assert_int_equal(give(w, &p, 2), DROP_IKE_FRAGMENT);
    /* what came last is kept, and waits for the rest */
    assert_int_equal(give(w, &p, 0), DROP_NONE);
    assert_int_equal(ike_stats(w->side[1].ike).sas, 0);
    assert_int_equal(give(w, &p, 1), DROP_NONE);
    assert_int_equal(ike_stats(w->side[1].ike).sas, 1);
    world_free(w);
}

static void fragments_of_fragments_and_of_others_make_no_message(void **state)
{
    (void)state;
    struct pieces p;
    struct cut c;
    struct world *w = with_third_message(755, &p);
    /* a fragment in a fragment */
    uint8_t inner[IKE_HEADER_SIZE];
    memcpy(inner, p.whole, sizeof(inner));
    inner[16] = PAYLOAD_FRAGMENT;
    be32_put(inner + 24, sizeof(inner));
    assert_int_equal(world_inject(w, 1, &p.path, write_cut(&c, p.whole, 1, 1, true, VIEW(inner))), DROP_IKE_FRAGMENT);
    /* a message under other cookies than its fragments */
    memcpy(inner, p.whole, sizeof(inner));
    inner[0] ^= 1;
    be32_put(inner + 24, sizeof(inner));
    assert_int_equal(world_inject(w, 1, &p.path, write_cut(&c, p.whole, 1, 1, true, VIEW(inner))), DROP_IKE_FRAGMENT);
    /* one that says that it is shorter */
    memcpy(inner, p.whole, sizeof(inner));
    be32_put(inner + 24, sizeof(inner) - 1);
    assert_int_equal(world_inject(w, 1, &p.path, write_cut(&c, p.whole, 1, 1, true, VIEW(inner))), DROP_IKE_FRAGMENT);
    assert_int_equal(kept(w), 0);
    world_free(w);
}

static void a_message_has_a_largest_size_and_a_longest_time(void **state)
{
    (void)state;
    struct pieces p;
    struct cut c;
    static const uint8_t much[IKE_MESSAGE_MAX / 32];
    struct world *w = with_third_message(756, &p);
    for (uint8_t i = 1; i <= 32; i++)
        assert_int_equal(world_inject(w, 1, &p.path, write_cut(&c, p.whole, 1, i, false, VIEW(much))), DROP_NONE);
    assert_int_equal(kept(w), 1);
    assert_int_equal(world_inject(w, 1, &p.path, write_cut(&c, p.whole, 1, 33, false, view_of(much, 1))),
                     DROP_IKE_FRAGMENT_LIMIT);
    assert_int_equal(kept(w), 0);
    assert_int_equal(give(w, &p, 0), DROP_NONE);
    world_run(w, REASSEMBLY_LIFE - USEC_SEC);
    assert_int_equal(kept(w), 1);
    world_run(w, 2 * USEC_SEC);
    assert_int_equal(kept(w), 0);
    world_free(w);
}

static void a_flood_of_fragments_stays_within_its_share(void **state)
{
    (void)state;
    struct pieces p;
    struct cut c;
    struct world *w = with_third_message(757, &p);
    for (uint32_t i = 0; i < 1000; i++) {
        /* Reads the cookie where a client of many addresses and ports would read MM2. */
        uint8_t header[IKE_HEADER_SIZE];
        memcpy(header, p.whole, sizeof(header));
        struct path path = p.path;
        path.remote.port = (uint16_t)(1000 + i);
        assert_int_equal(world_inject(w, 1, &path, write_cut(&c, header, 1, 1, false, VIEW(header))), DROP_NONE);
        assert_true(kept(w) <= REASSEMBLIES_PER_SOURCE);
    }
    assert_int_equal(kept(w), REASSEMBLIES_PER_SOURCE);
    /* the client still gets through: the oldest made way */
    for (int i = 0; i < 3; i++)
        assert_int_equal(give(w, &p, i), DROP_NONE);
    assert_int_equal(ike_stats(w->side[1].ike).sas, 1);
    /* now that there is an IKE SA its owner may come from anywhere */
    for (uint32_t i = 0; i < 1000; i++) {
        struct path path = p.path;
        path.remote.addr = ip4_addr(0x0a000000 + i);
        assert_int_equal(world_inject(w, 1, &path, p.at[0].view), DROP_NONE);
        assert_true(kept(w) <= REASSEMBLIES_MAX);
    }
    assert_int_equal(kept(w), REASSEMBLIES_MAX);
    world_run(w, 60 * USEC_SEC);
    assert_int_equal(kept(w), 0);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_message_goes_in_fragments_with_and_without_nat),
        cmocka_unit_test(who_did_not_announce_it_gets_a_message_whole),
        cmocka_unit_test(lost_fragments_come_again_with_all_others),
        cmocka_unit_test(repeated_and_overtaking_fragments_change_nothing),
        cmocka_unit_test(fragments_are_put_together_in_any_order),
        cmocka_unit_test(a_message_in_fragments_that_is_repeated_is_answered_from_memory),
        cmocka_unit_test(strangers_make_us_keep_nothing),
        cmocka_unit_test(an_initiator_keeps_none_before_the_choice),
        cmocka_unit_test(malformed_fragments_are_refused),
        cmocka_unit_test(what_contradicts_the_newest_fragment_goes),
        cmocka_unit_test(parts_of_two_messages_make_none),
        cmocka_unit_test(fragments_of_fragments_and_of_others_make_no_message),
        cmocka_unit_test(a_message_has_a_largest_size_and_a_longest_time),
        cmocka_unit_test(a_flood_of_fragments_stays_within_its_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
