/* What every test program includes: cmocka with the headers it wants before it. */
#ifndef SEKISHO_TEST_H
#define SEKISHO_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Decodes hex digits, skipping white space; returns the number of bytes. The text is the test's own: a bad one aborts.
 */
static inline size_t unhex(const char *text, uint8_t *out, size_t cap)
{
    size_t n = 0;
    int high = -1;
    for (; *text; text++) {
        int v;
        if (*text >= '0' && *text <= '9')
            v = *text - '0';
        else if (*text >= 'a' && *text <= 'f')
            v = *text - 'a' + 10;
        else if (*text >= 'A' && *text <= 'F')
            v = *text - 'A' + 10;
        else
            continue;
        if (high < 0) {
            high = v;
            continue;
        }
        if (n == cap)
            abort();
        out[n++] = (uint8_t)(high << 4 | v);
        high = -1;
    }
    return n;
}

#endif
