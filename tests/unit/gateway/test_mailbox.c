/* Letters between threads: order, nothing lost, nothing left behind. */
#include "tests/test.h"

#include "gateway/gateway_internal.h"

#define WRITERS 4
#define LETTERS 500

struct numbered {
    struct letter letter;
    unsigned writer, number;
};

struct reader_state {
    unsigned next[WRITERS];
    unsigned total;
};

static unsigned discarded;

static void take(void *receiver, void *letter)
{
    struct reader_state *r = receiver;
    const struct numbered *n = letter;
    assert_int_equal(n->number, r->next[n->writer]);
    r->next[n->writer]++;
    r->total++;
    free(letter);
}

static void discard(void *letter)
{
    discarded++;
    free(letter);
}

static void post(struct mailbox *box, unsigned writer, unsigned number)
{
    struct numbered *n = calloc(1, sizeof(*n));
    assert_non_null(n);
    *n = (struct numbered){{.run = take, .discard = discard}, writer, number};
    mailbox_post(box, &n->letter);
}

static void letters_are_read_in_the_order_they_were_posted(void **state)
{
    (void)state;
    struct mailbox box;
    struct reader_state r = {0};
    struct loop *loop = loop_new();
    mailbox_init(&box, loop);
    for (unsigned i = 0; i < 10; i++)
        post(&box, 0, i);
    mailbox_read(&box, &r);
    assert_int_equal(r.total, 10);
    mailbox_read(&box, &r);
    assert_int_equal(r.total, 10);
    mailbox_done(&box);
    loop_free(loop);
}

struct writer_thread {
    struct mailbox *box;
    unsigned writer;
    pthread_t thread;
};

static void *write_letters(void *ctx)
{
    const struct writer_thread *w = ctx;
    for (unsigned i = 0; i < LETTERS; i++)
        post(w->box, w->writer, i);
    return NULL;
}

static void many_writers_lose_nothing(void **state)
{
    (void)state;
    struct mailbox box;
    struct reader_state r = {0};
    struct writer_thread writers[WRITERS];
    struct loop *loop = loop_new();
    mailbox_init(&box, loop);
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer_thread){.box = &box, .writer = i};
        assert_int_equal(pthread_create(&writers[i].thread, NULL, write_letters, &writers[i]), 0);
    }
    while (r.total < WRITERS * LETTERS) {
        loop_once(loop, 10 * USEC_MSEC);
        mailbox_read(&box, &r);
    }
    for (unsigned i = 0; i < WRITERS; i++)
        pthread_join(writers[i].thread, NULL);
    assert_int_equal(r.total, WRITERS * LETTERS);
    mailbox_done(&box);
    loop_free(loop);
}

static void what_nobody_read_is_discarded_as_the_letter_says(void **state)
{
    (void)state;
    struct mailbox box;
    struct loop *loop = loop_new();
    mailbox_init(&box, loop);
    discarded = 0;
    for (unsigned i = 0; i < 3; i++)
        post(&box, 0, i);
    mailbox_done(&box);
    assert_int_equal(discarded, 3);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_are_read_in_the_order_they_were_posted),
        cmocka_unit_test(many_writers_lose_nothing),
        cmocka_unit_test(what_nobody_read_is_discarded_as_the_letter_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
