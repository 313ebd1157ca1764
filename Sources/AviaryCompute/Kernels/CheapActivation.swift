import AviaryGraph
import CKernels

/// The activations that convolutions apply while they write: `x > 0 ? x : x * slope`, then no less
/// than `minimum` and no more than `maximum`.
struct CheapActivation {
  var slope: Float = 1
  var minimum = -Float.infinity
  var maximum = Float.infinity

  /// One expression for all kinds: selections, no branches, so that loops become vector code.
  @inline(__always)
  func callAsFunction(_ x: Float) -> Float {
    let y = x > 0 ? x : x * slope
    return y < minimum ? minimum : y > maximum ? maximum : y
  }
}

extension CheapActivation {
  /// What a fused op's epilogue applies, or nothing.
  init(_ activation: Activation?) {
    self.init()
    guard let activation else { return }
    guard let cheap = activation.cheap else {
      preconditionFailure("\(activation.name) has a step of its own")
    }
    self = cheap
  }

  /// The same for kernels in C.
  ///
  /// - Parameter slopes: a slope for each channel instead of the one for all.
  func forC(slopes: UnsafePointer<Float>? = nil) -> aviary_activation {
    unsafe aviary_activation(slopes: slopes, slope: slope, minimum: minimum, maximum: maximum)
  }
}
