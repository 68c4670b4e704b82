/* Reads an access log on standard input, prints what every client took: requests, bytes, failures, longest path. */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 4096
#define NAME_MAX_BYTES 64

struct client {
    char name[NAME_MAX_BYTES];
    long requests;
    long long bytes;
    long failures;
    size_t longest_path;
};

static struct client *clients;
static size_t client_count, client_room;

/* Host names are the same in upper and lower case. */
static int same_name(const char *a, const char *b)
{
    for (size_t i = 0; i <= strlen(a); i++)
        if (tolower((unsigned char)a[i]) != tolower((unsigned char)b[i]))
            return 0;
    return 1;
}

static struct client *find_client(const char *name)
{
    for (size_t i = 0; i < client_count; i++)
        if (same_name(clients[i].name, name))
            return &clients[i];
    if (client_count == client_room) {
        client_room = client_room ? 2 * client_room : 64;
        clients = realloc(clients, client_room * sizeof *clients);
        if (!clients) {
            fputs("access_log: out of memory\n", stderr);
            exit(2);
        }
    }
    struct client *added = &clients[client_count++];
    memset(added, 0, sizeof *added);
    for (size_t i = 0; i < strlen(name); i++)
        added->name[i] = (char)tolower((unsigned char)name[i]);
    return added;
}

/* A line is: client status bytes path. A "-" for bytes is none. */
static int count_line(char *line)
{
    char name[NAME_MAX_BYTES], amount[32], path[LINE_MAX_BYTES];
    int status;
    if (sscanf(line, "%63s %d %31s %4095s", name, &status, amount, path) != 4)
        return 0;
    struct client *client = find_client(name);
    client->requests++;
    client->bytes += strcmp(amount, "-") == 0 ? 0 : atoll(amount);
    client->failures += status >= 400;
    if (strlen(path) > client->longest_path)
        client->longest_path = strlen(path);
    return 1;
}

static int by_bytes(const void *a, const void *b)
{
    const struct client *left = a, *right = b;
    if (left->bytes != right->bytes)
        return left->bytes < right->bytes ? 1 : -1;
    return strcmp(left->name, right->name);
}

int main(void)
{
    char line[LINE_MAX_BYTES];
    long skipped = 0;
    while (fgets(line, sizeof line, stdin))
        skipped += !count_line(line);
    qsort(clients, client_count, sizeof *clients, by_bytes);
    for (size_t i = 0; i < client_count; i++)
        printf("%s %ld %lld %ld %zu\n", clients[i].name, clients[i].requests, clients[i].bytes, clients[i].failures,
               clients[i].longest_path);
    printf("clients %zu, lines that are none: %ld\n", client_count, skipped);
    return 0;
}
