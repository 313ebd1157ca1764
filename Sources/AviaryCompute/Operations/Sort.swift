import AviaryGraph
import AviaryThreads

extension Sort: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let shape = lowering.value(fusedOp.inputs[0]).shape
    try lowering.expectNumbered(fusedOp, name, dimension)
    let lines = SortedLines(self, shape)
    let count = lowering.value(fusedOp.output).shape[dimension], part = part
    lowering.kernel(
      fusedOp, name, [.value(fusedOp.inputs[0]), .value(fusedOp.output)]
    ) { memory, workers in
      workers.split(lines.lines.count, cost: 16 * lines.length) { range in
        for line in range {
          let target = unsafe memory[1] + lines.lines.start(line, length: count)
          for (i, element) in unsafe lines.sorted(memory[0], line).prefix(count).enumerated() {
            unsafe target[i * lines.lines.step] =
              part == .values ? element.value : Float(element.place)
          }
        }
      }
    }
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    // A place does not change with the elements.
    guard part == .values else { return }
    pass.pass(
      fusedOp, .gradient(.by(SortGradient(sort: self))), [gradient, fusedOp.inputs[0]])
  }
}

/// By what was put in order. Takes the result's gradient and what was put in order, which is done
/// once more: it costs less than to keep where everything was.
struct SortGradient: GradientKernel {
  var sort: Sort

  var name: String { "sort (gradient)" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let lines = SortedLines(sort, lowering.value(fusedOp.output).shape)
    let count = lowering.value(fusedOp.inputs[0]).shape[sort.dimension]
    lowering.kernel(
      fusedOp, name, fusedOp.inputs.map { .value($0) } + [.value(fusedOp.output)]
    ) { memory, workers in
      workers.split(lines.lines.count, cost: 16 * lines.length) { range in
        for line in range {
          let gradient = unsafe memory[0] + lines.lines.start(line, length: count)
          let target = unsafe memory[2] + lines.lines.start(line, length: lines.length)
          for (i, element) in unsafe lines.sorted(memory[1], line).enumerated() {
            unsafe target[element.place * lines.lines.step] =
              i < count ? gradient[i * lines.lines.step] : 0
          }
        }
      }
    }
  }
}

extension Lowering {
  /// Refuses a dimension of the first input whose elements float32, which places are, cannot number.
  func expectNumbered(
    _ fusedOp: FusedOp, _ operation: String, _ dimension: Int
  ) throws(ComputeError) {
    let count = value(fusedOp.inputs[0]).shape[dimension]
    guard count <= 1 << 24 else {
      throw .graph(
        .shape(
          node: fusedOp.name, operation: operation,
          problem: .expected(
            "at most 2^24 elements along dimension \(dimension)", found: "\(count)")))
    }
  }
}

/// The lines of a value along the dimension that is put in order.
private struct SortedLines {
  let lines: DimensionLines
  let length: Int
  private let descending: Bool

  init(_ sort: Sort, _ shape: [Int]) {
    lines = DimensionLines(shape, dimension: sort.dimension)
    (length, descending) = (shape[sort.dimension], sort.descending)
  }

  /// A line's elements in order, each with the place that it had.
  func sorted(
    _ source: UnsafePointer<Float>, _ line: Int
  ) -> [(value: Float, place: Int)] {
    let first = unsafe source + lines.start(line, length: length)
    let elements = (0..<length).map { unsafe (value: first[$0 * lines.step], place: $0) }
    return elements.sorted { a, b in
      if isBefore(a.value, b.value) { return true }
      return !isBefore(b.value, a.value) && a.place < b.place
    }
  }

  private func isBefore(_ a: Float, _ b: Float) -> Bool {
    let (small, large) = descending ? (b, a) : (a, b)
    return large.isNaN ? !small.isNaN : small < large
  }
}
