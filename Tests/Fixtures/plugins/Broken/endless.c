// Answers more than anyone reads: 64 MiB and one byte.
#include <stdlib.h>
#include <string.h>
char *aviary_plugin_v1(const char *request) {
  size_t size = (64 << 20) + 1;
  char *answer = malloc(size + 1);
  if (answer == NULL) return NULL;
  memset(answer, ' ', size);
  answer[size] = 0;
  return answer;
}
