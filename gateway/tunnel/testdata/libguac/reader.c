/*
 * reader: what libguac reads. libguac_test.go builds it against the libguac
 * of this machine and asks it.
 *
 * Standard input is cases, one after the other; numbers have 32 bits, big
 * endian. A case is the number of its chunks, then each chunk's length and
 * bytes. One parser reads all chunks of a case, each read getting bytes of one
 * chunk at most, as a socket gives them. guac_parser_read does the work: it is
 * the loop that runs in guacd's child (libguac/user-handshake.c, user.c).
 *
 * The answer is the instructions, each the number of its elements and then
 * every element's length and bytes, up to what a handler sees as the end of
 * its string; then 0, the outcome, and how many bytes followed the last
 * instruction. A case that is not whole, or too large, ends the program with 2.
 */

#include <guacamole/error.h>
#include <guacamole/parser.h>
#include <guacamole/socket.h>

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_CHUNKS 4096
#define MOST_BYTES (1 << 20)

enum outcome {
    READ_ALL,   /* the end of the bytes came first */
    REFUSED,    /* a parse error */
    OVERFLOWED, /* no room in the buffer */
    ASTRAY      /* an element does not lie inside the buffer */
};

/* feed is the bytes of a case. */
struct feed {
    uint32_t chunks, chunk, at;
    uint32_t lengths[MOST_CHUNKS];
    char bytes[MOST_BYTES];
    uint32_t given; /* bytes that have been read */
};

static struct feed feed;

static int get(uint32_t* n) {
    if (fread(n, sizeof *n, 1, stdin) != 1)
        return 0;
    *n = ntohl(*n);
    return 1;
}

static void put(uint32_t n) {
    n = htonl(n);
    fwrite(&n, sizeof n, 1, stdout);
}

/* next_case reads a case into feed. 0 is the end of the input. */
static int next_case(void) {
    uint32_t i, total = 0;
    if (!get(&feed.chunks))
        return 0;
    if (feed.chunks > MOST_CHUNKS)
        exit(2);
    for (i = 0; i < feed.chunks; i++) {
        if (!get(&feed.lengths[i]) || feed.lengths[i] > MOST_BYTES - total)
            exit(2);
        if (fread(feed.bytes + total, 1, feed.lengths[i], stdin) != feed.lengths[i])
            exit(2);
        total += feed.lengths[i];
    }
    feed.chunk = feed.at = feed.given = 0;
    return 1;
}

static ssize_t feed_read(guac_socket* socket, void* to, size_t room) {
    size_t n;
    (void) socket;
    while (feed.chunk < feed.chunks && feed.at == feed.lengths[feed.chunk]) {
        feed.chunk++;
        feed.at = 0;
    }
    if (feed.chunk == feed.chunks)
        return 0;
    n = feed.lengths[feed.chunk] - feed.at;
    if (n > room)
        n = room;
    memcpy(to, feed.bytes + feed.given, n);
    feed.at += n;
    feed.given += n;
    return n;
}

static int feed_select(guac_socket* socket, int usec_timeout) {
    (void) socket;
    (void) usec_timeout;
    return 1;
}

/* inside says whether an element begins and ends in the parser's buffer. */
static int inside(const guac_parser* parser, const char* element) {
    const char* buffer = parser->__instructionbuf;
    const char* end = buffer + sizeof parser->__instructionbuf;
    return element >= buffer && element < end && memchr(element, 0, end - element) != NULL;
}

static void put_element(const char* element) {
    uint32_t n = strlen(element);
    put(n);
    fwrite(element, 1, n, stdout);
}

static enum outcome read_case(guac_parser* parser, guac_socket* socket, uint32_t* used) {
    while (guac_parser_read(parser, socket, 0) == 0) {
        int i, astray = !inside(parser, parser->opcode);
        for (i = 0; i < parser->argc; i++)
            astray |= !inside(parser, parser->argv[i]);
        if (astray)
            return ASTRAY;
        *used = feed.given - guac_parser_length(parser);
        put(parser->argc + 1);
        put_element(parser->opcode);
        for (i = 0; i < parser->argc; i++)
            put_element(parser->argv[i]);
    }
    switch (guac_error) {
        case GUAC_STATUS_CLOSED: return READ_ALL;
        case GUAC_STATUS_NO_MEMORY: return OVERFLOWED;
        default: return REFUSED;
    }
}

int main(void) {
    guac_socket* socket = guac_socket_alloc();
    if (socket == NULL)
        return 1;
    socket->read_handler = feed_read;
    socket->select_handler = feed_select;
    while (next_case()) {
        uint32_t used = 0;
        enum outcome outcome;
        guac_parser* parser = guac_parser_alloc();
        if (parser == NULL)
            return 1;
        /* What a handler would find beyond an element must not look like its end. */
        memset(parser->__instructionbuf, '#', sizeof parser->__instructionbuf);
        outcome = read_case(parser, socket, &used);
        guac_parser_free(parser);
        put(0);
        put(outcome);
        put(feed.given - used);
        fflush(stdout);
    }
    return 0;
}
