import AviaryGraph
import AviaryThreads

extension Lowering {
  /// Values side by side along a dimension: those that do not lie there already are copied.
  mutating func concatenate(_ fusedOp: FusedOp, _ dimension: Int) throws(ComputeError) {
    let whole = value(fusedOp.output), place = buffers.places[fusedOp.output]
    let offsets = try ir.parts(of: fusedOp)?.map(\.offset)
    var first = 0
    for (position, input) in fusedOp.inputs.enumerated() {
      let count = value(input).shape[dimension]
      defer { first += count }
      if let place, let offsets,
        buffers.places[input]
          == BufferAssignment.Address(
            allocation: place.allocation, offset: place.offset + offsets[position])
      {
        continue
      }
      let copy = SliceCopy(
        source: value(input), first: 0, destination: whole, to: first, count: count,
        dimension: dimension)
      kernel(fusedOp, "concatenate", [.value(input), .value(fusedOp.output)]) { memory, workers in
        unsafe copy.run(memory[0], to: memory[1], workers)
      }
    }
  }

  /// Some of the channels, where they are not simply a part of the memory.
  mutating func slice(_ fusedOp: FusedOp, start: Int) {
    let copy = SliceCopy(
      source: value(fusedOp.inputs[0]), first: start, destination: value(fusedOp.output), to: 0,
      count: value(fusedOp.output).shape[1])
    kernel(fusedOp, "slice", [.value(fusedOp.inputs[0]), .value(fusedOp.output)]) {
      memory, workers in
      unsafe copy.run(memory[0], to: memory[1], workers)
    }
  }
}

extension Concatenate: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.anyLayout
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.concatenate(fusedOp, dimension)
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    pass.concatenate(fusedOp, dimension, gradient)
  }

  func takesBfloat16(_ fusedOp: FusedOp, _ ir: IRGraph) -> Bool { true }
  var takesIntegers: Bool { true }
}

extension ChannelSlice: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    // A block of channels is never cut.
    start % MemoryFormat.block == 0 ? KernelCandidate.anyLayout : KernelCandidate.anyUnblocked
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.slice(fusedOp, start: start)
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    pass.pass(fusedOp, .gradient(.by(ChannelSliceGradient(start: start))), [gradient])
  }

  func takesBfloat16(_ fusedOp: FusedOp, _ ir: IRGraph) -> Bool { true }
  var takesIntegers: Bool { true }
}

/// By what some of the channels were taken of, from this one on. Takes their gradient.
struct ChannelSliceGradient: GradientKernel {
  var start: Int

  var name: String { "slice (gradient)" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    start % MemoryFormat.block == 0 ? KernelCandidate.anyLayout : KernelCandidate.anyUnblocked
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.sliceGradient(fusedOp, start: start)
  }
}

extension Autodiff {
  fileprivate mutating func concatenate(_ fusedOp: FusedOp, _ dimension: Int, _ gradient: Int) {
    var start = 0
    for input in fusedOp.inputs {
      let count = shape(input)[dimension]
      if isNeeded(input) {
        let op: Op =
          dimension == 1
          ? .slice(ChannelSlice(start: start, count: count))
          : .stridedSlice(StridedSlice(dimension: dimension, start: start, end: start + count))
        let part = step(fusedOp, .other(op), [gradient], shape(input))
        add(part, to: input)
      }
      start += count
    }
  }
}

extension Lowering {
  /// The gradient of some of the channels, among zeros.
  fileprivate mutating func sliceGradient(_ fusedOp: FusedOp, start: Int) {
    let part = value(fusedOp.inputs[0]), whole = value(fusedOp.output)
    let copy = SliceCopy(
      source: part, first: 0, destination: whole, to: start, count: part.shape[1])
    kernel(fusedOp, fusedOp.kind.name, [.value(fusedOp.inputs[0]), .value(fusedOp.output)]) {
      memory, workers in
      workers.split(whole.count) { range in
        unsafe (memory[1] + range.lowerBound).update(repeating: 0, count: range.count)
      }
      unsafe copy.run(memory[0], to: memory[1], workers)
    }
  }
}
