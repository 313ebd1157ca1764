#pragma once
// The half of shim.h for oneDNN 3, which alone includes it.

// Whether scales are arguments of a run, one memory object each.
static inline int cdnnl_scales_at_run_time(void) { return 1; }
// Whether a convolution of int8 adds its bias before it scales.
static inline int cdnnl_bias_before_scales(void) { return 0; }
static const dnnl_status_t cdnnl_last_implementation = dnnl_last_impl_reached;

static inline const_dnnl_memory_desc_t cdnnl_const(const cdnnl_memory_desc *desc) {
  return (const_dnnl_memory_desc_t)desc;
}

static inline dnnl_status_t cdnnl_memory_desc_create_with_strides(
    cdnnl_memory_desc **desc, int ndims, const int64_t *dims, dnnl_data_type_t type,
    const int64_t *strides) {
  return dnnl_memory_desc_create_with_strides(
      (dnnl_memory_desc_t *)desc, ndims, dims, type, strides);
}

static inline dnnl_status_t cdnnl_memory_desc_create_with_tag(
    cdnnl_memory_desc **desc, int ndims, const int64_t *dims, dnnl_data_type_t type,
    dnnl_format_tag_t tag) {
  return dnnl_memory_desc_create_with_tag((dnnl_memory_desc_t *)desc, ndims, dims, type, tag);
}

static inline dnnl_status_t cdnnl_memory_desc_clone(
    cdnnl_memory_desc **desc, const cdnnl_memory_desc *other) {
  return dnnl_memory_desc_clone((dnnl_memory_desc_t *)desc, cdnnl_const(other));
}

static inline void cdnnl_memory_desc_destroy(cdnnl_memory_desc *desc) {
  dnnl_memory_desc_destroy((dnnl_memory_desc_t)desc);
}

static inline dnnl_status_t cdnnl_set_scales(
    dnnl_primitive_attr_t attr, int argument, int mask, int count, const float *scales) {
  (void)count, (void)scales;
  return dnnl_primitive_attr_set_scales_mask(attr, argument, mask);
}

static inline dnnl_status_t cdnnl_append_eltwise(
    dnnl_post_ops_t ops, dnnl_alg_kind_t algorithm, float alpha, float beta) {
  return dnnl_post_ops_append_eltwise(ops, algorithm, alpha, beta);
}

static inline dnnl_status_t cdnnl_append_sum(dnnl_post_ops_t ops) {
  return dnnl_post_ops_append_sum(ops, 1, 0, dnnl_data_type_undef);
}

static inline dnnl_status_t cdnnl_convolution_forward(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_prop_kind_t kind,
    dnnl_alg_kind_t algorithm, const cdnnl_memory_desc *source, const cdnnl_memory_desc *weights,
    const cdnnl_memory_desc *bias, const cdnnl_memory_desc *destination, const int64_t *strides,
    const int64_t *dilation, const int64_t *before, const int64_t *after,
    const_dnnl_primitive_attr_t attr) {
  return dnnl_convolution_forward_primitive_desc_create(
      result, engine, kind, algorithm, cdnnl_const(source), cdnnl_const(weights),
      cdnnl_const(bias), cdnnl_const(destination), strides, dilation, before, after, attr);
}

static inline dnnl_status_t cdnnl_convolution_backward_data(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_alg_kind_t algorithm,
    const cdnnl_memory_desc *source, const cdnnl_memory_desc *weights,
    const cdnnl_memory_desc *destination, const int64_t *strides, const int64_t *dilation,
    const int64_t *before, const int64_t *after, const_dnnl_primitive_attr_t attr) {
  return dnnl_convolution_backward_data_primitive_desc_create(
      result, engine, algorithm, cdnnl_const(source), cdnnl_const(weights),
      cdnnl_const(destination), strides, dilation, before, after, NULL, attr);
}

static inline dnnl_status_t cdnnl_convolution_backward_weights(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_alg_kind_t algorithm,
    const cdnnl_memory_desc *source, const cdnnl_memory_desc *weights,
    const cdnnl_memory_desc *bias, const cdnnl_memory_desc *destination, const int64_t *strides,
    const int64_t *dilation, const int64_t *before, const int64_t *after,
    const_dnnl_primitive_attr_t attr) {
  return dnnl_convolution_backward_weights_primitive_desc_create(
      result, engine, algorithm, cdnnl_const(source), cdnnl_const(weights), cdnnl_const(bias),
      cdnnl_const(destination), strides, dilation, before, after, NULL, attr);
}

static inline dnnl_status_t cdnnl_inner_product_forward(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_prop_kind_t kind,
    const cdnnl_memory_desc *source, const cdnnl_memory_desc *weights,
    const cdnnl_memory_desc *bias, const cdnnl_memory_desc *destination,
    const_dnnl_primitive_attr_t attr) {
  return dnnl_inner_product_forward_primitive_desc_create(
      result, engine, kind, cdnnl_const(source), cdnnl_const(weights), cdnnl_const(bias),
      cdnnl_const(destination), attr);
}

