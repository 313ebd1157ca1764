extension ImageSpec {
  /// How a value from 0 to 1 becomes the network's: value · factor + offset.
  package func scaling(channel: Int) -> (factor: Float, offset: Float) {
    let deviation = deviation.isEmpty ? 1 : deviation[channel]
    let mean = mean.isEmpty ? 0 : mean[channel]
    return (
      Float((range.upperBound - range.lowerBound) / deviation),
      Float((range.lowerBound - mean) / deviation)
    )
  }
}
