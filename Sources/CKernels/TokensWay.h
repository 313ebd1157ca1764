// One way of Tokens.c, for registers of LANES numbers, of which VECTORS side by side are worked on.
// Included once for each; names get an ending by WAY, functions an attribute by TARGET. Where NARROW is
// 1, weights and what they are multiplied with are bfloat16, in pairs of inputs.

#define vec WAY(vec)
#define INLINE static inline __attribute__((always_inline)) TARGET
#define LOAD(place) (*(const WAY(loose) *)(place))
#define STORE(place, value) ((void)(*(WAY(loose) *)(place) = (value)))
#define BLOCK (LANES * VECTORS)

typedef float vec __attribute__((ext_vector_type(LANES)));
typedef float WAY(loose) __attribute__((ext_vector_type(LANES), aligned(4), may_alias));
typedef int WAY(ints) __attribute__((ext_vector_type(LANES)));

#include "TransposeWay.h"

// MARK: - Between an image and rows

/// Brings some channels of a block of tokens into rows, one a channel.
static TARGET void WAY(bring)(const float *const *tokens, long first, long channels, float *to,
                              long stride) {
#if LANES == 16
  for (long t = 0; t < BLOCK; t += 16) {
    for (long c = 0; c < channels; c += 16) {
      const long count = channels - c < 16 ? channels - c : 16;
      float *rows = to + c * stride + t;
      vec v[16];
      if (count == 16) {
        for (int i = 0; i < 16; i++) v[i] = LOAD(tokens[t + i] + first + c);
        WAY(transpose)(v);
        for (int i = 0; i < 16; i++) STORE(rows + i * stride, v[i]);
      } else {
        const __mmask16 some = (__mmask16)((1u << count) - 1);
        for (int i = 0; i < 16; i++)
          v[i] = (vec)_mm512_maskz_loadu_ps(some, tokens[t + i] + first + c);
        WAY(transpose)(v);
        for (int i = 0; i < 16; i++)
          if (i < count) STORE(rows + i * stride, v[i]);
      }
    }
  }
#else
  for (long t = 0; t < BLOCK; t++)
    for (long c = 0; c < channels; c++) to[c * stride + t] = tokens[t][first + c];
#endif
}

/// Takes rows back to `present` tokens of a block.
static TARGET void WAY(give)(const float *from, long stride, long channels, long present,
                             float *const *tokens) {
#if LANES == 16
  for (long t = 0; t < present; t += 16) {
    const int tokens_here = present - t < 16 ? (int)(present - t) : 16;
    for (long c = 0; c < channels; c += 16) {
      const int count = channels - c < 16 ? (int)(channels - c) : 16;
      const float *rows = from + c * stride + t;
      vec v[16];
      if (count == 16 && tokens_here == 16) {
        for (int i = 0; i < 16; i++) v[i] = LOAD(rows + i * stride);
        WAY(transpose)(v);
        for (int i = 0; i < 16; i++) STORE(tokens[t + i] + c, v[i]);
      } else {
        const __mmask16 some = (__mmask16)((1u << count) - 1);
        for (int i = 0; i < 16; i++) v[i] = i < count ? LOAD(rows + i * stride) : (vec)0;
        WAY(transpose)(v);
        for (int i = 0; i < 16; i++)
          if (i < tokens_here) _mm512_mask_storeu_ps(tokens[t + i] + c, some, (__m512)v[i]);
      }
    }
  }
#else
  for (long t = 0; t < present; t++)
    for (long c = 0; c < channels; c++) tokens[t][c] = from[c * stride + t];
#endif
}

// MARK: - Products

#if NARROW
/// sum + values * weight, of pairs in bfloat16.
INLINE vec WAY(added)(vec sum, vec values, const float *weight) {
  return (vec)_mm512_dpbf16_ps((__m512)sum, (__m512bh)values,
                               (__m512bh)_mm512_set1_epi32(*(const narrow_pair *)weight));
}

/// How many rows so many inputs become.
INLINE long WAY(depth)(long inputs) { return (inputs + 1) / 2; }

