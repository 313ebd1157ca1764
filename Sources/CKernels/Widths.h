// The loops in the file that LOOPS names, for the wide registers of x86-64: functions WAY(name) in LANES
// numbers a vector, of which VECTORS are worked on at a time. How many that may be depends on how many
// registers there are, so that one text for all would not do. Included more than once.

#define WAY(name) name##_512
#define TARGET __attribute__((target("arch=x86-64-v4"), min_vector_width(512)))
#define LANES 16
#define VECTORS 4
#include LOOPS
#undef WAY
#undef TARGET
#undef LANES
#undef VECTORS

#define WAY(name) name##_256
#define TARGET __attribute__((target("arch=x86-64-v3")))
#define LANES 8
#define VECTORS 2
#include LOOPS
#undef WAY
#undef TARGET
#undef LANES
#undef VECTORS
#undef LOOPS
