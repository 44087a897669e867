/* left_over.h: does a test leave a descriptor, a child or a signal behind? */
#ifndef SUPPORT_LEFT_OVER_H
#define SUPPORT_LEFT_OVER_H

/* For the tests of a file that may not: cmocka's set-up and tear-down. */
#define LEAVES_NOTHING(test) cmocka_unit_test_setup_teardown(test, nothing_yet, nothing_left)

int nothing_yet(void **state);
int nothing_left(void **state);

#endif
