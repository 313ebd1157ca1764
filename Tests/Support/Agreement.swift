package import AviaryTensor

/// How far two tensors are apart.
package struct Agreement: CustomStringConvertible {
  /// The largest difference of two elements; infinite where one alone is not a number or the shapes
  /// differ.
  package let largest: Double
  /// The mean difference.
  package let mean: Double
  /// The largest absolute value of the expected tensor.
  package let scale: Double
  private let shapes: String

  /// Compares element by element.
  package init(_ found: Tensor, expected: Tensor) {
    var (largest, sum, scale) = (0.0, 0.0, 0.0)
    for (a, b) in zip(found.floats, expected.floats) {
      // Equal infinities have no difference, NaN agrees with NaN alone.
      let difference =
        a == b || a.isNaN && b.isNaN ? 0 : (a - b).isNaN ? .infinity : abs(Double(a) - Double(b))
      largest = max(largest, difference)
      sum += difference
      scale = max(scale, abs(Double(b)))
    }
    let same = found.shape == expected.shape
    self.largest = same ? largest : .infinity
    mean = same ? sum / Double(max(expected.count, 1)) : .infinity
    self.scale = scale
    shapes = same ? "" : "expected , shape \(expected.shape), found \(found.shape)"
  }

  /// The largest difference as a part of the largest expected value.
  package var relative: Double { scale > 0 ? largest / scale : largest }

  /// One line, for a failing test.
  package var description: String {
    "largest difference \(largest), mean \(mean), of a largest value \(scale)\(shapes)"
  }
}
