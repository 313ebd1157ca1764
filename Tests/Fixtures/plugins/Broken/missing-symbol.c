// Linked with something that is not there when it is loaded.
char *a_function_of_nobody(void);
char *aviary_plugin_v1(const char *request) { return a_function_of_nobody(); }
