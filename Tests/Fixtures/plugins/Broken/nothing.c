// Answers nothing.
#include <stddef.h>
char *aviary_plugin_v1(const char *request) { return NULL; }
