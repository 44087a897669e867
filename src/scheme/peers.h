/* peers.h: networks that learn side by side in one stage: what the online schemes without a teacher share. */
#ifndef SCHEME_PEERS_H
#define SCHEME_PEERS_H

#include "scheme/build.h"

struct peers_options {
    int64_t peers;
    struct option_integers peer_seeds;
    const struct value *networks;
};
enum { PEERS_MAX = 16, PEERS_OPTIONS_COUNT = 3 };

/* The first options of a scheme with peers; `field_`: a struct peers_options of its options. */
#define PEERS_OPTIONS(owner_, field_)                                                                                  \
    {.name = "peers",                                                                                                  \
     .offset = offsetof(owner_, field_) + offsetof(struct peers_options, peers),                                       \
     .type = OPTION_INTEGER,                                                                                           \
     .initial = "2",                                                                                                   \
     .min = 2,                                                                                                         \
     .max = PEERS_MAX,                                                                                                 \
     .help = "networks that learn together; the student is the first"},                                                \
        {.name = "peer_seeds",                                                                                         \
         .offset = offsetof(owner_, field_) + offsetof(struct peers_options, peer_seeds),                              \
         .type = OPTION_INTEGERS,                                                                                      \
         .min = 0,                                                                                                     \
         .max = 9e15,                                                                                                  \
         .help = "of their initial weights, added to the run's seed; default [0, 1000, 2000, …]"},                     \
    {                                                                                                                  \
        .name = "networks", .offset = offsetof(owner_, field_) + offsetof(struct peers_options, networks),             \
        .type = OPTION_VALUE,                                                                                          \
        .help = "of the peers behind the student, where they are not like it: a list of {name: cnn, widths: …} or "  \
                "{layers: […]}"                                                                                      \
    }

/* stage_peers: adds the peers as learners 0 to peers - 1: the student, the subject; and behind it "peer1" …, saved as peer-I-SEED. They see
 * the same batch and the same views. */
enum status stage_peers(const struct request *request, struct stage_list *list, struct stage *stage,
                        const struct peers_options *options);

#endif
