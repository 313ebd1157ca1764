import AviaryGraph

extension Lowering {
  /// Rows and columns added at the edges.
  mutating func pad(_ fusedOp: FusedOp, _ amounts: PaddingAmounts, _ mode: PadMode) {
    let input = value(fusedOp.inputs[0]).shape
    window(
      fusedOp, rows: { Lowering.indices(input[2], amounts.top, amounts.bottom, mode) },
      columns: { Lowering.indices(input[3], amounts.left, amounts.right, mode) })
  }

  /// Rows and columns cut from the edges.
  mutating func crop(_ fusedOp: FusedOp, _ amounts: PaddingAmounts) {
    let input = value(fusedOp.inputs[0]).shape
    window(
      fusedOp, rows: { Array(amounts.top..<input[2] - amounts.bottom) },
      columns: { Array(amounts.left..<input[3] - amounts.right) })
  }

  private mutating func window(
    _ fusedOp: FusedOp, rows: @escaping () -> [Int], columns: @escaping () -> [Int]
  ) {
    let grid = Grid(value(fusedOp.inputs[0]).shape, value(fusedOp.inputs[0]).format)
    kernel(
      fusedOp, fusedOp.kind.name, [.value(fusedOp.inputs[0]), .value(fusedOp.output)],
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
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.anyLayout
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.pad(fusedOp, amounts, mode)
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    switch mode {
    case .zero: pass.pass(fusedOp, .other(.crop(Crop(amounts))), [gradient])
    case .edge, .reflect: pass.pass(fusedOp, .gradient(.by(PadGradient(pad: self))), [gradient])
    }
  }

  func takesBfloat16(_ fusedOp: FusedOp, _ ir: IRGraph) -> Bool { true }
  var takesIntegers: Bool { true }
}

extension Crop: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.anyLayout
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.crop(fusedOp, amounts)
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    pass.pass(fusedOp, .other(.pad(Pad(amounts, .zero))), [gradient])
  }

  func takesBfloat16(_ fusedOp: FusedOp, _ ir: IRGraph) -> Bool { true }
  var takesIntegers: Bool { true }
}

/// By what was padded. Takes the result's gradient.
struct PadGradient: GradientKernel {
  var pad: Pad

  var name: String { "pad (gradient)" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    ir.tapCandidates(fusedOp)
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.padGradient(fusedOp, pad.amounts, pad.mode)
  }
}

extension Lowering {
  /// What each pixel has been repeated as, together.
  fileprivate mutating func padGradient(
    _ fusedOp: FusedOp, _ amounts: PaddingAmounts, _ mode: PadMode
  ) {
    let size = value(fusedOp.output).shape
    gather(
      fusedOp,
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
