import AviaryGraph

extension AdaptivePool: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.anyLayout
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let input = lowering.value(fusedOp.inputs[0]).shape
    let output = lowering.value(fusedOp.output).shape
    switch kind {
    case .mean: lowering.means(fusedOp, MeanLists(from: input, to: output))
    case .maximum: lowering.adaptiveMaximum(fusedOp)
    }
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    switch kind {
    case .mean: pass.pass(fusedOp, .gradient(.by(AdaptiveMeanGradient())), [gradient])
    case .maximum:
      pass.pass(
        fusedOp, .gradient(.by(AdaptiveMaximumGradient())), [gradient, fusedOp.inputs[0]])
    }
  }
}

/// By what means of windows were taken of. Takes the result's gradient.
struct AdaptiveMeanGradient: GradientKernel {
  var name: String { "adaptiveAveragePool (gradient)" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    ir.tapCandidates(fusedOp)
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.meansGradient(
      fusedOp,
      MeanLists(
        from: lowering.value(fusedOp.output).shape,
        to: lowering.value(fusedOp.inputs[0]).shape))
  }
}

/// By what maxima of windows were taken of. Takes the result's gradient and the input.
struct AdaptiveMaximumGradient: GradientKernel {
  var name: String { "adaptiveMaxPool (gradient)" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.anyLayout
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let input = lowering.value(fusedOp.output), result = lowering.value(fusedOp.inputs[0])
    let gradient = WindowMaximum(
      input: Grid(input.shape, input.memoryFormat), result: Grid(result.shape, result.memoryFormat))
    lowering.kernel(
      fusedOp, fusedOp.kind.name, fusedOp.inputs.map { .value($0) } + [.value(fusedOp.output)]
    ) { memory, workers in
      unsafe gradient.runBackward(memory[0], memory[1], to: memory[2], workers)
    }
  }
}

/// Means along each axis of an image, of which its mean over windows is the product.
struct MeanLists {
  /// Pixels along an axis, and what their sum is divided by.
  struct Window {
    var pixels: Range<Int>
    var count: Int
  }

  /// Made when a plan is: the tables of an image too large for memory are never built.
  let rows: () -> [Window]
  let columns: () -> [Window]

  init(rows: @escaping () -> [Window], columns: @escaping () -> [Window]) {
    (self.rows, self.columns) = (rows, columns)
  }

  /// Those of adaptive pooling.
  init(from input: [Int], to output: [Int]) {
    func windows(_ dimension: Int) -> [Window] {
      AdaptivePool.windows(input[dimension], to: output[dimension]).map {
        Window(pixels: $0, count: $0.count)
      }
    }
    self.init(rows: { windows(2) }, columns: { windows(3) })
  }
}

extension Lowering {
  /// The means of windows.
  mutating func means(_ fusedOp: FusedOp, _ lists: MeanLists) {
    gather(fusedOp, rows: { TapLists(lists.rows()) }, columns: { TapLists(lists.columns()) })
  }

  /// What means of windows give back to the pixels.
  mutating func meansGradient(_ fusedOp: FusedOp, _ lists: MeanLists) {
    let size = value(fusedOp.output).shape
    gather(
      fusedOp, rows: { TapLists(transposing: TapLists(lists.rows()), inputs: size[2]) },
      columns: { TapLists(transposing: TapLists(lists.columns()), inputs: size[3]) })
  }

  fileprivate mutating func adaptiveMaximum(_ fusedOp: FusedOp) {
    let input = value(fusedOp.inputs[0]), result = value(fusedOp.output)
    let maximum = WindowMaximum(
      input: Grid(input.shape, input.memoryFormat), result: Grid(result.shape, result.memoryFormat))
    kernel(
      fusedOp, fusedOp.kind.name, [.value(fusedOp.inputs[0]), .value(fusedOp.output)]
    ) { memory, workers in
      unsafe maximum.run(memory[0], to: memory[1], workers)
    }
  }
}
