// Answers what is neither JSON nor text.
#include <string.h>
char *aviary_plugin_v1(const char *request) { return strdup("\xff\xfe{garbage"); }
