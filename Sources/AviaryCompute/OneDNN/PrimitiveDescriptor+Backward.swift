import AviaryGraph
import CDNNL

// Gradients. `forward` is the forward pass's decision, where oneDNN goes by that.
extension PrimitiveDescriptor {
  /// The gradient of a convolution by its input.
  static func convolutionInputGradient(
    _ algorithm: dnnl_alg_kind_t, _ source: MemoryDescriptor, _ weights: MemoryDescriptor,
    _ destination: MemoryDescriptor, _ window: Window, _ engine: EngineHandle
  ) throws(ComputeError) -> PrimitiveDescriptor {
    unsafe try PrimitiveDescriptor(
      "dnnl_convolution_backward_data", [source, weights, destination]
    ) {
      unsafe cdnnl_convolution_backward_data(
        $0, engine.raw, algorithm, $1[0], $1[1], $1[2], window.strides, window.gaps,
        window.before, window.after, $2)
    }
  }

  /// The gradient of a convolution by its weights and, where that is wanted, its bias.
  static func convolutionWeightsGradient(
    _ algorithm: dnnl_alg_kind_t, _ source: MemoryDescriptor, _ weights: MemoryDescriptor,
    bias: MemoryDescriptor?, _ destination: MemoryDescriptor, _ window: Window,
    _ engine: EngineHandle
  ) throws(ComputeError) -> PrimitiveDescriptor {
    unsafe try PrimitiveDescriptor(
      "dnnl_convolution_backward_weights", [source, weights, bias, destination]
    ) {
      unsafe cdnnl_convolution_backward_weights(
        $0, engine.raw, algorithm, $1[0], $1[1], $1[2], $1[3], window.strides, window.gaps,
        window.before, window.after, $2)
    }
  }

  /// The gradient of `innerProduct` by its source.
  static func innerProductInputGradient(
    _ source: MemoryDescriptor, _ weights: MemoryDescriptor, _ destination: MemoryDescriptor,
    _ engine: EngineHandle
  ) throws(ComputeError) -> PrimitiveDescriptor {
    unsafe try PrimitiveDescriptor(
      "dnnl_inner_product_backward_data", [source, weights, destination]
    ) {
      unsafe cdnnl_inner_product_backward_data($0, engine.raw, $1[0], $1[1], $1[2], $2)
    }
  }

  /// The gradient of `innerProduct` by its weights and, where that is wanted, its bias.
  static func innerProductWeightsGradient(
    _ source: MemoryDescriptor, _ weights: MemoryDescriptor, bias: MemoryDescriptor?,
    _ destination: MemoryDescriptor, _ engine: EngineHandle
  ) throws(ComputeError) -> PrimitiveDescriptor {
    unsafe try PrimitiveDescriptor(
      "dnnl_inner_product_backward_weights", [source, weights, bias, destination]
    ) {
      unsafe cdnnl_inner_product_backward_weights($0, engine.raw, $1[0], $1[1], $1[2], $1[3], $2)
    }
  }

  /// The gradient of a function of single values.
  ///
  /// - Parameters:
  ///   - algorithm: says whether it is calculated of the function's input or of its result.
  ///   - data: that of the two.
  static func elementwiseGradient(
    _ algorithm: dnnl_alg_kind_t, _ function: Elementwise, _ gradient: MemoryDescriptor,
    _ data: MemoryDescriptor, _ engine: EngineHandle
  ) throws(ComputeError) -> PrimitiveDescriptor {
    unsafe try PrimitiveDescriptor("dnnl_eltwise_backward", [gradient, data]) {
      unsafe cdnnl_eltwise_backward(
        $0, engine.raw, algorithm, $1[0], $1[1], function.alpha, function.beta,
        $2)
    }
  }

  /// The gradient of a softmax, of its result.
  static func softmaxGradient(
    _ data: MemoryDescriptor, _ dimension: Int, _ engine: EngineHandle
  ) throws(ComputeError) -> PrimitiveDescriptor {
    unsafe try PrimitiveDescriptor("dnnl_softmax_backward", [data]) {
      unsafe cdnnl_softmax_backward($0, engine.raw, $1[0], Int32(dimension), $2)
    }
  }

  /// The gradients of layer normalisation.
  static func layerNormalizationGradient(
    _ data: MemoryDescriptor, epsilon: Double, after forward: borrowing PrimitiveDescriptor,
    _ engine: EngineHandle
  ) throws(ComputeError) -> PrimitiveDescriptor {
    let hint = forward.handle
    return unsafe try PrimitiveDescriptor("dnnl_layer_normalization_backward", [data]) {
      unsafe cdnnl_layer_normalization_backward(
        $0, engine.raw, $1[0], Float(epsilon),
        dnnl_use_scale.rawValue | dnnl_use_shift.rawValue, hint.raw, $2)
    }
  }

  /// The gradients of batch normalisation, of which the batch's statistics are a part.
  static func batchNormalizationGradient(
    _ data: MemoryDescriptor, _ normalization: BatchNormalization,
    after forward: borrowing PrimitiveDescriptor, _ engine: EngineHandle
  ) throws(ComputeError) -> PrimitiveDescriptor {
    let hint = forward.handle
    return unsafe try PrimitiveDescriptor("dnnl_batch_normalization_backward", [data]) {
      unsafe cdnnl_batch_normalization_backward(
        $0, engine.raw, $1[0], Float(normalization.epsilon), normalization.flags, hint.raw,
        $2)
    }
  }

  /// The gradients of a PReLU by its input and its slopes.
  static func preluGradient(
    _ data: MemoryDescriptor, slopes: MemoryDescriptor,
    after forward: borrowing PrimitiveDescriptor, _ engine: EngineHandle
  ) throws(ComputeError) -> PrimitiveDescriptor {
    let hint = forward.handle
    return unsafe try PrimitiveDescriptor("dnnl_prelu_backward", [data, slopes]) {
      unsafe cdnnl_prelu_backward($0, engine.raw, $1[0], $1[1], hint.raw, $2)
    }
  }

  /// The gradient of a pool.
  static func poolGradient(
    _ algorithm: dnnl_alg_kind_t, _ source: MemoryDescriptor, _ destination: MemoryDescriptor,
    _ window: Window, after forward: borrowing PrimitiveDescriptor, _ engine: EngineHandle
  ) throws(ComputeError) -> PrimitiveDescriptor {
    let hint = forward.handle
    return unsafe try PrimitiveDescriptor("dnnl_pooling_backward", [source, destination]) {
      unsafe cdnnl_pooling_backward(
        $0, engine.raw, algorithm, $1[0], $1[1], window.strides, window.sizes,
        window.before, window.after, hint.raw, $2)
    }
  }
}
