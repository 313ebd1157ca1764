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

extension Resize: KernelOperation {
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] {
    program.resizeModes(self, program.values[unit.output].shape)
  }

  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.resize(unit, self)
  }

  func differentiate(_ unit: Unit, _ gradient: Int, _ pass: inout Differentiation) {
    pass.pass(unit, .gradient(.by(ResizeGradient(resize: self))), [gradient])
  }
}

/// By what was interpolated. Takes the result's gradient.
struct ResizeGradient: GradientKernel {
  var resize: Resize

  var name: String { "resize (gradient)" }
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { program.tapCandidates(unit) }
  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.resizeGradient(unit, resize)
  }
}

extension Program {
  /// Interpolation along rows goes tap by tap: over single numbers in planes, over the channels of
  /// a pixel where they lie together, which takes some to pay.
  fileprivate func resizeModes(_ resize: Resize, _ output: [Int]) -> [Mode] {
    let taps: Double =
      switch resize.kernel {
      case .nearest: 1
      case .linear: 2
      case .cubic: 4
      case .lanczos(let lobes): Double(2 * lobes)
      }
    let elements = Double(output.reduce(1, *))
    return [Layout.blocked, .channelsLast, .planar].map { layout in
      let depth = Double(Grid(output, layout).depth)
      return Mode(layout, layout, cost: elements * taps * (depth == 1 ? 0.7 : 2 / depth + 0.25))
    }
  }

  /// For gradients that gather pixels: columns go tap by tap, over single numbers in planes.
  func tapCandidates(_ unit: Unit) -> [Mode] {
    let elements = Double(values[unit.output].count)
    return [(Layout.channelsLast, 0.0), (.blocked, 0), (.planar, elements)].map {
      Mode($0, $0, cost: $1)
    }
  }
}

extension Lowering {
  /// What each pixel has given to the pixels that it was interpolated to.
  fileprivate mutating func resizeGradient(_ unit: Unit, _ resize: Resize) {
    let result = value(unit.inputs[0]).shape, size = value(unit.output).shape
    gather(
      unit,
      rows: {
        TapLists(transposing: PixelTaps(resize, from: size[2], to: result[2]), inputs: size[2])
      },
      columns: {
        TapLists(transposing: PixelTaps(resize, from: size[3], to: result[3]), inputs: size[3])
      })
  }

  /// Sums, for each pixel of the result, the pixels of the input that its taps name.
  mutating func gather(
    _ unit: Unit, rows: @escaping () -> TapLists, columns: @escaping () -> TapLists
  ) {
    let grid = Grid(value(unit.inputs[0]).shape, unit.mode.input)
    kernel(
      unit, unit.work.name, [.value(unit.inputs[0]), .value(unit.output)],
      preparing: {
        let gradient = Interpolation(source: grid, rows: rows(), columns: columns())
        return { memory, workers in unsafe gradient.run(memory[0], to: memory[1], workers) }
      })
  }
}
