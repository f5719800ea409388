/*
 * The JSON interface for programs: calls that are verbs of the control socket, each for tokens of one scope. No cookie
 * counts there, so no page of anybody can make a browser call it.
 */
#ifndef SEKISHO_PORTAL_API_H
#define SEKISHO_PORTAL_API_H

#include "portal/portal_internal.h"

#define API_ROOT        "/api/v1"
#define API_OPENAPI     API_ROOT "/openapi.json"
#define API_BODY_CONFIG CTL_REQUEST_MAX /* bytes of a body with a configuration */
#define API_ROWS        100             /* of a list, unless the query says how many */
#define API_ROWS_MAX    1000
#define API_OFFSET_MAX  1000000000

enum api_method { API_GET, API_POST, API_PUT, API_PATCH, API_DELETE, API_METHODS };
enum api_shape { SHAPE_NOTHING, SHAPE_ONE, SHAPE_FIRST, SHAPE_LIST, SHAPE_NUMBER, SHAPE_TEXT, SHAPE_MADE };

struct api_call {
    const char *id;
    enum api_method method;
    const char *path; /* behind API_ROOT; {} is the argument */
    enum scope scope;
    enum ctl_verb verb;
    enum ctl_arg arg; /* CTL_ARG_COUNT: none */
    enum api_shape shape;
    const char *member, *object;
};

extern const struct api_call api_calls[];
extern const size_t api_call_count;

const char *api_method_word(enum api_method m);   /* "GET" */
bool api_takes_body(const struct api_call *call); /* the verb has arguments that are not in the path */
unsigned api_status(const struct api_call *call); /* when all is well */
/* The description of all this in OpenAPI 3.1, for free(). NULL: out of memory. */
char *api_openapi(void);

#endif
