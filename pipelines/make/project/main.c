#include <stdio.h>

#include "sums.h"

int main(void) {
    long numbers[] = {12, 18, 30};
    long difference = subtract(square(first(numbers)), last(numbers, 3));
    printf("%ld\n", divide(difference, gcd(numbers[0], numbers[1])));
    return 0;
}
