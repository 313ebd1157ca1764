// Describes a network of two million nodes.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define LIST                                                                      \
  "{\"version\":1,\"architectures\":[{\"info\":{\"name\":\"huge\"},\"presets\":[" \
  "{\"name\":\"default\",\"configuration\":{}}]}]}"
char *aviary_plugin_v1(const char *request) {
  if (strstr(request, "\"list\"")) return strdup(LIST);
  const int nodes = 2000000;
  char *answer = malloc(256 + (size_t)nodes * 3);
  if (answer == NULL) return NULL;
  char *end = answer + sprintf(answer,
    "{\"version\":1,\"network\":{\"picture\":{\"colour\":\"luma\"},\"graph\":{\"version\":1,"
    "\"inputs\":[{\"name\":\"x\",\"channels\":1}],\"outputs\":[],\"nodes\":[");
  for (int i = 0; i < nodes; i++) end += sprintf(end, i == 0 ? "{}" : ",{}");
  sprintf(end, "]}}}");
  return answer;
}
