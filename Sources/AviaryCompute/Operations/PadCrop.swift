import AviaryGraph

extension Lowering {
  /// Rows and columns added at the edges.
  mutating func pad(_ unit: Unit, _ amounts: PaddingAmounts, _ mode: PadMode) {
    let input = value(unit.inputs[0]).shape
    window(
      unit, rows: { Lowering.indices(input[2], amounts.top, amounts.bottom, mode) },
      columns: { Lowering.indices(input[3], amounts.left, amounts.right, mode) })
  }

  /// Rows and columns cut from the edges.
  mutating func crop(_ unit: Unit, _ amounts: PaddingAmounts) {
    let input = value(unit.inputs[0]).shape
    window(
      unit, rows: { Array(amounts.top..<input[2] - amounts.bottom) },
      columns: { Array(amounts.left..<input[3] - amounts.right) })
  }

  private mutating func window(
    _ unit: Unit, rows: @escaping () -> [Int], columns: @escaping () -> [Int]
  ) {
    let grid = Grid(value(unit.inputs[0]).shape, value(unit.inputs[0]).form)
    kernel(
      unit, unit.work.name, [.value(unit.inputs[0]), .value(unit.output)],
      preparing: {
        let window = Window(source: grid, rows: rows(), columns: columns())
        return { memory, workers in unsafe window.run(memory[0], to: memory[1], workers) }
      })
  }

  /// For every pixel along an axis of the padded picture, the pixel that it repeats; -1 for zero.
  static func indices(
    _ size: Int, _ before: Int, _ after: Int, _ mode: PadMode
  ) -> [Int] {
    (-before..<size + after).map { i in
      switch mode {
      case .zero: (0..<size).contains(i) ? i : -1
      case .edge: min(max(i, 0), size - 1)
      // The shape function sees to it that padding is smaller than the picture.
      case .reflect: i < 0 ? -i : i < size ? i : 2 * (size - 1) - i
      }
    }
  }
}

extension Pad: KernelOperation {
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.anyLayout }

  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.pad(unit, amounts, mode)
  }

  func differentiate(_ unit: Unit, _ gradient: Int, _ pass: inout Differentiation) {
    switch mode {
    case .zero: pass.pass(unit, .other(.crop(Crop(amounts))), [gradient])
    case .edge, .reflect: pass.pass(unit, .gradient(.by(PadGradient(pad: self))), [gradient])
    }
  }

  func takesBfloat16(_ unit: Unit, _ program: Program) -> Bool { true }
  var takesIntegers: Bool { true }
}

extension Crop: KernelOperation {
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.anyLayout }

  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.crop(unit, amounts)
  }

  func differentiate(_ unit: Unit, _ gradient: Int, _ pass: inout Differentiation) {
    pass.pass(unit, .other(.pad(Pad(amounts, .zero))), [gradient])
  }

  func takesBfloat16(_ unit: Unit, _ program: Program) -> Bool { true }
  var takesIntegers: Bool { true }
}

/// By what was padded. Takes the result's gradient.
struct PadGradient: GradientKernel {
  var pad: Pad

  var name: String { "pad (gradient)" }
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { program.tapCandidates(unit) }
  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.padGradient(unit, pad.amounts, pad.mode)
  }
}

extension Lowering {
  /// What each pixel has been repeated as, together.
  fileprivate mutating func padGradient(_ unit: Unit, _ amounts: PaddingAmounts, _ mode: PadMode) {
    let size = value(unit.output).shape
    gather(
      unit,
      rows: {
        TapLists(
          transposing: Lowering.indices(size[2], amounts.top, amounts.bottom, mode), inputs: size[2]
        )
      },
      columns: {
        TapLists(
          transposing: Lowering.indices(size[3], amounts.left, amounts.right, mode), inputs: size[3]
        )
      })
  }
}
