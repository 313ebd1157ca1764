#pragma once
// Operations as one would write them by hand in C: what the engine's kernels are held against. Each
// works on a part of the whole, so that threads can share it.

/// (x - mean) / sqrt(variance + epsilon) * weight + bias over the channels of pixels `from` up to
/// `to`; channels lie `pixels` numbers apart.
void loop_normalize_channels(const float *x, float *y, const float *weight, const float *bias,
                             long channels, long pixels, float epsilon, long from, long to);

/// The same over whole groups of channels, `from` up to `to`.
void loop_normalize_groups(const float *x, float *y, const float *weight, const float *bias,
                           long channels, long pixels, float epsilon, long from, long to);

/// exp(x) / sum exp(x) over rows `from` up to `to`.
void loop_softmax(const float *x, float *y, long width, long from, long to);
