#include "sums.h"

long last(const long *numbers, long count) { return numbers[count - 1]; }
