import AviaryGraph
import CKernels

/// The activations that the engine's own kernels apply while they write.
struct CheapActivation {
  private var slope: Float = 1
  private var minimum = -Float.infinity
  private var maximum = Float.infinity

  /// - Parameter activation: a cheap one, or nil for none.
  init(_ activation: Activation?) {
    switch activation {
    case .relu: slope = 0
    case .leakyRelu(let slope): self.slope = Float(slope)
    case .clamp(let minimum, let maximum):
      (self.minimum, self.maximum) = (Float(minimum), Float(maximum))
    case nil: break
    case .elu, .gelu, .silu, .sigmoid, .tanh:
      preconditionFailure("an activation that is not cheap has a step of its own")
    }
  }

  /// One expression for all kinds: selections, no branches, so that loops become vector code.
  @inline(__always)
  func callAsFunction(_ x: Float) -> Float {
    let y = x > 0 ? x : x * slope
    return y < minimum ? minimum : y > maximum ? maximum : y
  }
}

extension CheapActivation {
  /// The same for kernels in C.
  ///
  /// - Parameter slopes: a slope for each channel instead of the one for all.
  func forC(slopes: UnsafePointer<Float>? = nil) -> aviary_activation {
    unsafe aviary_activation(slopes: slopes, slope: slope, minimum: minimum, maximum: maximum)
  }
}
