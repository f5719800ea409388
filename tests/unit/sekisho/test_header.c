/* The public header stands by itself, and the shared library has what it promises: nothing of ours is included or
 * linked here. */
#include "sekisho/sekisho.h"

int main(void)
{
    char why[SEKISHO_TEXT];
    struct sekisho_options options;
    sekisho_options_init(&options);
    return sekisho_new(&options, why, sizeof(why)) == NULL && why[0] != '\0' ? 0 : 1;
}
