import AviaryGraph

extension Lowering {
  /// Interpolation: one kernel for every interpolation function, coordinate rule and layout.
  mutating func resize(_ unit: Unit, _ resize: Resize) {
    let input = value(unit.inputs[0]).shape, output = value(unit.output).shape
    let grid = Grid(input, unit.mode.input)
    // Which pixels make up which, with what weight, is worked out when the plan is made: the tables
    // of a picture too large for memory are never built.
    kernel(
      unit, unit.work.name, [.value(unit.inputs[0]), .value(unit.output)],
      preparing: {
        let interpolation = Interpolation(
          source: grid, rows: TapLists(PixelTaps(resize, from: input[2], to: output[2])),
          columns: TapLists(PixelTaps(resize, from: input[3], to: output[3])))
        return { memory, workers in
          unsafe interpolation.run(memory[0], to: memory[1], workers)
        }
      })
  }
}