/// Makes one row of pairs of each two rows of a block of tokens. It may be done in place.
static TARGET const float *WAY(narrowed)(const float *from, long stride, long inputs, float *to) {
  const __m512i order = _mm512_loadu_si512(narrow_order);
  for (long k = 0; k < inputs; k += 2) {
    for (int x = 0; x < BLOCK; x += LANES) {
      const vec low = LOAD(from + k * stride + x);
      const vec high = k + 1 < inputs ? LOAD(from + (k + 1) * stride + x) : (vec)0;
      const __m512i both = (__m512i)_mm512_cvtne2ps_pbh((__m512)high, (__m512)low);
      STORE(to + k / 2 * stride + x, (vec)_mm512_permutexvar_epi16(order, both));
    }
  }
  return to;
}
#else
INLINE vec WAY(added)(vec sum, vec values, const float *weight) { return sum + values * *weight; }
INLINE long WAY(depth)(long inputs) { return inputs; }
INLINE const float *WAY(narrowed)(const float *from, long stride, long inputs, float *to) {
  (void)stride, (void)inputs, (void)to;
  return from;
}
#endif

// MARK: - Steps of a block

/// Normalises a block of tokens.
static TARGET void WAY(normalize)(const float *from, long stride, long channels, float epsilon,
                                  float *to) {
  vec mean[VECTORS], scale[VECTORS];
  const float share = 1.0f / (float)channels;
  for (int x = 0; x < VECTORS; x++) mean[x] = scale[x] = 0;
  for (long c = 0; c < channels; c++)
    for (int x = 0; x < VECTORS; x++) mean[x] += LOAD(from + c * stride + x * LANES);
  for (int x = 0; x < VECTORS; x++) mean[x] *= share;
  for (long c = 0; c < channels; c++) {
    for (int x = 0; x < VECTORS; x++) {
      const vec d = LOAD(from + c * stride + x * LANES) - mean[x];
      scale[x] += d * d;
    }
  }
  for (int x = 0; x < VECTORS; x++) {
    const vec variance = scale[x] * share + epsilon;
    for (int i = 0; i < LANES; i++) scale[x][i] = 1 / __builtin_sqrtf(variance[i]);
  }
  for (long c = 0; c < channels; c++)
    for (int x = 0; x < VECTORS; x++)
      STORE(to + c * stride + x * LANES,
            (LOAD(from + c * stride + x * LANES) - mean[x]) * scale[x]);
}

#if LANES == 16
/// GELU of one vector: erf(|x| / sqrt 2) by a polynomial for each of 16 stretches up to 5.5, beyond
/// which it is 1. Cheaper than a quotient of polynomials by the division.
INLINE vec WAY(gelu)(vec x) {
  const vec magnitude = (vec)_mm512_abs_ps((__m512)x);
  const vec last = 5.4999f;
  const vec place = (last < magnitude ? last : magnitude) * (1 / 0.34375f) - 0.5f;
  const vec shifted = place + ROUNDING;
  const vec f = place - (shifted - ROUNDING);
  // The lowest bits of what was rounded are the number of the stretch.
  const __m512i stretch = (__m512i)shifted;
  vec p = (vec)_mm512_permutexvar_ps(stretch, _mm512_loadu_ps(error_function_table[5]));
  for (int i = 4; i >= 0; i--)
    p = p * f + (vec)_mm512_permutexvar_ps(stretch, _mm512_loadu_ps(error_function_table[i]));
  const vec half = x * 0.5f;
  return magnitude * 0.5f * p + half;
}
#endif

/// Some outputs of a product for a block of tokens.
INLINE void WAY(outputs)(const aviary_token_product *product, long output, const float *from,
                         long stride, float *to, long to_stride, const int adds,
                         enum aviary_token_function function, const int rows) {
  vec sums[6 * VECTORS];
  const long depth = WAY(depth)(product->inputs);
  const float *w = product->weights + output * depth;
  for (int r = 0; r < rows; r++)
    for (int x = 0; x < VECTORS; x++) sums[r * VECTORS + x] = product->bias[output + r];
  for (long k = 0; k < depth; k++) {
    vec values[VECTORS];
    for (int x = 0; x < VECTORS; x++) values[x] = LOAD(from + x * LANES);
    for (int r = 0; r < rows; r++)
      for (int x = 0; x < VECTORS; x++)
        sums[r * VECTORS + x] = WAY(added)(sums[r * VECTORS + x], values[x], &w[r]);
    from += stride;
    w += rows;
  }
  float *place = to + output * to_stride;
  for (int r = 0; r < rows; r++) {
    for (int x = 0; x < VECTORS; x++) {
      float *number = place + r * to_stride + x * LANES;
      STORE(number, adds ? LOAD(number) + sums[r * VECTORS + x] : sums[r * VECTORS + x]);
    }
  }
  if (function == AVIARY_TOKENS_AS_THEY_ARE) return;
  for (int r = 0; r < rows; r++) {
#if LANES == 16
    for (int x = 0; x < VECTORS; x++) {
      float *number = place + r * to_stride + x * LANES;
      STORE(number, WAY(gelu)(LOAD(number)));
    }
#else
    gelu_in_place(place + r * to_stride, BLOCK);
#endif
  }
}

