// Describes networks whose sizes overflow: which one, the configuration says.
#include <string.h>
#define LIST                                                                         \
  "{\"version\":1,\"architectures\":[{\"info\":{\"name\":\"hostile\"},\"presets\":[" \
  "{\"name\":\"default\",\"configuration\":{\"how\":\"\"}}]}]}"
#define GRAPH(channels, nodes)                                                            \
  "{\"version\":1,\"network\":{\"picture\":{\"colour\":\"luma\"},\"graph\":{\"version\":1," \
  "\"inputs\":[{\"name\":\"x\",\"channels\":" channels "}],\"nodes\":[" nodes "],"        \
  "\"outputs\":[{\"name\":\"y\",\"value\":\"a\"}]}}}"
char *aviary_plugin_v1(const char *request) {
  if (strstr(request, "\"list\"")) return strdup(LIST);
  if (strstr(request, "channels")) return strdup(GRAPH("9223372036854775807",
      "{\"name\":\"a\",\"op\":\"relu\",\"inputs\":[\"x\"]}"));
  if (strstr(request, "dimensions"))
    return strdup(GRAPH("1",
      "{\"name\":\"a\",\"op\":\"layerNormalization\",\"inputs\":[\"x\"],\"dimensions\":-1}"));
  if (strstr(request, "kernel"))
    return strdup(GRAPH("1048576",
      "{\"name\":\"a\",\"op\":\"convolution\",\"inputs\":[\"x\"],\"filters\":1048576,"
      "\"kernel\":4096}"));
  if (strstr(request, "size"))
    return strdup(GRAPH("4",
      "{\"name\":\"b\",\"op\":\"resize\",\"kernel\":\"nearest\",\"factor\":4096,"
      "\"inputs\":[\"x\"]},{\"name\":\"a\",\"op\":\"pixelShuffle\",\"factor\":64,"
      "\"inputs\":[\"b\"]}"));
  return NULL;
}
