/* The floor: N times posix_spawn(3) of argv[3] and what follows, argv[2] at once. */
#define _GNU_SOURCE
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

extern char **environ;

int main(int argc, char **argv) {
    if (argc < 4) return 2;
    int left = atoi(argv[1]), most = atoi(argv[2]), running = 0;
    for (; left; left--, running++) {
        pid_t pid;
        if (running == most) wait(0), running--;
        if (posix_spawn(&pid, argv[3], 0, 0, argv + 3, environ)) return 1;
    }
    while (running--) wait(0);
    return 0;
}
