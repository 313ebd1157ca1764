internal import AviaryTensor

/// Elementwise losses: the mean of a function of the difference.
enum Pointwise {
  /// The number of elements computed at once, and of partial sums. The order of all additions
  /// depends only on the number of elements, so a loss is the same on any machine.
  typealias Lanes = SIMD8<Float>

  /// The mean of a function of `result - target`, and its derivative with respect to every element
  /// of `result`.
  ///
  /// - Parameter function: maps differences to values and derivatives.
  /// - Throws: `TrainingError.training` for tensors that cannot be compared.
  @inline(__always)
  static func mean(
    _ name: String, _ result: Tensor, _ target: Tensor,
    _ function: (Lanes) -> (values: Lanes, derivatives: Lanes)
  ) throws -> LossValue {
    try check(name, result, target)
    let count = result.count
    let scale = Float(1 / Double(count))
    var gradient = try Tensor(zeros: result.shape)
    var sums = SIMD8<Double>.zero
    unsafe result.withFloats { x in
      unsafe target.withFloats { y in
        unsafe gradient.withMutableFloats { g in
          let whole = count / 8 * 8
          var start = 0
          while start < whole {
            let a = unsafe load(x, start), b = unsafe load(y, start)
            let (values, derivatives) = function(a - b)
            sums += SIMD8<Double>(values)
            unsafe store(derivatives * scale, g, start)
            start += 8
          }
          for i in whole..<count {
            let (values, derivatives) = unsafe function(Lanes(repeating: x[i] - y[i]))
            sums[0] += Double(values[0])
            unsafe g[i] = derivatives[0] * scale
          }
        }
      }
    }
    return LossValue(sums.sum() / Double(count), gradient: gradient)
  }

  /// Throws unless both tensors are float32, of the same shape, and not empty.
  static func check(
    _ name: String, _ result: Tensor, _ target: Tensor
  ) throws(TrainingError) {
    guard result.elementType == .float32, result.count > 0 else {
      throw .training(
        "\(name): result", expected: "float32 elements",
        found: "\(result.elementType) \(result.shape)")
    }
    guard target.elementType == .float32, target.shape == result.shape else {
      throw .training(
        "\(name): target", expected: "float32 \(result.shape)",
        found: "\(target.elementType) \(target.shape)")
    }
  }

  @inline(__always)
  private static func load(_ values: UnsafeBufferPointer<Float>, _ start: Int) -> Lanes {
    unsafe UnsafeRawPointer(values.baseAddress.unsafelyUnwrapped + start)
      .loadUnaligned(as: Lanes.self)
  }

  @inline(__always)
  private static func store(
    _ lanes: Lanes, _ values: UnsafeMutableBufferPointer<Float>, _ start: Int
  ) {
    unsafe UnsafeMutableRawPointer(values.baseAddress.unsafelyUnwrapped + start)
      .storeBytes(of: lanes, as: Lanes.self)
  }
}
