#pragma once
// The half of shim.h for oneDNN 2, which alone includes it.

static inline int cdnnl_scales_at_run_time(void) { return 0; }
static inline int cdnnl_bias_before_scales(void) { return 1; }
static const dnnl_status_t cdnnl_last_implementation = dnnl_iterator_ends;

static inline const dnnl_memory_desc_t *cdnnl_const(const cdnnl_memory_desc *desc) {
  return (const dnnl_memory_desc_t *)desc;
}

// Gives `made` to a caller who owns it from then on.
static inline dnnl_status_t cdnnl_memory_desc_give(
    cdnnl_memory_desc **desc, dnnl_status_t status, const dnnl_memory_desc_t *made) {
  if (status != dnnl_success) return status;
  dnnl_memory_desc_t *copy = malloc(sizeof *copy);
  if (copy == NULL) return dnnl_out_of_memory;
  *copy = *made;
  *desc = (cdnnl_memory_desc *)copy;
  return dnnl_success;
}

static inline dnnl_status_t cdnnl_memory_desc_create_with_strides(
    cdnnl_memory_desc **desc, int ndims, const int64_t *dims, dnnl_data_type_t type,
    const int64_t *strides) {
  dnnl_memory_desc_t made;
  return cdnnl_memory_desc_give(
      desc, dnnl_memory_desc_init_by_strides(&made, ndims, dims, type, strides), &made);
}

static inline dnnl_status_t cdnnl_memory_desc_create_with_tag(
    cdnnl_memory_desc **desc, int ndims, const int64_t *dims, dnnl_data_type_t type,
    dnnl_format_tag_t tag) {
  dnnl_memory_desc_t made;
  return cdnnl_memory_desc_give(
      desc, dnnl_memory_desc_init_by_tag(&made, ndims, dims, type, tag), &made);
}

static inline dnnl_status_t cdnnl_memory_desc_clone(
    cdnnl_memory_desc **desc, const cdnnl_memory_desc *other) {
  return cdnnl_memory_desc_give(desc, dnnl_success, cdnnl_const(other));
}

static inline void cdnnl_memory_desc_destroy(cdnnl_memory_desc *desc) { free(desc); }

static inline dnnl_status_t cdnnl_set_scales(
    dnnl_primitive_attr_t attr, int argument, int mask, int count, const float *scales) {
  // Scales are the result's, of which the second dimension is the channels'.
  (void)argument, (void)mask;
  return dnnl_primitive_attr_set_output_scales(attr, count, count == 1 ? 0 : 2, scales);
}

static inline dnnl_status_t cdnnl_append_eltwise(
    dnnl_post_ops_t ops, dnnl_alg_kind_t algorithm, float alpha, float beta) {
  return dnnl_post_ops_append_eltwise(ops, 1, algorithm, alpha, beta);
}

static inline dnnl_status_t cdnnl_append_sum(dnnl_post_ops_t ops) {
  return dnnl_post_ops_append_sum(ops, 1);
}

// The second half of creating a primitive descriptor, if the first has succeeded.
static inline dnnl_status_t cdnnl_create(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_status_t status,
    const_dnnl_op_desc_t call, const_dnnl_primitive_desc_t forward,
    const_dnnl_primitive_attr_t attr) {
  if (status != dnnl_success) return status;
  return dnnl_primitive_desc_create(result, call, attr, engine, forward);
}

static inline dnnl_status_t cdnnl_convolution_forward(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_prop_kind_t kind,
    dnnl_alg_kind_t algorithm, const cdnnl_memory_desc *source, const cdnnl_memory_desc *weights,
    const cdnnl_memory_desc *bias, const cdnnl_memory_desc *destination, const int64_t *strides,
    const int64_t *dilation, const int64_t *before, const int64_t *after,
    const_dnnl_primitive_attr_t attr) {
  dnnl_convolution_desc_t call;
  dnnl_status_t status = dnnl_dilated_convolution_forward_desc_init(
      &call, kind, algorithm, cdnnl_const(source), cdnnl_const(weights), cdnnl_const(bias),
      cdnnl_const(destination), strides, dilation, before, after);
  return cdnnl_create(result, engine, status, &call, NULL, attr);
}

