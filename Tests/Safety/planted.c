/* A race inside an OpenMP region, which the thread sanitizer must see as it sees the kernels'. */
static int last_writer(void) {
    int shared = 0;
#pragma omp parallel for num_threads(3)
    for (int i = 1; i <= 3000; i++)
        shared = i;
    return shared;
}

/* And none: what one region writes, the next one reads on other threads. */
static int sum(void) {
    static int numbers[3000];
    int total = 0;
#pragma omp parallel for num_threads(3)
    for (int i = 0; i < 3000; i++)
        numbers[i] = 1;
#pragma omp parallel for num_threads(2) reduction(+ : total)
    for (int i = 0; i < 3000; i++)
        total += numbers[2999 - i];
    return total;
}

int main(int argument_count, char **arguments) {
    (void)arguments;
    return (argument_count > 1 ? last_writer() : sum()) == 0;
}
