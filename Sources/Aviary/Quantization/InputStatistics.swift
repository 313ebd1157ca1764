/// The distribution of a layer's input, from samples.
struct InputStatistics {
  private var samples: [Float] = []
  private var smallest: Float = 0

  /// Samples kept per image: enough to know the distribution, few enough for networks of hundreds
  /// of layers.
  private static let samplesPerImage = 4096

  /// Adds the values of one image.
  mutating func add(_ values: UnsafeBufferPointer<Float>) {
    var largest: Float = 0
    for i in values.indices {
      let value = unsafe values[i]
      // Comparisons with NaN are false.
      if value < smallest { smallest = value }
      if value.magnitude > largest { largest = value.magnitude }
    }
    // An odd stride visits all channels, whose number is usually even.
    let step = max(values.count / InputStatistics.samplesPerImage, 1) | 1
    for i in stride(from: 0, to: values.count, by: step) { unsafe samples.append(values[i]) }
    samples.append(largest)
  }

  /// Whether there are negative values.
  var isSigned: Bool { smallest < 0 }

  /// The scale at which rounding and clipping change the values least, in the sum of squares. The
  /// largest values are clipped if that makes all others more precise.
  var step: Float {
    let levels: Float = isSigned ? 127 : 255
    let largest = samples.reduce(0) { $1.isFinite ? max($0, $1.magnitude) : $0 }
    guard largest > 0x1p-90 else { return 1 }
    var best: (error: Double, step: Float) = (.infinity, largest / levels)
    for part in stride(from: 64, through: 20, by: -2) {
      let step = largest * Float(part) / 64 / levels
      let error = error(step: step, levels: levels)
      if error < best.error { best = (error, step) }
    }
    return best.step
  }

  private func error(step: Float, levels: Float) -> Double {
    let inverse = 1 / step
    let lowest: Float = isSigned ? -levels : 0
    var sum = 0.0
    for value in samples where value.isFinite {
      let whole = min(max((value * inverse).rounded(.toNearestOrEven), lowest), levels)
      let difference = Double(value - whole * step)
      sum += difference * difference
    }
    return sum
  }
}
