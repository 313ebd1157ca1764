#include "CKernels.h"
#include "Functions.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Swin Transformer's block (Liu et al., 2021) and its like in one pass a window, with nothing the
// size of the image or of its scores between the steps.

/// Outputs that are calculated at a time. With four vectors of tokens they fill 24 of 32 registers.
enum { most_rows = 6 };

long aviary_token_rows(long outputs) { return (outputs + most_rows - 1) / most_rows; }

/// erf(x / sqrt 2) on 16 stretches of 0.34375 from 0 on, by polynomials in the distance from the
/// middle of each, in stretches: the number of the stretch is that of the column. Least-maximum fits
/// of our own, right to 5e-9 before rounding.
static const float error_function_table[6][16] = {
    {0.13646419f, 0.39388365f, 0.60986632f, 0.77107203f, 0.87810659f, 0.9413256f, 0.9745416f,
     0.99006617f, 0.9965207f, 0.99890774f, 0.99969304f, 0.99992287f, 0.99998266f, 0.99999654f,
     0.9999994f, 0.99999988f},
    {0.27025142f, 0.24013199f, 0.18958938f, 0.13300256f, 0.082906395f, 0.04591959f, 0.02259904f,
     0.0098824352f, 0.0038399005f, 0.0013257388f, 0.00040670368f, 0.00011086139f, 2.685127e-05f,
     5.7787202e-06f, 1.1050477e-06f, 1.8776431e-07f},
    {-0.0079833437f, -0.02128087f, -0.028003005f, -0.027503118f, -0.022042347f, -0.014921786f,
     -0.0086789001f, -0.0043791016f, -0.0019283814f, -0.00074408756f, -0.00025228449f,
     -7.5313386e-05f, -1.9825655e-05f, -4.6074647e-06f, -9.4617559e-07f, -1.7181959e-07f},
    {-0.0051650181f, -0.0034717999f, -0.0009763352f, 0.0011721167f, 0.0022741025f, 0.0023281921f,
     0.0017769162f, 0.0010990137f, 0.00057000702f, 0.00025232745f, 9.6334152e-05f, 3.1933352e-05f,
     9.2333439e-06f, 2.3364842e-06f, 5.1871467e-07f, 1.0122286e-07f},
    {0.00023181963f, 0.00056912814f, 0.0006202854f, 0.00041940366f, 0.00013280625f, -8.2685059e-05f,
     -0.00016901267f, -0.00015678351f, -0.00010521601f, -5.639622e-05f, -2.5112413e-05f,
     -9.4787065e-06f, -3.0690362e-06f, -8.590078e-07f, -2.0895344e-07f, -4.4344251e-08f},
    {8.8187706e-05f, 4.1065879e-05f, -1.9216614e-05f, -5.5083045e-05f, -5.4046148e-05f,
     -3.0295181e-05f, -5.4848238e-06f, 8.2555071e-06f, 1.0955237e-05f, 8.1295057e-06f,
     4.490093e-06f, 1.9946051e-06f, 7.3708662e-07f, 2.3075437e-07f, 6.1887029e-08f, 1.4325034e-08f},
};

/// GELU of some numbers, for registers too narrow for the table.
static CLONED void gelu_in_place(float *numbers, long count) {
  for (long i = 0; i < count; i += lanes) {
    vec x, z, y;
    load_some(numbers + i, count - i < lanes ? count - i : lanes, &x);
    z = x * 0.70710678f;
    error_function(&z, &y);
    y = x * 0.5f * (1 + y);
    if (count - i >= lanes) STORE(numbers + i, y);
    else
      for (long k = 0; k < count - i; k++) numbers[i + k] = y[k];
  }
}

// MARK: - Windows

/// What follows from the sizes of windows and heads.
typedef struct {
  /// The tokens of a window, and those that it attends to; with what fills whole blocks.
  long queries, keys, query_stride, key_stride;
  /// The channels of what is multiplied, and of all heads' results.
  long channels, mixed;
  long reach_height, reach_width;
} window_sizes;

static long in_blocks(long count, long block) { return (count + block - 1) / block * block; }

static window_sizes sizes_of(const aviary_window_attention *how, long block) {
  window_sizes s;
  s.reach_height = how->window_height + 2 * how->margin_height;
  s.reach_width = how->window_width + 2 * how->margin_width;
  s.queries = how->window_height * how->window_width;
  s.keys = s.reach_height * s.reach_width;
  s.query_stride = in_blocks(s.queries, block);
  s.key_stride = in_blocks(s.keys, block);
  s.channels = how->projects ? how->heads_products[0].inputs : 0;
  s.mixed = how->heads * how->value_size;
  return s;
}