/// A product for a block of tokens.
INLINE void WAY(multiply)(const aviary_token_product *product, const float *from, long stride,
                          float *to, long to_stride, const int adds,
                          enum aviary_token_function function) {
  const long blocks = aviary_token_rows(product->outputs);
  for (long b = 0; b < blocks; b++) {
    const long first = product->outputs * b / blocks;
    const long count = product->outputs * (b + 1) / blocks - first;
#define OUTPUTS(n)                                                                         \
  case n:                                                                                  \
    WAY(outputs)(product, first, from, stride, to, to_stride, adds, function, n);          \
    break
    switch (count) {
      OUTPUTS(6);
      OUTPUTS(5);
      OUTPUTS(4);
      OUTPUTS(3);
      OUTPUTS(2);
      OUTPUTS(1);
    }
#undef OUTPUTS
  }
}

static TARGET void WAY(product)(const aviary_token_product *product, const float *from,
                                long stride, float *to, long to_stride,
                                enum aviary_token_function function) {
  WAY(multiply)(product, from, stride, to, to_stride, 0, function);
}

static TARGET void WAY(add_product)(const aviary_token_product *product, const float *from,
                                    long stride, float *to, long to_stride) {
  WAY(multiply)(product, from, stride, to, to_stride, 1, AVIARY_TOKENS_AS_THEY_ARE);
}

// MARK: - Chains of products

static TARGET void WAY(run_chain)(const aviary_token_chain *chain, const float *from,
                                  const float *added, float *to, float *scratch, long first,
                                  long end) {
  const long inputs = chain->first.inputs;
  const aviary_token_product *last = chain->second.outputs ? &chain->second : &chain->first;
  float *raw = scratch, *normal = raw + inputs * BLOCK, *hidden = normal + inputs * BLOCK;
  float *result = chain->second.outputs ? hidden + chain->first.outputs * BLOCK : hidden;
  for (long t = first; t < end; t += BLOCK) {
    const long present = end - t < BLOCK ? end - t : BLOCK;
    const float *sources[BLOCK], *others[BLOCK];
    float *targets[BLOCK];
    for (long i = 0; i < BLOCK; i++) {
      const long token = t + (i < present ? i : present - 1);
      sources[i] = from + token * inputs;
      others[i] = added ? added + token * last->outputs : from;
      targets[i] = to + token * last->outputs;
    }
    WAY(bring)(sources, 0, inputs, raw, BLOCK);
    const float *source = raw;
    if (chain->normalizes) {
      WAY(normalize)(raw, BLOCK, inputs, chain->epsilon, normal);
      source = normal;
    }
    source = WAY(narrowed)(source, BLOCK, inputs, normal);
    // Where what was brought is added too, the result is summed in its place.
    float *sum = result;
    if (added && added == from && (source != raw || chain->second.outputs)) sum = raw;
    else if (added) sum = result + last->outputs * BLOCK;
    if (added && sum != raw) WAY(bring)(others, 0, last->outputs, sum, BLOCK);
    if (chain->second.outputs) {
      WAY(product)(&chain->first, source, BLOCK, hidden, BLOCK, chain->function);
      const float *second = WAY(narrowed)(hidden, BLOCK, chain->first.outputs, hidden);
      if (added) WAY(add_product)(&chain->second, second, BLOCK, sum, BLOCK);
      else WAY(product)(&chain->second, second, BLOCK, sum, BLOCK, AVIARY_TOKENS_AS_THEY_ARE);
    } else if (added && chain->function == AVIARY_TOKENS_AS_THEY_ARE) {
      WAY(add_product)(&chain->first, source, BLOCK, sum, BLOCK);
    } else {
      WAY(product)(&chain->first, source, BLOCK, hidden, BLOCK, chain->function);
      if (added)
        for (long i = 0; i < last->outputs * BLOCK; i++) sum[i] += hidden[i];
    }
    WAY(give)(sum, BLOCK, last->outputs, present, targets);
  }
}

// MARK: - Attention

