// A library like any other: no plugin.
int answer(void) { return 42; }
