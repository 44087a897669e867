/* exits.h: what a stage's exits are worth, as result.json has it. */
#ifndef REPORT_EXITS_H
#define REPORT_EXITS_H

#include <stddef.h>

struct report_exit {
    const char *name;
    double macs, accuracy, loss; /* macs: of a sample that leaves here */
};

struct report_exits {
    size_t count; /* 0: the network has no exits */
    const struct report_exit *exit;
    double threshold; /* chosen on the validation split; NaN: none was */
    double accuracy, macs, saved,
        plain; /* of early exit at it; plain: MACs of a sample in the network without its exits */
};

#endif