/// 2 to the power of x, for x up to 0: what is below 2^-126 becomes that. Not of Functions.h, for
/// it is most of the work beside the products: scores are scaled by log2 e.
INLINE vec WAY(power)(vec from) {
  const vec least = -126;
  const vec x = least > from ? least : from;
  const vec shifted = x + ROUNDING;
  const vec f = x - (shifted - ROUNDING);
  vec p = f * 1.327647245e-3f + 9.675541893e-3f;
  p = p * f + 5.550713092e-2f;
  p = p * f + 0.2402212024f;
  p = p * f + 0.6931469440f;
  p = p * f + 1.000000119f;
  return (vec)((WAY(ints))p + ((WAY(ints))shifted << 23));
}

/// What attention of a block of queries works on.
typedef struct {
  const float *queries;
  long query_stride;
  const float *keys, *values;
  long key_stride, count;
  /// For each key a number for each query; may be null.
  const float *bias;
  /// What is added for keys of each part of a window, a number for each query; null where there is
  /// one part.
  const float *masks;
  const unsigned char *parts;
  float *scores;
} WAY(head);

/// The scores of some keys.
INLINE void WAY(score)(const WAY(head) * head, long size, long key, vec *most, const int rows) {
  vec sums[4 * VECTORS];
  for (int r = 0; r < rows; r++) {
    for (int x = 0; x < VECTORS; x++) {
      vec start = 0;
      if (head->bias) start = LOAD(head->bias + (key + r) * BLOCK + x * LANES);
      if (head->masks) start += LOAD(head->masks + head->parts[key + r] * BLOCK + x * LANES);
      sums[r * VECTORS + x] = start;
    }
  }
  const float *q = head->queries, *k = head->keys + key;
  for (long c = 0; c < size; c++) {
    vec values[VECTORS];
    for (int x = 0; x < VECTORS; x++) values[x] = LOAD(q + x * LANES);
    for (int r = 0; r < rows; r++)
      for (int x = 0; x < VECTORS; x++) sums[r * VECTORS + x] += values[x] * k[r];
    q += head->query_stride;
    k += head->key_stride;
  }
  for (int r = 0; r < rows; r++) {
    for (int x = 0; x < VECTORS; x++) {
      const vec sum = sums[r * VECTORS + x];
      most[x] = sum > most[x] ? sum : most[x];
      STORE(head->scores + (key + r) * BLOCK + x * LANES, sum);
    }
  }
}

/// Sums of some channels of values, weighted with the scores.
INLINE void WAY(mix)(const WAY(head) * head, long channel, const vec *factors, float *to,
                     long stride, const int rows) {
  vec sums[6 * VECTORS];
  for (int i = 0; i < rows * VECTORS; i++) sums[i] = 0;
  const float *v = head->values + channel * head->key_stride, *s = head->scores;
  const long key_stride = head->key_stride;
  for (long key = 0; key < head->count; key++) {
    vec values[VECTORS];
    for (int x = 0; x < VECTORS; x++) values[x] = LOAD(s + x * LANES);
    for (int r = 0; r < rows; r++)
      for (int x = 0; x < VECTORS; x++) sums[r * VECTORS + x] += values[x] * v[r * key_stride];
    s += BLOCK;
    v++;
  }
  for (int r = 0; r < rows; r++)
    for (int x = 0; x < VECTORS; x++)
      STORE(to + (channel + r) * stride + x * LANES, sums[r * VECTORS + x] * factors[x]);
}

/// Attention of a block of queries to all keys of their window.
static TARGET void WAY(attend)(const WAY(head) * head, long size, long value_size, float *to,
                               long stride) {
  vec most[VECTORS], sums[VECTORS];
  for (int x = 0; x < VECTORS; x++) most[x] = -__builtin_inff(), sums[x] = 0;
  long key = 0;
  for (; key + 4 <= head->count; key += 4) WAY(score)(head, size, key, most, 4);
  for (; key < head->count; key++) WAY(score)(head, size, key, most, 1);
  for (key = 0; key < head->count; key++) {
    float *scores = head->scores + key * BLOCK;
    for (int x = 0; x < VECTORS; x++) {
      const vec power = WAY(power)(LOAD(scores + x * LANES) - most[x]);
      sums[x] += power;
      STORE(scores + x * LANES, power);
    }
  }
  for (int x = 0; x < VECTORS; x++) sums[x] = 1 / sums[x];
  const long blocks = aviary_token_rows(value_size);
  for (long b = 0; b < blocks; b++) {
    const long first = value_size * b / blocks;
#define MIX(n)                                     \
  case n:                                          \
    WAY(mix)(head, first, sums, to, stride, n);    \
    break
    switch (value_size * (b + 1) / blocks - first) {
      MIX(6);
      MIX(5);
      MIX(4);
      MIX(3);
      MIX(2);
      MIX(1);
    }
#undef MIX
  }
}

