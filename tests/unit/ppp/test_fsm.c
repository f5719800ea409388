/* The automaton's table against the text of RFC 1661 4.1, cell by cell. */
#include "ppp/ppp_internal.h"
#include "tests/test.h"

/* Typed from the RFC's two tables; "-" cannot happen, a number alone is a silent move. tls and the suffixes p, r and x
 * (passive, restart, crossed) say nothing about actions here. */
static const char *const rfc[FSM_EVENTS][FSM_STATES] = {
    [FSM_UP] = {"2", "irc,scr/6", "-", "-", "-", "-", "-", "-", "-", "-"},
    [FSM_DOWN] = {"-", "-", "0", "tls/1", "0", "1", "1", "1", "1", "tld/1"},
    [FSM_OPEN] = {"tls/1", "1", "irc,scr/6", "3", "5", "5", "6", "7", "8", "9"},
    [FSM_CLOSE] = {"0", "tlf/0", "2", "2", "4", "4", "irc,str/4", "irc,str/4", "irc,str/4", "tld,irc,str/4"},
    [FSM_TIMEOUT_MORE] = {"-", "-", "-", "-", "str/4", "str/5", "scr/6", "scr/6", "scr/8", "-"},
    [FSM_TIMEOUT_LAST] = {"-", "-", "-", "-", "tlf/2", "tlf/3", "tlf/3", "tlf/3", "tlf/3", "-"},
    [FSM_REQUEST_GOOD] = {"-", "-", "sta/2", "irc,scr,sca/8", "4", "5", "sca/8", "sca,tlu/9", "sca/8", "tld,scr,sca/8"},
    [FSM_REQUEST_BAD] = {"-", "-", "sta/2", "irc,scr,scn/6", "4", "5", "scn/6", "scn/7", "scn/6", "tld,scr,scn/6"},
    [FSM_ACK] = {"-", "-", "sta/2", "sta/3", "4", "5", "irc/7", "scr/6", "irc,tlu/9", "tld,scr/6"},
    [FSM_NAK] = {"-", "-", "sta/2", "sta/3", "4", "5", "irc,scr/6", "scr/6", "irc,scr/8", "tld,scr/6"},
    [FSM_TERMINATE] = {"-", "-", "sta/2", "sta/3", "sta/4", "sta/5", "sta/6", "sta/6", "sta/6", "tld,zrc,sta/5"},
    [FSM_TERMINATE_ACKED] = {"-", "-", "2", "3", "tlf/2", "tlf/3", "6", "6", "8", "tld,scr/6"},
    [FSM_UNKNOWN] = {"-", "-", "scj/2", "scj/3", "scj/4", "scj/5", "scj/6", "scj/7", "scj/8", "scj/9"},
    [FSM_REJECT_HARMLESS] = {"-", "-", "2", "3", "4", "5", "6", "6", "8", "9"},
    [FSM_REJECT_FATAL] = {"-", "-", "tlf/2", "tlf/3", "tlf/2", "tlf/3", "tlf/3", "tlf/3", "tlf/3", "tld,irc,str/5"},
    [FSM_ECHO] = {"-", "-", "2", "3", "4", "5", "6", "7", "8", "ser/9"},
};

static const struct {
    const char *name;
    uint16_t bit;
} actions[] = {
    {"tlu", FSM_TLU}, {"tld", FSM_TLD}, {"tlf", FSM_TLF}, {"irc", FSM_IRC}, {"zrc", FSM_ZRC}, {"scr", FSM_SCR},
    {"sca", FSM_SCA}, {"scn", FSM_SCN}, {"str", FSM_STR}, {"sta", FSM_STA}, {"scj", FSM_SCJ}, {"ser", FSM_SER},
};

static struct fsm_cell read_cell(const char *text)
{
    struct fsm_cell c = {0};
    if (strcmp(text, "-") == 0)
        return (struct fsm_cell){.actions = FSM_IMPOSSIBLE};
    for (size_t i = 0; i < ARRAY_LEN(actions); i++)
        if (strstr(text, actions[i].name))
            c.actions |= actions[i].bit;
    c.next = (uint8_t)(text[strlen(text) - 1] - '0');
    return c;
}

static void the_table_is_the_one_of_rfc_1661(void **state)
{
    (void)state;
    for (int e = 0; e < FSM_EVENTS; e++) {
        for (int s = 0; s < FSM_STATES; s++) {
            struct fsm_cell want = read_cell(rfc[e][s]), got = fsm_cell(e, s);
            if (want.actions != got.actions || want.next != got.next)
                fail_msg("event %d in state %d: %s", e, s, rfc[e][s]);
        }
    }
}

static void an_option_list_must_end_where_it_says(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[6];
        size_t n;
        bool good;
    } lists[] = {
        {{0}, 0, true},
        {{7, 2}, 2, true},
        {{1, 4, 5, 0x78}, 4, true},
        {{1, 4, 5, 0x78, 7, 2}, 6, true},
        {{7}, 1, false},
        {{7, 1}, 2, false},
        {{7, 0}, 2, false},
        {{1, 4, 5}, 3, false},
        {{1, 5, 5, 6}, 4, false},
        {{7, 2, 1, 9}, 4, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        struct reader r = rd_init(view_of(lists[i].bytes, lists[i].n));
        struct option o;
        while (option_next(&r, &o))
            continue;
        assert_int_equal(rd_done(&r), lists[i].good);
    }
}

static void a_control_packet_may_be_padded_but_not_cut(void **state)
{
    (void)state;
    static const uint8_t packet[] = {1, 7, 0, 6, 0xaa, 0xbb, 0, 0};
    struct control c;
    assert_true(control_parse(VIEW(packet), &c));
    assert_int_equal(c.body.n, 2);
    assert_int_equal(c.whole.n, 6);
    for (size_t n = 0; n < 6; n++)
        assert_false(control_parse(view_of(packet, n), &c));
    static const uint8_t lies[] = {1, 7, 0, 3, 0};
    assert_false(control_parse(VIEW(lies), &c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_the_one_of_rfc_1661),
        cmocka_unit_test(an_option_list_must_end_where_it_says),
        cmocka_unit_test(a_control_packet_may_be_padded_but_not_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
