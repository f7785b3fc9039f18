// A guest that uses WASI through wasi-libc: one command a call, its words separated by single spaces.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <wasi/api.h>

extern char **environ;

#define ANSWER_MAX 65536
static char answer[ANSWER_MAX];
static struct { const char *text; size_t length; } result;

__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t size, size_t align, size_t next) {
  (void)size; (void)align;
  return realloc(old, next);
}

static void say(const char *text) { strncat(answer, text, ANSWER_MAX - strlen(answer) - 1); }

static void fail(void) {
  answer[0] = 0;
  say("error: ");
  say(strerror(errno));
}

static void cat(const char *path) {
  int file = open(path, O_RDONLY);
  if (file < 0) { fail(); return; }
  ssize_t got = read(file, answer, ANSWER_MAX - 1);
  if (got < 0) fail(); else answer[got] = 0;
  close(file);
}

static void put(const char *path, const char *text, int flags) {
  int file = open(path, O_WRONLY | O_CREAT | flags, 0644);
  if (file < 0) { fail(); return; }
  if (write(file, text, strlen(text)) < 0) fail(); else say("ok");
  close(file);
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void list(const char *path) {
  DIR *directory = opendir(path);
  if (directory == NULL) { fail(); return; }
  char *names[256];
  size_t count = 0;
  for (struct dirent *entry; count < 256 && (entry = readdir(directory)) != NULL;)
    if (entry->d_name[0] != '.') {
      names[count] = malloc(strlen(entry->d_name) + 2);
      strcpy(names[count], entry->d_name);
      if (entry->d_type == DT_DIR) strcat(names[count], "/");
      count++;
    }
  closedir(directory);
  qsort(names, count, sizeof *names, by_name);
  for (size_t at = 0; at < count; at++) {
    if (at > 0) say(" ");
    say(names[at]);
    free(names[at]);
  }
}

static void status(int outcome) { if (outcome < 0) fail(); else say("ok"); }

static void describe(const char *path) {
  struct stat found;
  if (stat(path, &found) < 0) { fail(); return; }
  snprintf(answer, ANSWER_MAX, "%s %lld links %d", S_ISDIR(found.st_mode) ? "directory" : "file",
           (long long)found.st_size, (int)found.st_nlink);
}

static void flood(const char *lines) {
  static char block[65536];
  memset(block, 'x', sizeof block);
  for (size_t at = 63; at < sizeof block; at += 64) block[at] = '\n';
  for (long long left = atoll(lines); left > 0; left -= sizeof block / 64) write(STDERR_FILENO, block, sizeof block);
  say("ok");
}

static void clocks(void) {
  struct timespec wall, steady;
  clock_gettime(CLOCK_REALTIME, &wall);
  clock_gettime(CLOCK_MONOTONIC, &steady);
  snprintf(answer, ANSWER_MAX, "%lld.%03ld %lld.%03ld", (long long)wall.tv_sec, wall.tv_nsec / 1000000,
           (long long)steady.tv_sec, steady.tv_nsec / 1000000);
}

static void run(char *command) {
  char *words[4] = {command, "", "", ""};
  for (int count = 1; count < 4; count++) {
    char *space = strchr(words[count - 1], ' ');
    if (space == NULL) break;
    *space = 0;
    words[count] = space + 1;
  }
  const char *name = words[0], *first = words[1], *second = words[2];
  if (!strcmp(name, "cat")) cat(first);
  else if (!strcmp(name, "write")) put(first, second, O_TRUNC);
  else if (!strcmp(name, "append")) put(first, second, O_APPEND);
  else if (!strcmp(name, "create")) put(first, second, O_EXCL);
  else if (!strcmp(name, "ls")) list(first);
  else if (!strcmp(name, "stat")) describe(first);
  else if (!strcmp(name, "mkdir")) status(mkdir(first, 0755));
  else if (!strcmp(name, "rmdir")) status(rmdir(first));
  else if (!strcmp(name, "unlink")) status(unlink(first));
  else if (!strcmp(name, "rename")) status(rename(first, second));
  else if (!strcmp(name, "symlink")) status(symlink(first, second));
  else if (!strcmp(name, "link")) status(link(first, second));
  else if (!strcmp(name, "truncate")) status(truncate(first, atoll(second)));
  else if (!strcmp(name, "readlink")) {
    ssize_t length = readlink(first, answer, ANSWER_MAX - 1);
    if (length < 0) fail(); else answer[length] = 0;
  } else if (!strcmp(name, "touch")) {
    struct timespec times[2] = {{atoll(second), 0}, {atoll(second), 0}};
    status(utimensat(AT_FDCWD, first, times, 0));
  } else if (!strcmp(name, "mtime")) {
    struct stat found;
    if (stat(first, &found) < 0) fail(); else snprintf(answer, ANSWER_MAX, "%lld", (long long)found.st_mtime);
  } else if (!strcmp(name, "open")) {
    // Leaves the files open: what a careless guest does.
    for (int left = atoi(second); left > 0; left--) if (open(first, O_RDONLY) < 0) { fail(); return; }
    say("ok");
  } else if (!strcmp(name, "args")) {
    // A reactor has no main, so wasi-libc keeps no arguments: they are asked for as main would.
    size_t count, size;
    if (__wasi_args_sizes_get(&count, &size) != 0) { fail(); return; }
    uint8_t **arguments = calloc(count + 1, sizeof *arguments), *text = malloc(size + 1);
    if (__wasi_args_get(arguments, text) != 0) { fail(); return; }
    for (size_t at = 0; at < count; at++) { say((char *)arguments[at]); say(";"); }
    free(arguments);
    free(text);
  } else if (!strcmp(name, "env")) {
    for (char **variable = environ; variable != NULL && *variable != NULL; variable++) { say(*variable); say(";"); }
  } else if (!strcmp(name, "sleep")) { usleep((useconds_t)atoi(first) * 1000); say("slept"); }
  else if (!strcmp(name, "print")) { printf("%s", first); for (int at = 2; at < 4 && words[at][0]; at++) printf(" %s", words[at]); printf("\n"); fflush(stdout); say("ok"); }
  else if (!strcmp(name, "warn")) { fprintf(stderr, "%s %s\n", first, second); say("ok"); }
  else if (!strcmp(name, "part")) { fprintf(stderr, "%s", first); say("ok"); }
  else if (!strcmp(name, "flood")) flood(first);
  else if (!strcmp(name, "input")) { ssize_t got = read(STDIN_FILENO, answer, ANSWER_MAX - 1); if (got < 0) fail(); else answer[got] = 0; }
  else if (!strcmp(name, "clocks")) clocks();
  else if (!strcmp(name, "random")) { uint32_t value; getentropy(&value, sizeof value); snprintf(answer, ANSWER_MAX, "%u", (unsigned)value); }
  else if (!strcmp(name, "exit")) exit(atoi(first));
  else if (!strcmp(name, "trap")) __builtin_trap();
  else say("error: unknown command");
}

__attribute__((export_name("run"))) void *run_export(char *text, size_t length) {
  char command[4096];
  if (length >= sizeof command) length = sizeof command - 1;
  memcpy(command, text, length);
  command[length] = 0;
  free(text);
  answer[0] = 0;
  run(command);
  result.text = answer;
  result.length = strlen(answer);
  return &result;
}
