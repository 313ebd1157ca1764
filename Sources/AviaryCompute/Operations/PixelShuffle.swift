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

extension PixelShuffle: KernelOperation {
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.anyToAny }

  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.pixelShuffle(unit, factor: factor, order, isInverse: false)
  }

  func differentiate(_ unit: Unit, _ gradient: Int, _ pass: inout Differentiation) {
    let inverse = PixelUnshuffle(factor: factor, order: order)
    pass.pass(unit, .other(.pixelUnshuffle(inverse)), [gradient])
  }
}

extension PixelUnshuffle: KernelOperation {
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.anyToAny }

  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.pixelShuffle(unit, factor: factor, order, isInverse: true)
  }

  func differentiate(_ unit: Unit, _ gradient: Int, _ pass: inout Differentiation) {
    let inverse = PixelShuffle(factor: factor, order: order)
    pass.pass(unit, .other(.pixelShuffle(inverse)), [gradient])
  }
}

extension Mode {
  /// From any layout to any other: every element is moved by itself anyway.
  fileprivate static let anyToAny = Layout.allCases.flatMap { from in
    Layout.allCases.map { Mode(from, $0, cost: 0) }
  }
}