static TARGET void WAY(run_attention)(const aviary_window_attention *how, aviary_tokens queries,
                                      aviary_tokens keys, aviary_tokens values,
                                      aviary_tokens added, float *to, float *scratch, long first,
                                      long end) {
  const window_sizes s = sizes_of(how, BLOCK);
  const window_room room = room_for(how, &s, BLOCK, scratch);
  const aviary_token_product *last = how->last.outputs ? &how->last : 0;
  const long result_channels = last ? last->outputs : s.mixed;
  const int keeps = how->projects && added.start == queries.start;
  for (long window = first; window < end; window++) {
    const int is_split = place_window(how, &s, &room, window, queries, keys, values, added, to,
                                      result_channels, BLOCK);
    const float *input = room.raw;
    if (how->projects) {
      for (long t = 0; t < s.query_stride; t += BLOCK) {
        WAY(bring)(room.queries + t, 0, s.channels, room.raw + t, s.query_stride);
        const float *block = room.raw + t;
        if (how->normalizes) {
          WAY(normalize)(block, s.query_stride, s.channels, how->epsilon, room.normal + t);
          block = room.normal + t;
        }
        block = WAY(narrowed)(block, s.query_stride, s.channels, room.normal + t);
        input = block - t;
      }
    }
    for (long h = 0; h < how->heads; h++) {
      if (how->projects) {
        for (long t = 0; t < s.query_stride; t += BLOCK)
          WAY(product)(&how->heads_products[h], input + t, s.query_stride, room.head_queries + t,
                       s.query_stride, AVIARY_TOKENS_AS_THEY_ARE);
      } else {
        for (long t = 0; t < s.query_stride; t += BLOCK)
          WAY(bring)(room.queries + t, h * how->size, how->size, room.head_queries + t,
                     s.query_stride);
        for (long i = 0; i < how->size * s.query_stride; i++) room.head_queries[i] *= how->scale;
        for (long t = 0; t < s.key_stride; t += BLOCK) {
          WAY(bring)(room.keys + t, h * how->size, how->size, room.head_keys + t, s.key_stride);
          WAY(bring)(room.values + t, h * how->value_size, how->value_size, room.head_values + t,
                     s.key_stride);
        }
      }
      for (long t = 0; t < s.query_stride; t += BLOCK) {
        const WAY(head) head = {
            .queries = room.head_queries + t,
            .query_stride = s.query_stride,
            .keys = room.head_keys,
            .values = room.head_values,
            .key_stride = s.key_stride,
            .count = s.keys,
            .bias = how->bias ? how->bias + (h * s.query_stride + t) * s.keys : 0,
            .masks = is_split ? room.masks + 4 * t : 0,
            .parts = room.parts,
            .scores = room.scores,
        };
        WAY(attend)(&head, how->size, how->value_size,
                    room.mixed + h * how->value_size * s.query_stride + t, s.query_stride);
      }
    }
    for (long t = 0; t < s.query_stride; t += BLOCK) {
      const long present = s.queries - t < BLOCK ? s.queries - t : BLOCK;
      float *result = room.mixed + t;
      long stride = s.query_stride;
      const float *mixed = room.mixed + t;
      if (last) mixed = WAY(narrowed)(mixed, s.query_stride, s.mixed, room.mixed + t);
      if (keeps && last) {
        result = room.raw + t;
        WAY(add_product)(last, mixed, s.query_stride, result, stride);
      } else if (added.start) {
        result = room.result, stride = BLOCK;
        WAY(bring)(room.added + t, 0, result_channels, result, stride);
        if (last) WAY(add_product)(last, mixed, s.query_stride, result, stride);
        else
          for (long c = 0; c < result_channels; c++)
            for (long i = 0; i < BLOCK; i++)
              result[c * BLOCK + i] += room.mixed[c * s.query_stride + t + i];
      } else if (last) {
        result = room.result, stride = BLOCK;
        WAY(product)(last, mixed, s.query_stride, result, stride,
                     AVIARY_TOKENS_AS_THEY_ARE);
      }
      WAY(give)(result, stride, result_channels, present, room.targets + t);
    }
  }
}

#undef vec
#undef INLINE
#undef LOAD
#undef STORE
#undef BLOCK
