#include "sums.h"

long gcd(long a, long b) { return b ? gcd(b, a % b) : a; }
