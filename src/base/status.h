/* base: what every room stands on. Sees no other room.
 *
 * status.h: how a function says whether it worked. Every function that can fail returns an
 * enum status; the message, made once where the facts are, lies in the context's struct error. */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#define STATUS_LIST(X)                                                                                                 \
    X(OK, "ok")                                                                                                        \
    X(NO_MEMORY, "out of memory")                                                                                      \
    X(BAD_INPUT, "bad input")                                                                                          \
    X(BAD_SHAPE, "shapes do not fit")                                                                                  \
    X(IO, "input or output failed")                                                                                    \
    X(UNSUPPORTED, "not supported")                                                                                    \
    X(NOT_FINITE, "a value is not finite")                                                                             \
    X(CANCELLED, "cancelled")

enum status {
#define X(name, text) STATUS_##name,
    STATUS_LIST(X)
#undef X
};

/* status_text: the words of STATUS_LIST; never NULL. */
const char *status_text(enum status status);

/* TRY: for functions with `enum status status` and one `cleanup:` label. */
#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        status = (call);                                                                                               \
        if (status != STATUS_OK)                                                                                       \
            goto cleanup;                                                                                              \
    } while (0)

/* RETURN_IF: for functions that hold nothing to free. */
#define RETURN_IF(call)                                                                                                \
    do {                                                                                                               \
        enum status status_ = (call);                                                                                  \
        if (status_ != STATUS_OK)                                                                                      \
            return status_;                                                                                            \
    } while (0)

#endif
