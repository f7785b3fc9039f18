// A guest that uses WASI's sockets. The calls are written out as the canonical ABI lowers them, since wasi-libc of
// this age has no sockets: parameters flat, results in memory at `ret`.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint32_t u32;
typedef uint8_t u8;
#define IMPORT(interface, name) __attribute__((import_module(interface), import_name(name)))
#define ADDRESS u32 tag, u32 a0, u32 a1, u32 a2, u32 a3, u32 a4, u32 a5, u32 a6, u32 a7, u32 a8, u32 a9, u32 a10

IMPORT("wasi:sockets/instance-network@0.2.12", "instance-network") u32 instance_network(void);
IMPORT("wasi:io/poll@0.2.12", "[method]pollable.block") void block(u32);
IMPORT("wasi:io/poll@0.2.12", "[resource-drop]pollable") void drop_pollable(u32);
IMPORT("wasi:sockets/ip-name-lookup@0.2.12", "resolve-addresses") void resolve_addresses(u32, const char *, u32, u8 *ret);
IMPORT("wasi:sockets/ip-name-lookup@0.2.12", "[method]resolve-address-stream.resolve-next-address") void next_address(u32, u8 *ret);
IMPORT("wasi:sockets/ip-name-lookup@0.2.12", "[method]resolve-address-stream.subscribe") u32 lookup_subscribe(u32);
IMPORT("wasi:sockets/tcp-create-socket@0.2.12", "create-tcp-socket") void create_tcp(u32, u8 *ret);
IMPORT("wasi:sockets/tcp@0.2.12", "[method]tcp-socket.start-connect") void start_connect(u32, u32, ADDRESS, u8 *ret);
IMPORT("wasi:sockets/tcp@0.2.12", "[method]tcp-socket.finish-connect") void finish_connect(u32, u8 *ret);
IMPORT("wasi:sockets/tcp@0.2.12", "[method]tcp-socket.start-listen") void start_listen(u32, u8 *ret);
IMPORT("wasi:sockets/tcp@0.2.12", "[method]tcp-socket.subscribe") u32 tcp_subscribe(u32);
IMPORT("wasi:sockets/tcp@0.2.12", "[method]tcp-socket.shutdown") void shutdown_tcp(u32, u32, u8 *ret);
IMPORT("wasi:sockets/tcp@0.2.12", "[resource-drop]tcp-socket") void drop_tcp(u32);
IMPORT("wasi:io/streams@0.2.12", "[method]output-stream.blocking-write-and-flush") void write_all(u32, const char *, u32, u8 *ret);
IMPORT("wasi:io/streams@0.2.12", "[method]input-stream.blocking-read") void read_some(u32, uint64_t, u8 *ret);
IMPORT("wasi:io/streams@0.2.12", "[resource-drop]input-stream") void drop_input(u32);
IMPORT("wasi:io/streams@0.2.12", "[resource-drop]output-stream") void drop_output(u32);
IMPORT("wasi:sockets/udp-create-socket@0.2.12", "create-udp-socket") void create_udp(u32, u8 *ret);
IMPORT("wasi:sockets/udp@0.2.12", "[method]udp-socket.start-bind") void start_bind_udp(u32, u32, ADDRESS, u8 *ret);
IMPORT("wasi:sockets/udp@0.2.12", "[method]udp-socket.finish-bind") void finish_bind_udp(u32, u8 *ret);
IMPORT("wasi:sockets/udp@0.2.12", "[method]udp-socket.subscribe") u32 udp_subscribe(u32);
IMPORT("wasi:sockets/udp@0.2.12", "[method]udp-socket.stream") void udp_stream(u32, u32 some, ADDRESS, u8 *ret);
IMPORT("wasi:sockets/udp@0.2.12", "[method]outgoing-datagram-stream.send") void udp_send(u32, u8 *, u32, u8 *ret);
IMPORT("wasi:sockets/udp@0.2.12", "[method]incoming-datagram-stream.receive") void udp_receive(u32, uint64_t, u8 *ret);
IMPORT("wasi:sockets/udp@0.2.12", "[method]incoming-datagram-stream.subscribe") u32 incoming_subscribe(u32);

static const char *const codes[] = {
  "unknown", "access-denied", "not-supported", "invalid-argument", "out-of-memory", "timeout", "concurrency-conflict",
  "not-in-progress", "would-block", "invalid-state", "new-socket-limit", "address-not-bindable", "address-in-use",
  "remote-unreachable", "connection-refused", "connection-reset", "connection-aborted", "datagram-too-large",
  "name-unresolvable", "temporary-resolver-failure", "permanent-resolver-failure"};
enum { WOULD_BLOCK = 8 };

static char answer[65536];
static struct { const char *text; size_t length; } result;
static _Alignas(8) u8 ret[64];

__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t size, size_t align, size_t next) {
  (void)size; (void)align;
  return realloc(old, next);
}

