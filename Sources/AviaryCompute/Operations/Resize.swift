import AviaryGraph

extension Lowering {
  /// Interpolation: one kernel for every interpolation function, coordinate rule and memory format.
  mutating func resize(_ fusedOp: FusedOp, _ resize: Resize) {
    let input = value(fusedOp.inputs[0]).shape, output = value(fusedOp.output).shape
    let grid = Grid(input, fusedOp.candidate.input)
    // Which pixels make up which, with what weight, is worked out when the plan is made: the tables
    // of an image too large for memory are never built.
    kernel(
      fusedOp, fusedOp.kind.name, [.value(fusedOp.inputs[0]), .value(fusedOp.output)],
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
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    ir.resizeCandidates(self, ir.values[fusedOp.output].shape)
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.resize(fusedOp, self)
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    pass.pass(fusedOp, .gradient(.by(ResizeGradient(resize: self))), [gradient])
  }
}

/// By what was interpolated. Takes the result's gradient.
struct ResizeGradient: GradientKernel {
  var resize: Resize

  var name: String { "resize (gradient)" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    ir.tapCandidates(fusedOp)
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.resizeGradient(fusedOp, resize)
  }
}

extension IRGraph {
  /// Interpolation along rows goes tap by tap: over single numbers in nchw, over the channels of a
  /// pixel where they lie together, which takes some to pay.
  fileprivate func resizeCandidates(_ resize: Resize, _ output: [Int]) -> [KernelCandidate] {
    let taps: Double =
      switch resize.kernel {
      case .nearest: 1
      case .linear: 2
      case .cubic: 4
      case .lanczos(let lobes): Double(2 * lobes)
      }
    let elements = Double(output.reduce(1, *))
    return [MemoryFormat.nChw16c, .nhwc, .nchw].map { memoryFormat in
      let depth = Double(Grid(output, memoryFormat).depth)
      return KernelCandidate(
        memoryFormat, memoryFormat, cost: elements * taps * (depth == 1 ? 0.7 : 2 / depth + 0.25))
    }
  }

  /// For gradients that gather pixels: columns go tap by tap, over single numbers in nchw.
  func tapCandidates(_ fusedOp: FusedOp) -> [KernelCandidate] {
    let elements = Double(values[fusedOp.output].count)
    return [(MemoryFormat.nhwc, 0.0), (.nChw16c, 0), (.nchw, elements)].map {
      KernelCandidate($0, $0, cost: $1)
    }
  }
}

extension Lowering {
  /// What each pixel has given to the pixels that it was interpolated to.
  fileprivate mutating func resizeGradient(_ fusedOp: FusedOp, _ resize: Resize) {
    let result = value(fusedOp.inputs[0]).shape, size = value(fusedOp.output).shape
    gather(
      fusedOp,
      rows: {
        TapLists(transposing: PixelTaps(resize, from: size[2], to: result[2]), inputs: size[2])
      },
      columns: {
        TapLists(transposing: PixelTaps(resize, from: size[3], to: result[3]), inputs: size[3])
      })
  }

  /// Sums, for each pixel of the result, the pixels of the input that its taps name.
  mutating func gather(
    _ fusedOp: FusedOp, rows: @escaping () -> TapLists, columns: @escaping () -> TapLists
  ) {
    let grid = Grid(value(fusedOp.inputs[0]).shape, fusedOp.candidate.input)
    kernel(
      fusedOp, fusedOp.kind.name, [.value(fusedOp.inputs[0]), .value(fusedOp.output)],
      preparing: {
        let gradient = Interpolation(source: grid, rows: rows(), columns: columns())
        return { memory, workers in unsafe gradient.run(memory[0], to: memory[1], workers) }
      })
  }
}
