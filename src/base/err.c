#include "base/base.h"

const char *err_text(enum err e)
{
    switch (e) {
    case ERR_OK:
        return "no error";
#define ERR(name, value, sentence)                                                                                     \
    case ERR_##name:                                                                                                   \
        return sentence;
#include "base/err.def"
#undef ERR
    }
    return "unknown error";
}
