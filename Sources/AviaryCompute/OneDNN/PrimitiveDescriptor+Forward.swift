import AviaryGraph
import CDNNL

extension PrimitiveDescriptor {
  /// How a kernel, or the window of a pool, moves over its input.
  struct Window {
    var kernel: Size
    var stride: Size
    var dilation: Size = 1
    /// Padding; not negative.
    var padding: PaddingAmounts

    /// In oneDNN's terms: height before width.
    var strides: [Int64] { pair(stride.height, stride.width) }
    var sizes: [Int64] { pair(kernel.height, kernel.width) }
    /// oneDNN counts the pixels left out.
    var gaps: [Int64] { pair(dilation.height - 1, dilation.width - 1) }
    var before: [Int64] { pair(padding.top, padding.left) }
    var after: [Int64] { pair(padding.bottom, padding.right) }

    private func pair(_ a: Int, _ b: Int) -> [Int64] { [Int64(a), Int64(b)] }
  }

  /// What an operation is done for: a pass that gradients follow keeps more.
  enum Pass {
    case inference, training

    fileprivate var kind: dnnl_prop_kind_t {
      switch self {
      case .inference: dnnl_forward_inference
      case .training: dnnl_forward_training
      }
    }
  }

  /// A convolution.
  ///
  /// - Parameters:
  ///   - weights: OIHW, GOIHW where there are groups.
  ///   - operations: what is done to the result before it is written.
  ///   - scales: what sums are multiplied with before that.
  static func convolution(
    _ source: MemoryDescriptor, _ weights: MemoryDescriptor, bias: MemoryDescriptor?,
    to destination: MemoryDescriptor, _ window: Window, _ operations: [PostOperation] = [],
    scales: Scales? = nil, _ engine: EngineHandle
  ) throws(ComputeError) -> PrimitiveDescriptor {
    unsafe try PrimitiveDescriptor(
      "dnnl_convolution_forward", [source, weights, bias, destination], operations, scales: scales
    ) {
      unsafe cdnnl_convolution_forward(
        $0, engine.raw, dnnl_forward_inference, dnnl_convolution_direct, $1[0], $1[1], $1[2],
        $1[3], window.strides, window.gaps, window.before, window.after, $2)
    }
  }

  /// source · weightsᵀ + bias, of matrices.
  static func innerProduct(
    _ source: MemoryDescriptor, _ weights: MemoryDescriptor, bias: MemoryDescriptor?,
    to destination: MemoryDescriptor, _ engine: EngineHandle
  ) throws(ComputeError) -> PrimitiveDescriptor {
    unsafe try PrimitiveDescriptor(
      "dnnl_inner_product_forward", [source, weights, bias, destination]
    ) {
      unsafe cdnnl_inner_product_forward(
        $0, engine.raw, dnnl_forward_inference, $1[0], $1[1], $1[2], $1[3], $2)
    }
  }

  /// The product of matrices in the last two dimensions.
  static func matmul(
    _ a: MemoryDescriptor, _ b: MemoryDescriptor, to destination: MemoryDescriptor,
    _ engine: EngineHandle
  ) throws(ComputeError) -> PrimitiveDescriptor {
    unsafe try PrimitiveDescriptor("dnnl_matmul", [a, b, destination]) {
      unsafe cdnnl_matmul($0, engine.raw, $1[0], $1[1], $1[2], $2)
    }
  }

  /// A function of single values; the result lies as what it is of.
  static func elementwise(
    _ function: Elementwise, _ data: MemoryDescriptor, _ engine: EngineHandle
  ) throws(ComputeError) -> PrimitiveDescriptor {
    unsafe try PrimitiveDescriptor("dnnl_eltwise_forward", [data]) {
      unsafe cdnnl_eltwise_forward(
        $0, engine.raw, dnnl_forward_inference, function.algorithm, $1[0], function.alpha,
        function.beta, $2)
    }
  }

  /// A sum, difference, product or the like of two values, of which the second may be broadcast.
  static func binary(
    _ algorithm: dnnl_alg_kind_t, _ a: MemoryDescriptor, _ b: MemoryDescriptor,
    to destination: MemoryDescriptor, _ engine: EngineHandle
  ) throws(ComputeError) -> PrimitiveDescriptor {
    unsafe try PrimitiveDescriptor("dnnl_binary", [a, b, destination]) {
      unsafe cdnnl_binary($0, engine.raw, algorithm, $1[0], $1[1], $1[2], $2)
    }
  }

  /// Normalisation by the statistics of the batch, which are results too.
  static func batchNormalization(
    _ data: MemoryDescriptor, _ normalization: BatchNormalization, _ engine: EngineHandle
  ) throws(ComputeError) -> PrimitiveDescriptor {
    unsafe try PrimitiveDescriptor("dnnl_batch_normalization_forward", [data]) {
      unsafe cdnnl_batch_normalization_forward(
        $0, engine.raw, dnnl_forward_training, $1[0], Float(normalization.epsilon),
        normalization.flags, $2)
    }
  }

  /// x for x > 0, else a multiple of x.
  static func prelu(
    _ data: MemoryDescriptor, slopes: MemoryDescriptor, _ pass: Pass, _ engine: EngineHandle
  ) throws(ComputeError) -> PrimitiveDescriptor {
    unsafe try PrimitiveDescriptor("dnnl_prelu_forward", [data, slopes]) {
      unsafe cdnnl_prelu_forward($0, engine.raw, pass.kind, $1[0], $1[1], $2)
    }
  }

  /// The maximum or the mean of each window.
  static func pool(
    _ algorithm: dnnl_alg_kind_t, _ source: MemoryDescriptor, to destination: MemoryDescriptor,
    _ window: Window, _ pass: Pass, _ engine: EngineHandle
  ) throws(ComputeError) -> PrimitiveDescriptor {
    unsafe try PrimitiveDescriptor("dnnl_pooling_forward", [source, destination]) {
      unsafe cdnnl_pooling_forward(
        $0, engine.raw, pass.kind, algorithm, $1[0], $1[1], window.strides, window.sizes,
        window.before, window.after, $2)
    }
  }

  /// A copy into another memory format or data type.
  ///
  /// - Parameter scale: what every number is multiplied with.
  static func reorder(
    _ source: MemoryDescriptor, to destination: MemoryDescriptor, scale: Float = 1,
    _ engine: EngineHandle
  ) throws(ComputeError) -> PrimitiveDescriptor {
    let scales = scale == 1 ? nil : Scales(reorder: scale)
    return unsafe try PrimitiveDescriptor("dnnl_reorder", [source, destination], scales: scales) {
      unsafe cdnnl_reorder($0, engine.raw, $1[0], $1[1], $2)
    }
  }
}

extension BatchNormalization {
  /// oneDNN's words for what is learned.
  var flags: UInt32 {
    (scale ? dnnl_use_scale.rawValue : 0) | (center ? dnnl_use_shift.rawValue : 0)
  }
}
