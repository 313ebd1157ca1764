import AviaryGraph

extension Lowering {
  /// Channels to space, or the inverse, from any layout to any other.
  mutating func pixelShuffle(
    _ unit: Unit, factor: Int, _ order: ChannelOrder, isInverse: Bool
  ) {
    let input = value(unit.inputs[0]), output = value(unit.output)
    let shuffle = Shuffle(
      deep: isInverse ? output : input, wide: isInverse ? input : output, factor: factor, order)
    kernel(
      unit, isInverse ? "pixelUnshuffle" : "pixelShuffle",
      [.value(unit.inputs[0]), .value(unit.output)]
    ) { memory, workers in
      if isInverse {
        unsafe shuffle.gather(memory[0], to: memory[1], workers)
      } else {
        unsafe shuffle.scatter(memory[0], to: memory[1], workers)
      }
    }
  }
}