/// Where one thread keeps what lies between the steps. Rows hold a channel of all tokens.
typedef struct {
  float *raw, *normal, *head_queries, *head_keys, *head_values, *scores, *mixed, *result, *masks,
      *zeros;
  /// Where the channels of each token lie.
  const float **queries, **keys, **values, **added;
  float **targets;
  /// The part of its window that each token is in.
  unsigned char *parts;
  /// Numbers of all together.
  long count;
} window_room;

/// Divides scratch memory, which may be null to measure it.
static window_room room_for(const aviary_window_attention *how, const window_sizes *s, long block,
                            float *scratch) {
  window_room room = {0};
  long used = 0;
  const long outputs = how->last.outputs ? how->last.outputs : s->mixed;
  const long pointer = sizeof(float *) / sizeof(float);
  // Every part begins where a cache line does.
#define PART(name, numbers)                           \
  if (scratch) room.name = (void *)(scratch + used);  \
  used += in_blocks(numbers, 16)
  PART(raw, s->channels * s->query_stride);
  PART(normal, s->channels * s->query_stride);
  PART(head_queries, how->size * s->query_stride);
  PART(head_keys, how->size * s->key_stride);
  PART(head_values, how->value_size * s->key_stride);
  PART(scores, s->keys * block);
  PART(mixed, s->mixed * s->query_stride);
  PART(result, outputs * block);
  PART(masks, 4 * s->query_stride);
  PART(zeros, how->heads * (how->size > how->value_size ? how->size : how->value_size));
  PART(queries, s->query_stride * pointer);
  PART(keys, s->key_stride * pointer);
  PART(values, s->key_stride * pointer);
  PART(added, s->query_stride * pointer);
  PART(targets, s->query_stride * pointer);
  PART(parts, (s->key_stride + 3) / 4);
#undef PART
  if (scratch && how->projects) {
    // One product gives all three.
    room.head_keys = room.head_queries + how->size * s->query_stride;
    room.head_values = room.head_keys + how->size * s->query_stride;
  }
  room.count = used;
  return room;
}

/// A place less than twice a size, taken from the other side where it is beyond.
static long wrapped(long place, long size) { return place < size ? place : place - size; }

/// Finds the tokens of a window.
///
/// - Returns: whether it has parts that a shift has brought together.
static int place_window(const aviary_window_attention *how, const window_sizes *s,
                        const window_room *room, long window, aviary_tokens queries,
                        aviary_tokens keys, aviary_tokens values, aviary_tokens added, float *to,
                        long result_channels, long block) {
  const long rows = how->height / how->window_height, columns = how->width / how->window_width;
  const long image = window / (rows * columns), place = window % (rows * columns);
  const long row = place / columns, column = place % columns;
  const long start = image * how->height * how->width;
  const int is_split = (how->shift_height && row == rows - 1)
      || (how->shift_width && column == columns - 1);
  for (long i = 0, token = 0; i < how->window_height; i++) {
    const long y = how->is_spread
        ? i * rows + row
        : wrapped(row * how->window_height + i + how->shift_height, how->height);
    const int below = how->shift_height && row == rows - 1
        && i >= how->window_height - how->shift_height;
    for (long j = 0; j < how->window_width; j++, token++) {
      const long x = how->is_spread
          ? j * columns + column
          : wrapped(column * how->window_width + j + how->shift_width, how->width);
      const int right = how->shift_width && column == columns - 1
          && j >= how->window_width - how->shift_width;
      const long pixel = start + y * how->width + x;
      room->queries[token] = queries.start + pixel * queries.pixel;
      room->added[token] = added.start ? added.start + pixel * added.pixel : 0;
      room->targets[token] = to + pixel * result_channels;
      room->parts[token] = (unsigned char)(2 * below + right);
    }
  }
  // What fills the last block is calculated and not kept.
  for (long token = s->queries; token < s->query_stride; token++) {
    room->queries[token] = room->queries[s->queries - 1];
    room->added[token] = room->added[s->queries - 1];
  }
  if (is_split) {
    for (long token = 0; token < s->query_stride; token++) {
      const int part = token < s->queries ? room->parts[token] : 0;
      float *masks = room->masks + token / block * 4 * block + token % block;
      for (int other = 0; other < 4; other++) masks[other * block] = other == part ? 0 : how->mask;
    }
  }
  if (how->projects) return is_split;
  memset(room->zeros, 0,
         how->heads * (how->size > how->value_size ? how->size : how->value_size) * sizeof(float));
  for (long i = 0, token = 0; i < s->reach_height; i++) {
    long y = how->is_spread
        ? i * rows + row : row * how->window_height + i + how->shift_height - how->margin_height;
    if (how->shift_height) y = wrapped(y, how->height);
    for (long j = 0; j < s->reach_width; j++, token++) {
      long x = how->is_spread ? j * columns + column
                              : column * how->window_width + j + how->shift_width - how->margin_width;
      if (how->shift_width) x = wrapped(x, how->width);
      const int is_inside = y >= 0 && y < how->height && x >= 0 && x < how->width;
      const long pixel = start + y * how->width + x;
      room->keys[token] = is_inside ? keys.start + pixel * keys.pixel : room->zeros;
      room->values[token] = is_inside ? values.start + pixel * values.pixel : room->zeros;
    }
  }
  for (long token = s->keys; token < s->key_stride; token++)
    room->keys[token] = room->values[token] = room->zeros;
  return is_split;
}

