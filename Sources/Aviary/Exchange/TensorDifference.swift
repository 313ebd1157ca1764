internal import AviaryTensor

/// The difference between two tensors of the same shape.
struct TensorDifference {
  /// Whether all elements are equal as float32; NaN equals NaN.
  private(set) var isEqual = true
  /// The largest difference; infinite if one element is NaN and the other is not.
  private(set) var largest = 0.0
  /// The mean difference.
  private(set) var mean = 0.0
  /// The largest difference over the largest magnitude of either tensor; 0 if there is no
  /// difference.
  private(set) var relative = 0.0

  /// Compares tensors of the same shape, in double precision.
  init(_ a: Tensor, _ b: Tensor) {
    var sum = 0.0
    var magnitude = 0.0
    let (a, b) = (a.converted(to: .float32), b.converted(to: .float32))
    unsafe a.withFloats { a in
      unsafe b.withFloats { b in
        for i in 0..<min(a.count, b.count) {
          let (x, y) = unsafe (Double(a[i]), Double(b[i]))
          if x == y || x.isNaN && y.isNaN { continue }
          isEqual = false
          let distance = (x - y).magnitude
          guard distance.isFinite else {
            largest = .infinity
            continue
          }
          sum += distance
          largest = max(largest, distance)
        }
        if isEqual { return }
        for i in 0..<min(a.count, b.count) {
          unsafe magnitude = max(magnitude, Double(abs(a[i])), Double(abs(b[i])))
        }
      }
    }
    if isEqual { return }
    mean = largest.isFinite ? sum / Double(a.count) : .infinity
    relative = largest.isFinite && magnitude > 0 ? largest / magnitude : largest
  }
}
