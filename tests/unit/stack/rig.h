/* A gateway's stack for tests that look inside: small, with a fixed seed. */
#ifndef SEKISHO_TEST_STACK_RIG_H
#define SEKISHO_TEST_STACK_RIG_H

#include "tests/test.h"

#include "stack/stack_internal.h"

static struct random_test generator;
static struct random rng = {random_test_fill, &generator};

static struct stack *made(bool plain)
{
    struct stack_config config;
    random_test_init(&generator, 7);
    stack_defaults(&config);
    config.allow_plain = plain;
    config.ppp.server = true;
    config.ike.max_half_open = 16;
    strcpy(config.l2tp.host_name, "gateway");
    config.esp.engine = "openssl";
    struct stack *s = stack_new(&config, &rng);
    assert_non_null(s);
    return s;
}

#endif
