#pragma once

// Sixteen numbers at once, in whatever registers the processor has: one of AVX-512, two of AVX,
// four of SSE or NEON. Helpers take vectors by address and are always inlined: a vector handed over
// as a value would be passed in registers that only some of the clones have.

/// How many numbers a vector holds.
enum { lanes = 16 };

typedef float vec __attribute__((vector_size(64)));
/// Sixteen numbers of double precision.
typedef double wide __attribute__((vector_size(128)));
typedef int mask __attribute__((vector_size(64)));
/// The same at any address.
typedef float loose __attribute__((vector_size(64), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))

/// Functions with this mark are compiled for each of these processors; which is run is decided when
/// the program is loaded.
#if defined(__x86_64__) && defined(__gnu_linux__)
#define CLONED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONED
#endif

#define LOAD(place) ((vec)*(const loose *)(place))
#define STORE(place, value) ((void)(*(loose *)(place) = (value)))

/// All lanes the same.
#define ALL(x) ((vec){} + (x))

/// Lane by lane: `a` where the mask is set, else `b`.
#define SELECT(which, a, b) ((vec)(((which) & (mask)(a)) | (~(which) & (mask)(b))))

/// The first `count` numbers, zeros behind them.
INLINE void load_some(const float *place, long count, vec *result) {
  float numbers[lanes] = {0};
  for (long i = 0; i < count; i++) numbers[i] = place[i];
  *result = LOAD(numbers);
}