static u32 word(size_t at) { u32 value; memcpy(&value, ret + at, 4); return value; }

/** Whether the last call failed; the code is at `at`. */
static int failed(size_t at) {
  if (ret[0] == 0) return 0;
  snprintf(answer, sizeof answer, "error: %s", codes[ret[at]]);
  return 1;
}

static void wait_for(u32 pollable) { block(pollable); drop_pollable(pollable); }

static u8 found[16][4];

/** The IPv4 addresses of a name; negative if there are none. */
static int lookup(const char *name) {
  resolve_addresses(instance_network(), name, strlen(name), ret);
  if (failed(4)) return -1;
  u32 stream = word(4);
  int count = 0;
  for (;;) {
    next_address(stream, ret);
    if (ret[0] == 1 && ret[2] == WOULD_BLOCK) { wait_for(lookup_subscribe(stream)); continue; }
    if (failed(2)) return -1;
    if (ret[2] == 0 || count == 16) return count;
    if (ret[4] == 0) memcpy(found[count++], ret + 6, 4);
  }
}

static void show_lookup(const char *name) {
  int count = lookup(name);
  for (int at = 0; at < count; at++)
    snprintf(answer + strlen(answer), 32, "%s%d.%d.%d.%d", at ? " " : "", found[at][0], found[at][1], found[at][2], found[at][3]);
}

/** Connects to an address, sends, and reads to the end. */
static void talk(const u8 *to, u32 port, const char *text) {
  create_tcp(0, ret);
  if (failed(4)) return;
  u32 socket = word(4);
  start_connect(socket, instance_network(), 0, port, to[0], to[1], to[2], to[3], 0, 0, 0, 0, 0, 0, ret);
  if (failed(1)) { drop_tcp(socket); return; }
  for (;;) {
    finish_connect(socket, ret);
    if (ret[0] == 0) break;
    if (ret[4] == WOULD_BLOCK) { wait_for(tcp_subscribe(socket)); continue; }
    failed(4);
    drop_tcp(socket);
    return;
  }
  u32 input = word(4), output = word(8);
  write_all(output, text, strlen(text), ret);
  shutdown_tcp(socket, 1, ret);
  for (;;) {
    read_some(input, 1024, ret);
    if (ret[0] == 1) break;
    char *data; u32 length = word(8);
    memcpy(&data, ret + 4, 4);
    strncat(answer, data, length);
    free(data);
  }
  drop_input(input);
  drop_output(output);
  drop_tcp(socket);
}

static void datagram(const u8 *to, u32 port, const char *text) {
  create_udp(0, ret);
  if (failed(4)) return;
  u32 socket = word(4);
  start_bind_udp(socket, instance_network(), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ret);
  if (failed(1)) return;
  for (;;) {
    finish_bind_udp(socket, ret);
    if (ret[0] == 0) break;
    if (ret[1] != WOULD_BLOCK) { failed(1); return; }
    wait_for(udp_subscribe(socket));
  }
  udp_stream(socket, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ret);
  if (failed(4)) return;
  u32 incoming = word(4), outgoing = word(8);
  static _Alignas(4) u8 record[44];
  u32 length = strlen(text);
  memcpy(record, &text, 4);
  memcpy(record + 4, &length, 4);
  record[8] = 1;
  record[12] = 0;
  uint16_t to_port = port;
  memcpy(record + 16, &to_port, 2);
  memcpy(record + 18, to, 4);
  udp_send(outgoing, record, 1, ret);
  if (failed(8)) return;
  for (;;) {
    udp_receive(incoming, 1, ret);
    if (failed(4)) return;
    if (word(8) > 0) break;
    wait_for(incoming_subscribe(incoming));
  }
  u8 *datagrams; char *data; u32 size;
  memcpy(&datagrams, ret + 4, 4);
  memcpy(&data, datagrams, 4);
  memcpy(&size, datagrams + 4, 4);
  strncat(answer, data, size);
}

static void run(const char *command) {
  char name[8], first[256], second[16], text[1024];
  int count = sscanf(command, "%7s %255s %15s %1023s", name, first, second, text);
  u32 port = count > 2 ? atoi(second) : 0;
  if (!strcmp(name, "lookup")) show_lookup(first);
  else if (!strcmp(name, "tcp")) { if (lookup(first) > 0) talk(found[0], port, text); }
  else if (!strcmp(name, "udp")) { if (lookup(first) > 0) datagram(found[0], port, text); }
  else if (!strcmp(name, "listen")) { create_tcp(0, ret); start_listen(word(4), ret); failed(1); }
}

__attribute__((export_name("run"))) void *run_export(char *text, size_t length) {
  char command[4096] = {0};
  memcpy(command, text, length < sizeof command ? length : sizeof command - 1);
  free(text);
  answer[0] = 0;
  run(command);
  result.text = answer;
  result.length = strlen(answer);
  return &result;
}