static inline dnnl_status_t cdnnl_convolution_backward_data(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_alg_kind_t algorithm,
    const cdnnl_memory_desc *source, const cdnnl_memory_desc *weights,
    const cdnnl_memory_desc *destination, const int64_t *strides, const int64_t *dilation,
    const int64_t *before, const int64_t *after, const_dnnl_primitive_attr_t attr) {
  dnnl_convolution_desc_t call;
  dnnl_status_t status = dnnl_dilated_convolution_backward_data_desc_init(
      &call, algorithm, cdnnl_const(source), cdnnl_const(weights), cdnnl_const(destination),
      strides, dilation, before, after);
  return cdnnl_create(result, engine, status, &call, NULL, attr);
}

static inline dnnl_status_t cdnnl_convolution_backward_weights(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_alg_kind_t algorithm,
    const cdnnl_memory_desc *source, const cdnnl_memory_desc *weights,
    const cdnnl_memory_desc *bias, const cdnnl_memory_desc *destination, const int64_t *strides,
    const int64_t *dilation, const int64_t *before, const int64_t *after,
    const_dnnl_primitive_attr_t attr) {
  dnnl_convolution_desc_t call;
  dnnl_status_t status = dnnl_dilated_convolution_backward_weights_desc_init(
      &call, algorithm, cdnnl_const(source), cdnnl_const(weights), cdnnl_const(bias),
      cdnnl_const(destination), strides, dilation, before, after);
  return cdnnl_create(result, engine, status, &call, NULL, attr);
}

static inline dnnl_status_t cdnnl_inner_product_forward(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_prop_kind_t kind,
    const cdnnl_memory_desc *source, const cdnnl_memory_desc *weights,
    const cdnnl_memory_desc *bias, const cdnnl_memory_desc *destination,
    const_dnnl_primitive_attr_t attr) {
  dnnl_inner_product_desc_t call;
  dnnl_status_t status = dnnl_inner_product_forward_desc_init(
      &call, kind, cdnnl_const(source), cdnnl_const(weights), cdnnl_const(bias),
      cdnnl_const(destination));
  return cdnnl_create(result, engine, status, &call, NULL, attr);
}

static inline dnnl_status_t cdnnl_inner_product_backward_data(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, const cdnnl_memory_desc *source,
    const cdnnl_memory_desc *weights, const cdnnl_memory_desc *destination,
    const_dnnl_primitive_attr_t attr) {
  dnnl_inner_product_desc_t call;
  dnnl_status_t status = dnnl_inner_product_backward_data_desc_init(
      &call, cdnnl_const(source), cdnnl_const(weights), cdnnl_const(destination));
  return cdnnl_create(result, engine, status, &call, NULL, attr);
}

static inline dnnl_status_t cdnnl_inner_product_backward_weights(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, const cdnnl_memory_desc *source,
    const cdnnl_memory_desc *weights, const cdnnl_memory_desc *bias,
    const cdnnl_memory_desc *destination, const_dnnl_primitive_attr_t attr) {
  dnnl_inner_product_desc_t call;
  dnnl_status_t status = dnnl_inner_product_backward_weights_desc_init(
      &call, cdnnl_const(source), cdnnl_const(weights), cdnnl_const(bias),
      cdnnl_const(destination));
  return cdnnl_create(result, engine, status, &call, NULL, attr);
}

static inline dnnl_status_t cdnnl_matmul(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, const cdnnl_memory_desc *source,
    const cdnnl_memory_desc *weights, const cdnnl_memory_desc *destination,
    const_dnnl_primitive_attr_t attr) {
  dnnl_matmul_desc_t call;
  dnnl_status_t status = dnnl_matmul_desc_init(
      &call, cdnnl_const(source), cdnnl_const(weights), NULL, cdnnl_const(destination));
  return cdnnl_create(result, engine, status, &call, NULL, attr);
}

static inline dnnl_status_t cdnnl_eltwise_forward(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_prop_kind_t kind,
    dnnl_alg_kind_t algorithm, const cdnnl_memory_desc *data, float alpha, float beta,
    const_dnnl_primitive_attr_t attr) {
  dnnl_eltwise_desc_t call;
  dnnl_status_t status = dnnl_eltwise_forward_desc_init(
      &call, kind, algorithm, cdnnl_const(data), alpha, beta);
  return cdnnl_create(result, engine, status, &call, NULL, attr);
}

