#include "sums.h"

long first(const long *numbers) { return numbers[0]; }
