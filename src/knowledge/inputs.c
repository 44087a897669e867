/* inputs.c: see inputs.h. */
#include "knowledge/inputs.h"

const struct method_input inputs_logits[2] = {
    {"logits", ROLE_LOGITS, SIDE_STUDENT, 1, 1},
    {"logits", ROLE_LOGITS, SIDE_TEACHER, 1, 1},
};
const struct method_input inputs_student_logits[1] = {{"logits", ROLE_LOGITS, SIDE_STUDENT, 1, 1}};
const struct method_input inputs_embedding_pairs[2] = {
    {"embedding", ROLE_EMBEDDING, SIDE_STUDENT, 1, METHOD_TAPS},
    {"embedding", ROLE_EMBEDDING, SIDE_TEACHER, 1, METHOD_TAPS},
};
const struct method_input inputs_activation_pairs[2] = {
    {"activations", ROLE_ACTIVATIONS, SIDE_STUDENT, 1, METHOD_TAPS},
    {"activations", ROLE_ACTIVATIONS, SIDE_TEACHER, 1, METHOD_TAPS},
};
const struct method_input inputs_map_pairs[2] = {
    {"map", ROLE_MAP, SIDE_STUDENT, 1, METHOD_TAPS},
    {"map", ROLE_MAP, SIDE_TEACHER, 1, METHOD_TAPS},
};
const struct method_input inputs_map_pairs_or_teacher[2] = {
    {"map", ROLE_MAP, SIDE_STUDENT, 0, METHOD_TAPS},
    {"map", ROLE_MAP, SIDE_TEACHER, 1, METHOD_TAPS},
};
const struct method_input inputs_unactivated_pairs[2] = {
    {"map", ROLE_MAP_BEFORE_ACTIVATION, SIDE_STUDENT, 1, METHOD_TAPS},
    {"map", ROLE_MAP_BEFORE_ACTIVATION, SIDE_TEACHER, 1, METHOD_TAPS},
};
const struct method_input inputs_maps[2] = {
    {"map", ROLE_MAP, SIDE_STUDENT, 2, METHOD_TAPS},
    {"map", ROLE_MAP, SIDE_TEACHER, 2, METHOD_TAPS},
};
