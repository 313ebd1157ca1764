import AviaryGraph
import AviaryThreads

extension ConstantGather: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let gather = GatherKernel(self, lowering.value(fusedOp.inputs[0]).shape)
    lowering.kernel(fusedOp, name, [.value(fusedOp.inputs[0]), .value(fusedOp.output)]) {
      memory, workers in
      unsafe gather.run(memory[0], to: memory[1], workers)
    }
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    pass.pass(fusedOp, .gradient(.by(ConstantGatherGradient(gather: self))), [gradient])
  }
}

/// By what a constant gather took: each of its entries gets the sum of the gradients of all places to
/// which it went. Takes the result's gradient.
struct ConstantGatherGradient: GradientKernel {
  var gather: ConstantGather

  var name: String { "constantGather (gradient)" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let kernel = GatherKernel(gather, lowering.value(fusedOp.output).shape)
    lowering.kernel(fusedOp, name, [.value(fusedOp.inputs[0]), .value(fusedOp.output)]) {
      memory, workers in
      unsafe kernel.scatter(memory[0], to: memory[1], workers)
    }
  }
}

/// Entries of a row-major value along a dimension.
private struct GatherKernel {
  private let index: GatherIndex
  /// How many entries the index has, and how many there are to choose from.
  private let (count, size): (Int, Int)
  /// The elements before the dimension, and those of one entry behind it.
  private let (outer, inner): (Int, Int)

  init(_ gather: ConstantGather, _ input: [Int]) {
    index = gather.index
    count = gather.index.shape.reduce(1, *)
    size = input[gather.dimension]
    outer = input[..<gather.dimension].reduce(1, *)
    inner = input[(gather.dimension + 1)...].reduce(1, *)
  }

  /// The entry that goes to a place of the result.
  private func entry(_ place: Int) -> Int {
    let entry = index[place]
    return entry < 0 ? entry + size : entry
  }

  func run(
    _ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    workers.split(outer * count, cost: inner) { range in
      for row in range {
        let (group, place) = row.quotientAndRemainder(dividingBy: count)
        unsafe (target + row * inner)
          .update(from: source + (group * size + entry(place)) * inner, count: inner)
      }
    }
  }

  /// One thread a group, which adds in the order of the places: the same sums on any number of
  /// threads.
  func scatter(
    _ gradient: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>,
    _ workers: ThreadPool
  ) {
    workers.split(outer, cost: count * inner) { range in
      var sums = [Double](repeating: 0, count: size * inner)
      for group in range {
        for i in sums.indices { sums[i] = 0 }
        for place in 0..<count {
          let first = entry(place) * inner
          let source = unsafe gradient + (group * count + place) * inner
          for i in 0..<inner { unsafe sums[first + i] += Double(source[i]) }
        }
        let result = unsafe target + group * size * inner
        for i in sums.indices { unsafe result[i] = Float(sums[i]) }
      }
    }
  }
}
