import AviaryGraph
import CDNNL

/// An activation in oneDNN's terms.
struct Elementwise {
  let algorithm: dnnl_alg_kind_t
  let alpha: Float
  let beta: Float

  /// - Parameter step: what a number that it is applied to is worth.
  init(_ activation: Activation, scale: Float = 1) {
    (algorithm, alpha, beta) =
      switch activation {
      case .relu: (dnnl_eltwise_relu, 0, 0)
      case .leakyRelu(let slope): (dnnl_eltwise_relu, Float(slope), 0)
      case .elu(let alpha): (dnnl_eltwise_elu, Float(alpha), 0)
      case .gelu(approximate: false): (dnnl_eltwise_gelu_erf, 0, 0)
      case .gelu(approximate: true): (dnnl_eltwise_gelu_tanh, 0, 0)
      case .silu: (dnnl_eltwise_swish, 1, 0)
      case .sigmoid: (dnnl_eltwise_logistic, 0, 0)
      case .tanh: (dnnl_eltwise_tanh, 0, 0)
      case .clamp(let minimum, let maximum):
        (dnnl_eltwise_clip, Float(minimum) / scale, Float(maximum) / scale)
      }
  }
}

extension Activation {
  /// Whether fusing it into a convolution costs next to nothing, in time and in code to be
  /// generated. Those with an exponential are faster as a pass of their own: they take 2 to 5 ms
  /// more to plan in every convolution that has them, and save less than 1 ms at 256x256.
  var isCheap: Bool {
    switch self {
    case .relu, .leakyRelu, .clamp: true
    case .elu, .gelu, .silu, .sigmoid, .tanh: false
    }
  }
}
