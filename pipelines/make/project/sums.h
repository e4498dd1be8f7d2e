long add(long a, long b);
long divide(long a, long b);
long first(const long *numbers);
long gcd(long a, long b);
long last(const long *numbers, long count);
long multiply(long a, long b);
long negate(long a);
long square(long a);
long subtract(long a, long b);
