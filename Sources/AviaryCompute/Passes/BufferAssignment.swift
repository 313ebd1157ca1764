import AviaryGraph

/// Which memory each value lives in, and for how long.
struct BufferAssignment {
  /// A stretch of memory that one value has, or several one after another, or several at once of
  /// which one is a part of the other.
  struct Allocation {
    var byteCount: Int
    /// The first and the last fused op during which it is needed.
    var lifetime: ClosedRange<Int>
    var owner: Owner
  }

  /// Whose memory it is.
  enum Owner: Hashable {
    case arena
    /// The caller's, only to be read: the input of this number.
    case input(Int)
    /// The caller's, to be written: the output of this number.
    case output(Int)
  }

  /// Where a value lies.
  struct Address: Hashable {
    var allocation: Int
    var offset: Int
  }

  private(set) var allocations: [Allocation] = []
  /// By number of the value; nil for values that no fused op touches.
  private(set) var places: [Address?]
  /// Outputs that lie elsewhere when all is done, to be copied.
  private(set) var copiedOutputs: [Int] = []
  /// The values in each allocation, those of the past too.
  private var occupants: [[Int]] = []
  /// The bytes that values take, and the last fused ops that take them.
  private let byteCounts: [Int]
  private let lastUses: [Int]
  private let slices: BufferAliases

  /// - Parameter isSelfContained: whether inputs and outputs lie in the arena like everything else,
  ///   as they do in training: between the forward pass and the backward pass the caller may do
  ///   what it likes with its tensors.
  /// - Throws: `ComputeError.library` where oneDNN refuses a shape.
  init(_ ir: IRGraph, isSelfContained: Bool = false) throws(ComputeError) {
    places = Array(repeating: nil, count: ir.values.count)
    lastUses = ir.lastUses
    var byteCounts: [Int] = []
    for value in ir.values.indices {
      byteCounts.append(try ir.descriptor(value).byteCount)
    }
    self.byteCounts = byteCounts
    slices = try BufferAliases(ir, lastUses: lastUses)
    for (position, value) in ir.inputs.enumerated() {
      add(value, from: 0, isSelfContained ? .arena : .input(position))
    }
    if let value = ir.dropoutSeed { add(value, from: 0) }
    let backwardStart = ir.fusedOps.firstIndex(where: \.isBackward) ?? ir.fusedOps.count
    for value in ir.seeds { add(value, from: backwardStart) }
    for (position, fusedOp) in ir.fusedOps.enumerated() {
      if let view = try ir.view(fusedOp), let place = places[fusedOp.inputs[0]] {
        settle(fusedOp.output, Address(allocation: place.allocation, offset: place.offset + view))
      } else if let shared = sharedPlace(ir, fusedOp, at: position) {
        settle(fusedOp.output, shared)
      } else {
        settle(fusedOp.output, place(for: fusedOp.output, at: position))
      }
      for value in fusedOp.extraOutputs { add(value, from: position) }
    }
    if isSelfContained { return }
    for (position, output) in ir.outputs.enumerated() {
      guard let place = places[output.value], place.offset == 0,
        allocations[place.allocation].owner == .arena,
        allocations[place.allocation].byteCount == byteCounts[output.value]
      else {
        copiedOutputs.append(position)
        continue
      }
      allocations[place.allocation].owner = .output(position)
    }
  }

  /// Gives a value an allocation of its own.
  private mutating func add(_ value: Int, from position: Int, _ owner: Owner = .arena) {
    settle(value, newAllocation(value, from: position, owner))
  }

  private mutating func newAllocation(_ value: Int, from position: Int, _ owner: Owner) -> Address {
    let lifetime = position...max(position, lastUses[value])
    allocations.append(Allocation(byteCount: byteCounts[value], lifetime: lifetime, owner: owner))
    occupants.append([])
    return Address(allocation: allocations.count - 1, offset: 0)
  }

  private mutating func settle(_ value: Int, _ place: Address) {
    places[value] = place
    occupants[place.allocation].append(value)
    let lifetime = allocations[place.allocation].lifetime
    allocations[place.allocation].lifetime =
      lifetime.lowerBound...max(lifetime.upperBound, lastUses[value])
  }