static inline dnnl_status_t cdnnl_batch_normalization_forward(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_prop_kind_t kind,
    const cdnnl_memory_desc *data, float epsilon, unsigned flags,
    const_dnnl_primitive_attr_t attr) {
  dnnl_batch_normalization_desc_t call;
  dnnl_status_t status = dnnl_batch_normalization_forward_desc_init(
      &call, kind, cdnnl_const(data), epsilon, flags);
  return cdnnl_create(result, engine, status, &call, NULL, attr);
}

static inline dnnl_status_t cdnnl_batch_normalization_backward(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, const cdnnl_memory_desc *data,
    float epsilon, unsigned flags, const_dnnl_primitive_desc_t forward,
    const_dnnl_primitive_attr_t attr) {
  dnnl_batch_normalization_desc_t call;
  dnnl_status_t status = dnnl_batch_normalization_backward_desc_init(
      &call, dnnl_backward, cdnnl_const(data), cdnnl_const(data), epsilon, flags);
  return cdnnl_create(result, engine, status, &call, forward, attr);
}

static inline dnnl_status_t cdnnl_prelu_forward(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_prop_kind_t kind,
    const cdnnl_memory_desc *data, const cdnnl_memory_desc *weights,
    const_dnnl_primitive_attr_t attr) {
  dnnl_prelu_desc_t call;
  dnnl_status_t status = dnnl_prelu_forward_desc_init(
      &call, kind, cdnnl_const(data), cdnnl_const(weights));
  return cdnnl_create(result, engine, status, &call, NULL, attr);
}

static inline dnnl_status_t cdnnl_prelu_backward(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, const cdnnl_memory_desc *data,
    const cdnnl_memory_desc *weights, const_dnnl_primitive_desc_t forward,
    const_dnnl_primitive_attr_t attr) {
  dnnl_prelu_desc_t call;
  dnnl_status_t status = dnnl_prelu_backward_desc_init(
      &call, cdnnl_const(data), cdnnl_const(weights), cdnnl_const(data), cdnnl_const(weights));
  return cdnnl_create(result, engine, status, &call, forward, attr);
}

static inline dnnl_status_t cdnnl_pooling_forward(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_prop_kind_t kind,
    dnnl_alg_kind_t algorithm, const cdnnl_memory_desc *source,
    const cdnnl_memory_desc *destination, const int64_t *strides, const int64_t *kernel,
    const int64_t *before, const int64_t *after, const_dnnl_primitive_attr_t attr) {
  dnnl_pooling_desc_t call;
  dnnl_status_t status = dnnl_pooling_forward_desc_init(
      &call, kind, algorithm, cdnnl_const(source), cdnnl_const(destination), strides, kernel,
      before, after);
  return cdnnl_create(result, engine, status, &call, NULL, attr);
}

static inline dnnl_status_t cdnnl_pooling_backward(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_alg_kind_t algorithm,
    const cdnnl_memory_desc *source, const cdnnl_memory_desc *destination,
    const int64_t *strides, const int64_t *kernel, const int64_t *before, const int64_t *after,
    const_dnnl_primitive_desc_t forward, const_dnnl_primitive_attr_t attr) {
  dnnl_pooling_desc_t call;
  dnnl_status_t status = dnnl_pooling_backward_desc_init(
      &call, algorithm, cdnnl_const(source), cdnnl_const(destination), strides, kernel, before,
      after);
  return cdnnl_create(result, engine, status, &call, forward, attr);
}

static inline dnnl_status_t cdnnl_binary(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, dnnl_alg_kind_t algorithm,
    const cdnnl_memory_desc *first, const cdnnl_memory_desc *second,
    const cdnnl_memory_desc *destination, const_dnnl_primitive_attr_t attr) {
  dnnl_binary_desc_t call;
  dnnl_status_t status = dnnl_binary_desc_init(
      &call, algorithm, cdnnl_const(first), cdnnl_const(second), cdnnl_const(destination));
  return cdnnl_create(result, engine, status, &call, NULL, attr);
}

