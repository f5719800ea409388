/* The JSON interface described in OpenAPI 3.1, from the same lists that serve it. */
#include "portal/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum as { AS_TEXT, AS_SECRET, AS_NUMBER, AS_FLAG, AS_TOLD };

static const struct {
    const char *word, *sentence;
    enum as kind;
    uint64_t max;
} args[CTL_ARG_COUNT] = {
#define CTL_ARG(name, word, kind, max, sentence) {word, sentence, AS_##kind, max},
#include "ctl/args.def"
#undef CTL_ARG
};

static const struct {
    const char *object, *name;
    enum as kind;
} fields[] = {
#define FIELD(object, kind, name) {#object, #name, AS_##kind},
#include "ctl/objects.def"
#undef FIELD
};

/* ---- schemas ---- */

static json_t *reference(const char *kind, const char *name)
{
    return json_pack("{s:s+++}", "$ref", "#/components/", kind, "/", name);
}

/* A sentence in the form that can be told in other languages. */
static json_t *told_schema(void)
{
    return json_pack("{s:s, s:{s:{s:s}, s:{s:s, s:{s:s}}, s:{s:s}}, s:[s, s, s]}", "type", "object", "properties",
                     "word", "type", "string", "params", "type", "array", "items", "type", "string", "place", "type",
                     "string", "required", "word", "params", "place");
}

static json_t *type_of(enum as kind)
{
    if (kind == AS_TOLD)
        return told_schema();
    if (kind == AS_NUMBER)
        return json_pack("{s:s, s:i}", "type", "integer", "minimum", 0);
    return json_pack("{s:s}", "type", kind == AS_FLAG ? "boolean" : "string");
}

static json_t *arg_schema(enum ctl_arg arg)
{
    json_t *schema = type_of(args[arg].kind);
    if (args[arg].kind == AS_SECRET)
        json_object_set_new(schema, "format", json_string("password"));
    if (args[arg].kind == AS_NUMBER)
        json_object_set_new(schema, "maximum", json_integer((json_int_t)args[arg].max));
    else if (args[arg].kind != AS_FLAG)
        json_object_set_new(schema, "maxLength", json_integer((json_int_t)args[arg].max));
    json_object_set_new(schema, "description", json_string(args[arg].sentence));
    return schema;
}

/* The schema of an object, into the components unless it is there. */
static void add_object(json_t *schemas, const char *object)
{
    json_t *properties = json_object(), *required = json_array();
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (strcmp(fields[i].object, object) != 0)
            continue;
        json_object_set_new(properties, fields[i].name, type_of(fields[i].kind));
        json_array_append_new(required, json_string(fields[i].name));
    }
    if (strcmp(object, "attempt") == 0) {
        add_object(schemas, "step");
        json_object_set_new(properties, "steps",
                            json_pack("{s:s, s:o}", "type", "array", "items", reference("schemas", "step")));
        json_array_append_new(required, json_string("steps"));
    }
    json_object_set_new(schemas, object,
                        json_pack("{s:s, s:o, s:o}", "type", "object", "properties", properties, "required", required));
}

static json_t *member_schema(const struct api_call *call, json_t *schemas)
{
    if (call->shape == SHAPE_NUMBER || call->shape == SHAPE_TEXT)
        return type_of(call->shape == SHAPE_NUMBER ? AS_NUMBER : AS_TEXT);
    add_object(schemas, call->object);
    json_t *one = reference("schemas", call->object);
    return call->shape == SHAPE_LIST ? json_pack("{s:s, s:o}", "type", "array", "items", one) : one;
}

static void add_member(json_t *schema, const char *name, json_t *type)
{
    json_object_set_new(json_object_get(schema, "properties"), name, type);
    json_array_append_new(json_object_get(schema, "required"), json_string(name));
}

static json_t *reply_schema(const struct api_call *call, json_t *schemas)
{
    json_t *schema = json_pack("{s:s, s:{}, s:[]}", "type", "object", "properties", "required");
    add_member(schema, call->shape == SHAPE_FIRST ? call->object : call->member, member_schema(call, schemas));
    if (call->shape == SHAPE_LIST)
        add_member(schema, "total", type_of(AS_NUMBER));
    if (call->shape == SHAPE_MADE) {
        add_member(schema, "token", type_of(AS_TEXT));
        add_member(schema, "url", type_of(AS_TEXT));
    }
    return schema;
}

/* ---- operations ---- */

static json_t *parameter(const char *name, const char *where, bool required, json_t *schema)
{
    return json_pack("{s:s, s:s, s:b, s:o}", "name", name, "in", where, "required", (int)required, "schema", schema);
}

static json_t *page_schema(int least, int most, int otherwise)
{
    return json_pack("{s:s, s:i, s:i, s:i}", "type", "integer", "minimum", least, "maximum", most, "default",
                     otherwise);
}

