#pragma once
// Products of weights with the pixels of an image whose channels lie side by side, and attention in
// windows: several steps at once, of which each takes what the one before gives while that is in
// the cache. Vectors hold one channel of several tokens, so that weights are repeated and sums over
// channels and over keys need no sum within a vector.

/// Which registers are worked with: how many numbers each holds.
enum aviary_token_way {
  AVIARY_TOKENS_128 = 4,
  AVIARY_TOKENS_256 = 8,
  AVIARY_TOKENS_512 = 16,
  /// Registers of 16 numbers, of which weights and what they are multiplied with become 32 in
  /// bfloat16; everything else is float32. Where the processor has AVX-512 BF16.
  AVIARY_TOKENS_NARROW = 32,
};

/// The widest registers of this processor.
enum aviary_token_way aviary_token_widest(void);

/// How many tokens are worked on at once.
long aviary_token_block(enum aviary_token_way way);

/// In how many blocks so many outputs of a product are calculated: block b begins with output
/// outputs * b / blocks.
long aviary_token_rows(long outputs);

/// Weights that numbers of each token are multiplied with.
typedef struct {
  long inputs, outputs;
  /// Block by block of outputs; within a block input by input, the outputs of the block innermost.
  /// In bfloat16 two inputs at a time, of each output a pair, a zero behind an odd number of inputs.
  const float *weights;
  /// A number for each output.
  const float *bias;
} aviary_token_product;

/// What is done to a product.
enum aviary_token_function {
  AVIARY_TOKENS_AS_THEY_ARE,
  /// x (1 + erf(x / sqrt 2)) / 2.
  AVIARY_TOKENS_GELU,
};

/// (x - mean) / sqrt(variance + epsilon) of each token, then one or two products.
typedef struct {
  /// Whether tokens are normalised. Weights and biases of that are part of the product.
  int normalizes;
  float epsilon;
  aviary_token_product first;
  enum aviary_token_function function;
  /// Without outputs where there is none.
  aviary_token_product second;
} aviary_token_chain;

/// How many numbers of scratch memory one thread needs.
long aviary_token_chain_scratch(const aviary_token_chain *chain, enum aviary_token_way way);

/// Runs tokens `first` up to `end` through a chain.
///
/// - Parameters:
///   - from: the first token's numbers; those of the next lie `inputs` further on.
///   - added: what is added to the result, laid out as it is; may be null. It may be `from`, and
///     `to` may be either.
void aviary_token_chain_run(const aviary_token_chain *chain, enum aviary_token_way way,
                            const float *from, const float *added, float *to, float *scratch,
                            long first, long end);

/// Attention of each pixel to the pixels of its window.
typedef struct {
  /// Of the images; multiples of the window's.
  long height, width;
  long window_height, window_width;
  /// Whether a window is spread over the whole image in equal steps, not a rectangle of neighbours.
  int is_spread;
  /// By how much windows are shifted to the right and below; less than their size. What reaches
  /// beyond the image is taken from the other side.
  long shift_height, shift_width;
  /// How far keys and values reach beyond the window; zeros outside of the image. Without shift.
  long margin_height, margin_width;
  long heads;
  /// The channels of a head: of queries and keys, and of values.
  long size, value_size;
  /// What is added to the scores, times log2 e: for each head, for each block of queries, for each
  /// key a number for each query of the block. May be null.
  const float *bias;
  /// What is added to the scores of pairs that a shift brings together, times log2 e.
  float mask;
  /// Whether queries, keys and values are a product of the image: of the normalised image, if it
  /// is normalised.
  int projects, normalizes;
  float epsilon;
  /// For each head its queries, keys and values; queries are scaled by log2 e, too.
  const aviary_token_product *heads_products;
  /// What queries are multiplied with, if they are not a product: scale times log2 e.
  float scale;
  /// Applied to the result of all heads; without outputs where there is none.
  aviary_token_product last;
} aviary_window_attention;

/// Pixels whose channels lie side by side, images one after another.
typedef struct {
  const float *start;
  /// From pixel to pixel.
  long pixel;
} aviary_tokens;

/// How many numbers of scratch memory one thread needs.
long aviary_window_attention_scratch(const aviary_window_attention *how, enum aviary_token_way way);

/// Does windows `first` up to `end` of the windows of all images.
///
/// - Parameters:
///   - queries, keys, values: the images of each; of a product, the first is what it is of.
///   - added: an image that is added to the result; its start may be null. It may be what is
///     multiplied, and without margins `to` may be that, too.
///   - to: where the result goes, without gaps between pixels.
void aviary_window_attention_run(const aviary_window_attention *how, enum aviary_token_way way,
                                 aviary_tokens queries, aviary_tokens keys, aviary_tokens values,
                                 aviary_tokens added, float *to, float *scratch, long first,
                                 long end);