// The loops themselves, for registers of several widths.

#undef INLINE
#undef LOAD
#undef STORE

#if defined(__x86_64__)

/// Two numbers in bfloat16 as one of 32 bits.
typedef int narrow_pair __attribute__((may_alias));

/// Numbers of two vectors that lie behind one another, in turns.
static const unsigned short narrow_order[32] = {
    0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
    8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};

#define WAY(name) name##_narrow
#define TARGET __attribute__((target("arch=x86-64-v4,avx512bf16"), min_vector_width(512)))
#define LANES 16
#define VECTORS 4
#define NARROW 1
#include "TokensWay.h"
#undef WAY
#undef TARGET
#undef LANES
#undef VECTORS
#undef NARROW

#define NARROW 0

#define LOOPS "TokensWay.h"
#include "Widths.h"

#else
#define NARROW 0
#endif

#define WAY(name) name##_128
#define TARGET
#define LANES 4
#if defined(__aarch64__)
#define VECTORS 4
#else
#define VECTORS 2
#endif
#include "TokensWay.h"

enum aviary_token_way aviary_token_widest(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("x86-64-v4")) return AVIARY_TOKENS_512;
  if (__builtin_cpu_supports("x86-64-v3")) return AVIARY_TOKENS_256;
#endif
  return AVIARY_TOKENS_128;
}

long aviary_token_block(enum aviary_token_way way) {
  switch (way) {
    case AVIARY_TOKENS_512:
    case AVIARY_TOKENS_NARROW: return 64;
    case AVIARY_TOKENS_256: return 16;
    case AVIARY_TOKENS_128: return LANES * VECTORS;
  }
}

long aviary_token_chain_scratch(const aviary_token_chain *chain, enum aviary_token_way way) {
  const long last = chain->second.outputs ? chain->second.outputs : chain->first.outputs;
  return aviary_token_block(way)
      * (2 * chain->first.inputs + chain->first.outputs + 2 * last);
}

void aviary_token_chain_run(const aviary_token_chain *chain, enum aviary_token_way way,
                            const float *from, const float *added, float *to, float *scratch,
                            long first, long end) {
#if defined(__x86_64__)
  if (way == AVIARY_TOKENS_NARROW)
    return run_chain_narrow(chain, from, added, to, scratch, first, end);
  if (way == AVIARY_TOKENS_512)
    return run_chain_512(chain, from, added, to, scratch, first, end);
  if (way == AVIARY_TOKENS_256)
    return run_chain_256(chain, from, added, to, scratch, first, end);
#endif
  run_chain_128(chain, from, added, to, scratch, first, end);
}

long aviary_window_attention_scratch(const aviary_window_attention *how,
                                     enum aviary_token_way way) {
  const long block = aviary_token_block(way);
  const window_sizes s = sizes_of(how, block);
  return room_for(how, &s, block, 0).count;
}

void aviary_window_attention_run(const aviary_window_attention *how, enum aviary_token_way way,
                                 aviary_tokens queries, aviary_tokens keys, aviary_tokens values,
                                 aviary_tokens added, float *to, float *scratch, long first,
                                 long end) {
#if defined(__x86_64__)
  if (way == AVIARY_TOKENS_NARROW)
    return run_attention_narrow(how, queries, keys, values, added, to, scratch, first, end);
  if (way == AVIARY_TOKENS_512)
    return run_attention_512(how, queries, keys, values, added, to, scratch, first, end);
  if (way == AVIARY_TOKENS_256)
    return run_attention_256(how, queries, keys, values, added, to, scratch, first, end);
#endif
  run_attention_128(how, queries, keys, values, added, to, scratch, first, end);
}
