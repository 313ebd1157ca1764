import AviaryGraph

extension Lowering {
  /// Rows and columns added at the edges.
  mutating func pad(_ fusedOp: FusedOp, _ pad: Pad) {
    let input = value(fusedOp.inputs[0]).shape
    window(
      fusedOp, rows: { pad.sources(input, .vertical) },
      columns: { pad.sources(input, .horizontal) }, filling: pad.value)
  }

  /// Rows and columns cut from the edges.
  mutating func crop(_ fusedOp: FusedOp, _ amounts: PaddingAmounts) {
    let input = value(fusedOp.inputs[0]).shape
    window(
      fusedOp, rows: { Array(amounts.top..<input[2] - amounts.bottom) },
      columns: { Array(amounts.left..<input[3] - amounts.right) })
  }

  private mutating func window(
    _ fusedOp: FusedOp, rows: @escaping () -> [Int], columns: @escaping () -> [Int],
    filling: Double = 0
  ) {
    let grid = Grid(value(fusedOp.inputs[0]).shape, value(fusedOp.inputs[0]).format)
    kernel(
      fusedOp, fusedOp.kind.name, [.value(fusedOp.inputs[0]), .value(fusedOp.output)],
      preparing: {
        let window = Window(source: grid, rows: rows(), columns: columns(), filling: filling)
        return { memory, workers in unsafe window.run(memory[0], to: memory[1], workers) }
      })
  }
}

extension Pad {
  /// For every pixel along an axis of the padded image, the pixel that it repeats; -1 for a number.
  fileprivate func sources(_ input: [Int], _ axis: Axis) -> [Int] {
    let size = input[axis.dimension]
    return (-amounts.before(axis)..<size + amounts.after(axis)).map { mode.source($0, size) }
  }
}

extension Pad: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.anyLayout
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.pad(fusedOp, self)
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    switch mode {
    case .zero: pass.pass(fusedOp, .other(.crop(Crop(amounts))), [gradient])
    case .edge, .reflect, .symmetric, .circular:
      pass.pass(fusedOp, .gradient(.by(PadGradient(pad: self))), [gradient])
    }
  }

  func takesBfloat16(_ fusedOp: FusedOp, _ ir: IRGraph) -> Bool { value == 0 }
  var takesIntegers: Bool { value == 0 }
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
    lowering.padGradient(fusedOp, pad)
  }
}

extension Lowering {
  /// What each pixel has been repeated as, together.
  fileprivate mutating func padGradient(_ fusedOp: FusedOp, _ pad: Pad) {
    let size = value(fusedOp.output).shape
    gather(
      fusedOp,
      rows: { TapLists(transposing: pad.sources(size, .vertical), inputs: size[2]) },
      columns: { TapLists(transposing: pad.sources(size, .horizontal), inputs: size[3]) })
  }
}
