/*
 * The fan-out of C: what one connection sends goes to all others, by epoll and write() alone. It finds the
 * frames (u32be) in what it reads, and passes on whole ones. It has no limits, no time-outs and no queue:
 * for a slow connection it waits. It answers the bench's commands as the other subjects do.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_FDS 65536
#define CHUNK (64 * 1024)

/* What a connection has sent of a frame that is not whole yet; made when it sends for the first time. */
struct conn {
  int open;
  uint8_t *data;
  size_t used;
};

static struct conn conns[MAX_FDS];
static int members[MAX_FDS];
static int count, fresh, wanted = -1;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void answer_if_opened(void) {
  if (wanted < 0 || fresh < wanted) return;
  fresh -= wanted;
  wanted = -1;
  puts("{\"value\":null}");
  fflush(stdout);
}

static void command(void) {
  static char line[4096];
  ssize_t bytes = read(0, line, sizeof line - 1);
  if (bytes <= 0) exit(0); /* Whoever started this process has gone. */
  line[bytes] = 0;
  const char *opened = strstr(line, "\"count\":");
  if (strstr(line, "\"opened\"") == NULL || opened == NULL) {
    puts("{\"error\":\"Cannot do this in C\"}");
    fflush(stdout);
    return;
  }
  wanted = atoi(opened + 8);
  answer_if_opened();
}

static void leave(int fd) {
  for (int i = 0; i < count; i++) {
    if (members[i] == fd) members[i] = members[--count];
  }
  free(conns[fd].data);
  memset(&conns[fd], 0, sizeof conns[fd]);
  close(fd);
}

static void write_all(int fd, const uint8_t *bytes, size_t length) {
  while (length > 0) {
    ssize_t written = write(fd, bytes, length);
    if (written < 0 && errno == EAGAIN) {
      struct pollfd wait = {.fd = fd, .events = POLLOUT};
      poll(&wait, 1, -1);
    } else if (written < 0) {
      return; /* It has gone, which its next read tells. */
    } else {
      bytes += written;
      length -= written;
    }
  }
}

static void pass_on(int from) {
  struct conn *conn = &conns[from];
  if (conn->data == NULL) conn->data = malloc(CHUNK);
  ssize_t bytes = read(from, conn->data + conn->used, CHUNK - conn->used);
  if (bytes < 0 && errno == EAGAIN) return;
  if (bytes <= 0) return leave(from);
  conn->used += bytes;
  size_t whole = 0;
  while (conn->used - whole >= 4) {
    uint32_t length;
    memcpy(&length, conn->data + whole, 4);
    size_t frame = 4 + (size_t)ntohl(length);
    if (frame > CHUNK) return leave(from);
    if (conn->used - whole < frame) break;
    whole += frame;
  }
  for (int i = 0; whole > 0 && i < count; i++) {
    if (members[i] != from) write_all(members[i], conn->data, whole);
  }
  conn->used -= whole;
  memmove(conn->data, conn->data + whole, conn->used);
}

int main(void) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 4096) < 0) fail("listen");
  getsockname(listener, (struct sockaddr *)&address, &size);
  int epoll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN};
  event.data.fd = listener;
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  event.data.fd = 0;
  epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &event);
  printf("{\"port\":%d}\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    struct epoll_event events[256];
    int ready = epoll_wait(epoll, events, 256, -1);
    if (ready < 0 && errno != EINTR) fail("epoll_wait");
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (fd == 0) {
        command();
      } else if (fd != listener) {
        if (conns[fd].open) pass_on(fd);
      } else {
        int conn = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (conn < 0 || conn >= MAX_FDS) continue;
        int on = 1;
        setsockopt(conn, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        conns[conn].open = 1;
        members[count++] = conn;
        event.data.fd = conn;
        epoll_ctl(epoll, EPOLL_CTL_ADD, conn, &event);
        fresh++;
        answer_if_opened();
      }
    }
  }
}
