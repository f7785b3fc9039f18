// The guest in C, with the canonical ABI by hand: texts are a pointer and a length.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT(name) __attribute__((export_name(name)))

__attribute__((import_module("$root"), import_name("say"))) void say(const char *at, size_t length);

EXPORT("cabi_realloc")
void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size) {
  (void)old_size;
  (void)align;
  void *at = realloc(old, size);
  if (at == NULL && size > 0) abort();
  return at;
}

EXPORT("add") uint64_t add(uint32_t amount) {
  static uint64_t total = 0;
  return total += amount;
}

struct text {
  char *at;
  size_t length;
};

static struct text answer;

EXPORT("greet") struct text *greet(char *name, size_t length) {
  size_t size = length + sizeof "greeting ";
  char *line = malloc(size);
  say(line, (size_t)snprintf(line, size, "greeting %.*s", (int)length, name));
  free(line);
  answer.at = malloc(length + sizeof "Hello, !");
  answer.length = (size_t)sprintf(answer.at, "Hello, %.*s!", (int)length, name);
  free(name);
  return &answer;
}

EXPORT("cabi_post_greet") void after_greet(struct text *given) {
  free(given->at);
}

EXPORT("fail") void fail(void) {
  fprintf(stderr, "on purpose\n");
  abort();
}
