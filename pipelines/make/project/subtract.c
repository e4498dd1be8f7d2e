#include "sums.h"

long subtract(long a, long b) { return add(a, negate(b)); }