  /// A place for a value that is about to be written, or of which the first part is: inside of
  /// another, if it will be a part of that, or new.
  private mutating func place(for value: Int, at position: Int) -> Address {
    if let place = places[value] { return place }
    if let slice = slices[value] {
      let whole = place(for: slice.whole, at: position)
      let place = Address(allocation: whole.allocation, offset: whole.offset + slice.offset)
      // What was to be written over there is perhaps still needed.
      if !isOccupied(place, byteCounts[value], at: position - 1) {
        places[value] = place
        return place
      }
    }
    let place = newAllocation(value, from: position, .arena)
    places[value] = place
    return place
  }

  /// Whether any value that is needed after a fused op lies in a stretch of memory.
  private func isOccupied(_ place: Address, _ byteCount: Int, at position: Int) -> Bool {
    occupants[place.allocation].contains { value in
      lastUses[value] > position && overlaps(value, place, byteCount)
    }
  }

  private func overlaps(_ value: Int, _ place: Address, _ byteCount: Int) -> Bool {
    guard let other = places[value], other.allocation == place.allocation else { return false }
    return other.offset < place.offset + byteCount
      && place.offset < other.offset + byteCounts[value]
  }

  /// The place of an operand that a fused op may write its result over.
  private func sharedPlace(_ ir: IRGraph, _ fusedOp: FusedOp, at position: Int) -> Address? {
    let byteCount = byteCounts[fusedOp.output]
    for value in ir.overwritable(fusedOp) {
      guard let place = places[value], allocations[place.allocation].owner == .arena,
        // Nobody else needs it, nor anything that lies in the same memory.
        !isOccupied(place, byteCount, at: position)
      else { continue }
      // What else is read in this memory must be read at the same place at the same time: a
      // convolution reads all of its input for every output, an operand that repeats is read again.
      let isDisturbed = fusedOp.inputs.contains { other in
        overlaps(other, place, byteCount)
          && (fusedOp.kind.isConvolution || places[other] != place
            || ir.values[other].shape != ir.values[fusedOp.output].shape)
      }
      if !isDisturbed { return place }
    }
    return nil
  }
}

extension IRGraph {
  /// The last fused op that takes each value; past all fused ops for what is given out.
  var lastUses: [Int] {
    var last = [Int](repeating: 0, count: values.count)
    for (position, fusedOp) in fusedOps.enumerated() {
      for (value, _) in operands(of: fusedOp) { last[value] = position }
    }
    for output in outputs + statistics { last[output.value] = fusedOps.count }
    return last
  }

  /// What a value looks like to oneDNN.
  func descriptor(_ value: Int) throws(ComputeError) -> MemoryDescriptor {
    try MemoryDescriptor(
      values[value].shape, values[value].memoryFormat, values[value].format.dataType)
  }

  /// Where in its input's memory the result of a fused op lies as it is, in bytes; nil where there
  /// is work to do.
  func view(_ fusedOp: FusedOp) throws(ComputeError) -> Int? {
    guard let first = fusedOp.inputs.first else { return nil }
    let input = values[first], output = values[fusedOp.output]
    switch fusedOp.kind {
    case .reorder:
      return input.format.dataType == output.format.dataType
        && input.memoryFormat.coincides(with: output.memoryFormat, for: input.shape) ? 0 : nil
    case .other(.reshape): return 0
    case .other(.permute(let permute)): return permute.isView(input, output) ? 0 : nil
    case .other(.slice(let operation)) where input.shape[0] == 1:
      // Channels lie one after another, or blocks of them do.
      switch input.memoryFormat {
      case .nhwc: return nil
      case .nChw16c
      where operation.start % MemoryFormat.block != 0 || operation.count % MemoryFormat.block != 0:
        return nil
      case .nchw, .nChw16c:
        return operation.start * input.shape[2...].reduce(1, *) * input.format.dataType.size
      }
    case .other(.stridedSlice(let operation)) where input.memoryFormat == .nchw:
      return operation.view(input.shape).map { $0 * input.format.dataType.size }
    default: return nil
    }
  }

