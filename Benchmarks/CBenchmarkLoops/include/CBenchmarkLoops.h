#pragma once

// What somebody who needs just one of these functions would write by hand: one loop each, which the
// compiler makes vector code of. `aviary-benchmark expansions` holds the engine against them.

/// Calculates elements `first` up to `end` of the output.
typedef void (*benchmark_loop)(const float *const *inputs, float *output, long first, long end);

/// x Φ(x) by the error function.
void benchmark_gelu(const float *const *inputs, float *output, long first, long end);

/// min(max(leaky(0.7 x + 0.1) · gate + other, -1), 1) of x, gate and other: the gate is one number for
/// each of 64 planes of 65,536 elements.
void benchmark_chain(const float *const *inputs, float *output, long first, long end);

/// (x - mean) / sqrt(variance + 1e-5) over 64 channels, for some of 65,536 pixels: these are what is
/// counted.
void benchmark_channel_normalization(const float *const *inputs, float *output, long first,
                                     long end);

/// The same over groups of 8 planes of 65,536 elements.
void benchmark_group_normalization(const float *const *inputs, float *output, long first, long end);

/// exp(x) / sum exp(x) over rows of 64 elements.
void benchmark_softmax(const float *const *inputs, float *output, long first, long end);