static inline dnnl_status_t cdnnl_inner_product_backward_data(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, const cdnnl_memory_desc *source,
    const cdnnl_memory_desc *weights, const cdnnl_memory_desc *destination,
    const_dnnl_primitive_attr_t attr) {
  return dnnl_inner_product_backward_data_primitive_desc_create(
      result, engine, cdnnl_const(source), cdnnl_const(weights), cdnnl_const(destination), NULL,
      attr);
}

static inline dnnl_status_t cdnnl_inner_product_backward_weights(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, const cdnnl_memory_desc *source,
    const cdnnl_memory_desc *weights, const cdnnl_memory_desc *bias,
    const cdnnl_memory_desc *destination, const_dnnl_primitive_attr_t attr) {
  return dnnl_inner_product_backward_weights_primitive_desc_create(
      result, engine, cdnnl_const(source), cdnnl_const(weights), cdnnl_const(bias),
      cdnnl_const(destination), NULL, attr);
}

static inline dnnl_status_t cdnnl_matmul(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, const cdnnl_memory_desc *source,
    const cdnnl_memory_desc *weights, const cdnnl_memory_desc *destination,
    const_dnnl_primitive_attr_t attr) {
  return dnnl_matmul_primitive_desc_create(
      result, engine, cdnnl_const(source), cdnnl_const(weights), NULL, cdnnl_const(destination),
      attr);
}

static inline dnnl_status_t cdnnl_eltwise_forward(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_prop_kind_t kind,
    dnnl_alg_kind_t algorithm, const cdnnl_memory_desc *data, float alpha, float beta,
    const_dnnl_primitive_attr_t attr) {
  return dnnl_eltwise_forward_primitive_desc_create(
      result, engine, kind, algorithm, cdnnl_const(data), cdnnl_const(data), alpha, beta, attr);
}

static inline dnnl_status_t cdnnl_batch_normalization_forward(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_prop_kind_t kind,
    const cdnnl_memory_desc *data, float epsilon, unsigned flags,
    const_dnnl_primitive_attr_t attr) {
  return dnnl_batch_normalization_forward_primitive_desc_create(
      result, engine, kind, cdnnl_const(data), cdnnl_const(data), epsilon, flags, attr);
}

static inline dnnl_status_t cdnnl_batch_normalization_backward(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, const cdnnl_memory_desc *data,
    float epsilon, unsigned flags, const_dnnl_primitive_desc_t forward,
    const_dnnl_primitive_attr_t attr) {
  return dnnl_batch_normalization_backward_primitive_desc_create(
      result, engine, dnnl_backward, cdnnl_const(data), cdnnl_const(data), cdnnl_const(data),
      epsilon, flags, forward, attr);
}

static inline dnnl_status_t cdnnl_prelu_forward(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_prop_kind_t kind,
    const cdnnl_memory_desc *data, const cdnnl_memory_desc *weights,
    const_dnnl_primitive_attr_t attr) {
  return dnnl_prelu_forward_primitive_desc_create(
      result, engine, kind, cdnnl_const(data), cdnnl_const(weights), cdnnl_const(data), attr);
}

static inline dnnl_status_t cdnnl_prelu_backward(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, const cdnnl_memory_desc *data,
    const cdnnl_memory_desc *weights, const_dnnl_primitive_desc_t forward,
    const_dnnl_primitive_attr_t attr) {
  return dnnl_prelu_backward_primitive_desc_create(
      result, engine, cdnnl_const(data), cdnnl_const(weights), cdnnl_const(data),
      cdnnl_const(weights), cdnnl_const(data), forward, attr);
}

static inline dnnl_status_t cdnnl_pooling_forward(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_prop_kind_t kind,
    dnnl_alg_kind_t algorithm, const cdnnl_memory_desc *source,
    const cdnnl_memory_desc *destination, const int64_t *strides, const int64_t *kernel,
    const int64_t *before, const int64_t *after, const_dnnl_primitive_attr_t attr) {
  const dnnl_dims_t dense = {0};
  return dnnl_pooling_forward_primitive_desc_create(
      result, engine, kind, algorithm, cdnnl_const(source), cdnnl_const(destination), strides,
      kernel, dense, before, after, attr);
}

static inline dnnl_status_t cdnnl_pooling_backward(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_alg_kind_t algorithm,
    const cdnnl_memory_desc *source, const cdnnl_memory_desc *destination,
    const int64_t *strides, const int64_t *kernel, const int64_t *before, const int64_t *after,
    const_dnnl_primitive_desc_t forward, const_dnnl_primitive_attr_t attr) {
  const dnnl_dims_t dense = {0};
  return dnnl_pooling_backward_primitive_desc_create(
      result, engine, algorithm, cdnnl_const(source), cdnnl_const(destination), strides, kernel,
      dense, before, after, forward, attr);
}

static inline dnnl_status_t cdnnl_binary(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_alg_kind_t algorithm,
    const cdnnl_memory_desc *first, const cdnnl_memory_desc *second,
    const cdnnl_memory_desc *destination, const_dnnl_primitive_attr_t attr) {
  return dnnl_binary_primitive_desc_create(
      result, engine, algorithm, cdnnl_const(first), cdnnl_const(second),
      cdnnl_const(destination), attr);
}

