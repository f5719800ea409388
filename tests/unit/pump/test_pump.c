/* In which order the pump does what a stack asks for. The stack is the test's: it writes down what is taken from it. */
#include "tests/test.h"

#include "pump/pump.h"

struct stack {
    char said[64];    /* a letter for each thing that happened, in order */
    int frames, sent; /* what waits to be taken */
};

static void say(struct stack *stack, char what)
{
    const size_t n = strlen(stack->said);
    assert_true(n + 1 < sizeof(stack->said));
    stack->said[n] = what;
}

/* ---- the stack ---- */

/* The datagram that brings a session up, with the first packet of its user right behind. */
void stack_inbound(struct stack *stack, usec_t now, const struct datagram *in, size_t n)
{
    (void)now, (void)in;
    assert_int_equal(n, 1);
    say(stack, 'i');
    stack->frames = 1;
}

void stack_outbound(struct stack *stack, usec_t now, const struct frame *in, size_t n)
{
    (void)stack, (void)now, (void)in, (void)n;
    fail();
}

const struct frame_pieces *stack_deliver(struct stack *stack)
{
    static const struct frame_pieces frame;
    return stack->frames-- > 0 ? &frame : NULL;
}

bool stack_transmit(struct stack *stack, usec_t now, struct transmission *out)
{
    static const struct transmission answer = {.path = {.local = {.port = 4500}}};
    (void)now;
    if (stack->sent == 0)
        return false;
    stack->sent--;
    say(stack, 's');
    *out = answer;
    return true;
}

void stack_timeout(struct stack *stack, usec_t now)
{
    (void)now;
    say(stack, 't');
}

usec_t stack_deadline(const struct stack *stack)
{
    (void)stack;
    return 10;
}

/* ---- who uses the pump ---- */

static void tell(void *ctx, usec_t now)
{
    struct stack *stack = ctx;
    (void)now;
    say(stack, 'e');
    stack->sent = 1; /* an answer to the event */
}

static void deliver(void *ctx, const struct frame_pieces *frame)
{
    (void)frame;
    say(ctx, 'd');
}

struct bench {
    struct stack stack;
    struct loop *loop;
    struct pump *pump;
};

static void start(struct bench *b)
{
    *b = (struct bench){.loop = loop_new()};
    b->pump = pump_new(
        &(struct pump_config){.loop = b->loop, .stack = &b->stack, .deliver = deliver, .tell = tell, .ctx = &b->stack});
    assert_non_null(b->pump);
}

static void stop(struct bench *b)
{
    pump_free(b->pump);
    loop_free(b->loop);
}

/* A packet may be answered as soon as the kernel has it, and the answer may come to another shard: that one must know
 * by then whose session it is. */
static void test_who_has_come_up_is_known_before_his_first_packet_goes_on(void **state)
{
    (void)state;
    struct bench b;
    start(&b);
    pump_datagram(b.pump, 1, &(struct datagram){.path = {.local = {.port = 4500}}});
    assert_string_equal(b.stack.said, "ieds"); /* in, event, delivery, and the answer to the event is sent */
    stop(&b);
}

static void test_a_timeout_is_due_at_its_deadline_and_not_before(void **state)
{
    (void)state;
    struct bench b;
    start(&b);
    assert_int_equal(pump_turn(b.pump, 9), 10);
    assert_string_equal(b.stack.said, "");
    assert_int_equal(pump_turn(b.pump, 10), 10);
    assert_string_equal(b.stack.said, "tes");
    stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_has_come_up_is_known_before_his_first_packet_goes_on),
        cmocka_unit_test(test_a_timeout_is_due_at_its_deadline_and_not_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