static json_t *parameters(const struct api_call *call)
{
    json_t *list = json_array();
    if (call->arg != CTL_ARG_COUNT)
        json_array_append_new(list, parameter(args[call->arg].word, "path", true, arg_schema(call->arg)));
    if (call->shape != SHAPE_LIST)
        return list;
    for (enum ctl_arg arg = 0; arg < CTL_ARG_COUNT; arg++) {
        const enum ctl_takes takes = ctl_verb_takes(call->verb, arg);
        if (takes != CTL_TAKES_NOT)
            json_array_append_new(list, parameter(args[arg].word, "query", takes == CTL_NEEDS, arg_schema(arg)));
    }
    json_array_append_new(list, parameter("limit", "query", false, page_schema(0, API_ROWS_MAX, API_ROWS)));
    json_array_append_new(list, parameter("offset", "query", false, page_schema(0, API_OFFSET_MAX, 0)));
    return list;
}

static json_t *content(json_t *schema)
{
    return json_pack("{s:{s:o}}", "application/json", "schema", schema);
}

static json_t *body(const struct api_call *call)
{
    json_t *schema =
        json_pack("{s:s, s:b, s:{}, s:[]}", "type", "object", "additionalProperties", 0, "properties", "required");
    for (enum ctl_arg arg = 0; arg < CTL_ARG_COUNT; arg++) {
        const enum ctl_takes takes = arg != call->arg ? ctl_verb_takes(call->verb, arg) : CTL_TAKES_NOT;
        if (takes != CTL_TAKES_NOT)
            json_object_set_new(json_object_get(schema, "properties"), args[arg].word, arg_schema(arg));
        if (takes == CTL_NEEDS)
            json_array_append_new(json_object_get(schema, "required"), json_string(args[arg].word));
    }
    return json_pack("{s:b, s:o}", "required", 1, "content", content(schema));
}

static json_t *responses(const struct api_call *call, json_t *schemas)
{
    char status[8];
    snprintf(status, sizeof status, "%u", api_status(call));
    json_t *good = json_pack("{s:s}", "description", "done");
    if (call->shape != SHAPE_NOTHING)
        json_object_set_new(good, "content", content(reply_schema(call, schemas)));
    return json_pack("{s:o, s:o}", status, good, "default", reference("responses", "problem"));
}

static json_t *operation(const struct api_call *call, json_t *schemas)
{
    json_t *o = json_pack("{s:s, s:s, s:[{s:[s]}], s:o, s:o}", "operationId", call->id, "summary",
                          ctl_verb_sentence(call->verb), "security", "token", scope_word(call->scope), "parameters",
                          parameters(call), "responses", responses(call, schemas));
    if (api_takes_body(call))
        json_object_set_new(o, "requestBody", body(call));
    return o;
}

static void write_path(const struct api_call *call, char out[static 128])
{
    const char *hole = strstr(call->path, "{}");
    if (hole == NULL)
        snprintf(out, 128, "%s", call->path);
    else
        snprintf(out, 128, "%.*s{%s}%s", (int)(hole - call->path), call->path, args[call->arg].word, hole + 2);
}

static json_t *paths(json_t *schemas)
{
    static const char *const words[API_METHODS] = {"get", "post", "put", "patch", "delete"};
    json_t *all = json_object();
    for (size_t i = 0; i < api_call_count; i++) {
        char path[128];
        write_path(&api_calls[i], path);
        if (json_object_get(all, path) == NULL)
            json_object_set_new(all, path, json_object());
        json_object_set_new(json_object_get(all, path), words[api_calls[i].method], operation(&api_calls[i], schemas));
    }
    return all;
}

static json_t *problem_response(void)
{
    json_t *text = json_pack("{s:s}", "type", "string");
    json_t *error = json_pack("{s:s, s:{s:O, s:O, s:O, s:o}, s:[s, s]}", "type", "object", "properties", "code", text,
                              "message", text, "field", text, "told", told_schema(), "required", "code", "message");
    json_decref(text);
    return json_pack("{s:s, s:o}", "description",
                     "what went wrong; field: the argument that it is about; told: the message by its word and values",
                     "content",
                     content(json_pack("{s:s, s:{s:o}, s:[s]}", "type", "object", "properties", "error", error,
                                       "required", "error")));
}

char *api_openapi(void)
{
    json_t *schemas = json_object();
    json_t *calls = paths(schemas);
    json_t *components = json_pack("{s:o, s:{s:o}, s:{s:{s:s, s:s}}}", "schemas", schemas, "responses", "problem",
                                   problem_response(), "securitySchemes", "token", "type", "http", "scheme", "bearer");
    json_t *all = json_pack("{s:s, s:{s:s, s:s}, s:[{s:s}], s:o, s:o}", "openapi", "3.1.0", "info", "title", "Sekisho",
                            "version", "1", "servers", "url", API_ROOT, "paths", calls, "components", components);
    char *text = all != NULL ? json_dumps(all, JSON_INDENT(1)) : NULL;
    const size_t n = text != NULL ? strlen(text) : 0;
    char *line = text != NULL ? realloc(text, n + 2) : NULL;
    if (line != NULL)
        memcpy(line + n, "\n", 2);
    else
        free(text);
    json_decref(all);
    return line;
}