  /// The operands that have the shape of an elementwise operation's result.
  func sameShape(_ fusedOp: FusedOp) -> [Int] {
    // What is read in another order would be written over before it is read.
    let turned = Set(fusedOp.orders.keys.map { fusedOp.inputs[$0] })
    return fusedOp.inputs.filter {
      !turned.contains($0) && values[$0].shape == values[fusedOp.output].shape
    }
  }

  /// The operands over which a fused op may write its result, if nobody else needs them.
  func overwritable(_ fusedOp: FusedOp) -> [Int] {
    switch fusedOp.kind {
    case .transposedConvolution where fusedOp.candidate.algorithm != .spatial: return []
    case .convolution, .transposedConvolution:
      return [fusedOp.epilogue.residual].compactMap { $0 }
    case .scaleShift: return [fusedOp.inputs[0]]
    case .pointwise: return sameShape(fusedOp)
    case .other(let op): return op.kernelOperation?.overwritable(fusedOp, self) ?? []
    case .gradient(.other(let any)): return any.kernel.mayOverwrite ? [fusedOp.inputs[0]] : []
    case .tokens(let step): return overwritable(fusedOp, step)
    case .reorder, .gradient: return []
    }
  }
}

/// Which values are made where they will be a part of another: the parts of a concatenation, which
/// then takes no work, and what is written over on the way to them.
struct BufferAliases {
  /// A part of the memory of another value.
  struct Slice: Hashable {
    var whole: Int
    /// In bytes.
    var offset: Int
  }

  /// By number of the value.
  private var slices: [Int: Slice] = [:]
  /// The fused op that writes over a value in its place, if one does: who takes the value later
  /// than that cannot find it there.
  private var ends: [Int: Int] = [:]

  /// - Parameter lastUses: the last fused op that takes each value.
  /// - Throws: `ComputeError.library` where oneDNN refuses a shape.
  init(_ ir: IRGraph, lastUses: [Int]) throws(ComputeError) {
    var producer: [Int: Int] = [:]
    for (position, fusedOp) in ir.fusedOps.enumerated() { producer[fusedOp.output] = position }
    func isFree(_ value: Int) -> Bool { slices[value] == nil && producer[value] != nil }
    // From the end, so that a part of a part is known as one when it is met.
    for (position, fusedOp) in ir.fusedOps.enumerated().reversed() {
      if let parts = try ir.parts(of: fusedOp) {
        // A value that is a part twice has one place; for the others it is copied.
        for (value, offset) in parts where isFree(value) {
          slices[value] = Slice(whole: fusedOp.output, offset: offset)
        }
      } else if let slice = slices[fusedOp.output] {
        let isView = try ir.view(fusedOp) == 0
        // A view is written over when what it views is.
        let end = isView ? ends[fusedOp.output] : position
        let before =
          isView
          ? [fusedOp.inputs[0]]
          : ir.overwritable(fusedOp).filter { value in
            // A convolution that adds what it takes cannot write over it.
            !(fusedOp.kind.isConvolution && fusedOp.inputs.contains(value))
          }
        // What is written over must already lie there.
        guard let value = before.first(where: { lastUses[$0] <= end ?? .max }), isFree(value),
          ir.values[value].count == ir.values[fusedOp.output].count
        else { continue }
        slices[value] = slice
        ends[value] = end
      }
    }
  }

  subscript(_ value: Int) -> Slice? { slices[value] }
}

extension IRGraph {
  /// The values that lie one after another in a concatenation's result, with the bytes before them;
  /// nil where they do not, or the fused op is none.
  ///
  /// - Throws: `ComputeError.library` where oneDNN refuses a shape.
  func parts(of fusedOp: FusedOp) throws(ComputeError) -> [(value: Int, offset: Int)]? {
    let whole = values[fusedOp.output]
    // Channels of one image lie one after another, or blocks of them do.
    guard case .other(.concatenate(let operation)) = fusedOp.kind,
      whole.shape[..<operation.dimension].allSatisfy({ $0 == 1 }),
      whole.memoryFormat == .nchw || whole.memoryFormat == .nChw16c && operation.dimension == 1
    else { return nil }
    var parts: [(value: Int, offset: Int)] = []
    var offset = 0
    for value in fusedOp.inputs {
      parts.append((value, offset))
      offset += try descriptor(value).byteCount
    }
    return parts
  }
}
