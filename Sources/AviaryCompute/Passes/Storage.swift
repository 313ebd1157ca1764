import AviaryGraph

/// Which memory each value lives in, and for how long.
struct Storage {
  /// A stretch of memory that one value has, or several one after another, or several at once of
  /// which one is a part of the other.
  struct Root {
    var byteCount: Int
    /// The first and the last unit during which it is needed.
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
  struct Place: Hashable {
    var root: Int
    var offset: Int
  }

  private(set) var roots: [Root] = []
  /// By number of the value; nil for values that no unit touches.
  private(set) var places: [Place?]
  /// Outputs that lie elsewhere when all is done, to be copied.
  private(set) var copiedOutputs: [Int] = []
  /// The values in each root, those of the past too.
  private var occupants: [[Int]] = []
  /// The bytes that values take, and the last units that take them.
  private let byteCounts: [Int]
  private let lastUses: [Int]
  private let slices: Slices

  /// - Parameter isSelfContained: whether inputs and outputs lie in the arena like everything else,
  ///   as they do in training: between the way forward and the way back the caller may do what it
  ///   likes with its tensors.
  /// - Throws: `ComputeError.library` where oneDNN refuses a shape.
  init(_ program: Program, isSelfContained: Bool = false) throws(ComputeError) {
    places = Array(repeating: nil, count: program.values.count)
    lastUses = program.lastUses
    var byteCounts: [Int] = []
    for value in program.values.indices {
      byteCounts.append(try program.descriptor(value).byteCount)
    }
    self.byteCounts = byteCounts
    slices = try Slices(program, lastUses: lastUses)
    for (position, value) in program.inputs.enumerated() {
      add(value, from: 0, isSelfContained ? .arena : .input(position))
    }
    if let value = program.dropoutSeed { add(value, from: 0) }
    let turn = program.units.firstIndex(where: \.isBackward) ?? program.units.count
    for value in program.seeds { add(value, from: turn) }
    for (position, unit) in program.units.enumerated() {
      if let view = try program.view(unit), let place = places[unit.inputs[0]] {
        settle(unit.output, Place(root: place.root, offset: place.offset + view))
      } else if let shared = sharedPlace(program, unit, at: position) {
        settle(unit.output, shared)
      } else {
        settle(unit.output, place(for: unit.output, at: position))
      }
      for value in unit.extraOutputs { add(value, from: position) }
    }
    if isSelfContained { return }
    for (position, output) in program.outputs.enumerated() {
      guard let place = places[output.value], place.offset == 0,
        roots[place.root].owner == .arena,
        roots[place.root].byteCount == byteCounts[output.value]
      else {
        copiedOutputs.append(position)
        continue
      }
      roots[place.root].owner = .output(position)
    }
  }

  /// Gives a value a root of its own.
  private mutating func add(_ value: Int, from position: Int, _ owner: Owner = .arena) {
    settle(value, newRoot(value, from: position, owner))
  }

  private mutating func newRoot(_ value: Int, from position: Int, _ owner: Owner) -> Place {
    let lifetime = position...max(position, lastUses[value])
    roots.append(Root(byteCount: byteCounts[value], lifetime: lifetime, owner: owner))
    occupants.append([])
    return Place(root: roots.count - 1, offset: 0)
  }

  private mutating func settle(_ value: Int, _ place: Place) {
    places[value] = place
    occupants[place.root].append(value)
    let lifetime = roots[place.root].lifetime
    roots[place.root].lifetime =
      lifetime.lowerBound...max(lifetime.upperBound, lastUses[value])
  }

  /// A place for a value that is about to be written, or of which the first part is: inside of
  /// another, if it will be a part of that, or new.
  private mutating func place(for value: Int, at position: Int) -> Place {
    if let place = places[value] { return place }
    if let slice = slices[value] {
      let whole = place(for: slice.whole, at: position)
      let place = Place(root: whole.root, offset: whole.offset + slice.offset)
      // What was to be written over there is perhaps still needed.
      if !isOccupied(place, byteCounts[value], at: position - 1) {
        places[value] = place
        return place
      }
    }
    let place = newRoot(value, from: position, .arena)
    places[value] = place
    return place
  }

  /// Whether any value that is needed after a unit lies in a stretch of memory.
  private func isOccupied(_ place: Place, _ byteCount: Int, at position: Int) -> Bool {
    occupants[place.root].contains { value in
      lastUses[value] > position && overlaps(value, place, byteCount)
    }
  }

  private func overlaps(_ value: Int, _ place: Place, _ byteCount: Int) -> Bool {
    guard let other = places[value], other.root == place.root else { return false }
    return other.offset < place.offset + byteCount
      && place.offset < other.offset + byteCounts[value]
  }

  /// The place of an operand that a unit may write its result over.
  private func sharedPlace(_ program: Program, _ unit: Unit, at position: Int) -> Place? {
    let byteCount = byteCounts[unit.output]
    for value in program.overwritable(unit) {
      guard let place = places[value], roots[place.root].owner == .arena,
        // Nobody else needs it, nor anything that lies in the same memory.
        !isOccupied(place, byteCount, at: position)
      else { continue }
      // What else is read in this memory must be read at the same place at the same time: a
      // convolution reads all of its input for every output, an operand that repeats is read again.
      let isDisturbed = unit.inputs.contains { other in
        overlaps(other, place, byteCount)
          && (unit.work.isConvolution || places[other] != place
            || program.values[other].shape != program.values[unit.output].shape)
      }
      if !isDisturbed { return place }
    }
    return nil
  }
}

extension Program {
  /// The last unit that takes each value; past all units for what is given out.
  var lastUses: [Int] {
    var last = [Int](repeating: 0, count: values.count)
    for (position, unit) in units.enumerated() {
      for (value, _) in operands(of: unit) { last[value] = position }
    }
    for output in outputs + statistics { last[output.value] = units.count }
    return last
  }

  /// What a value looks like to oneDNN.
  func descriptor(_ value: Int) throws(ComputeError) -> MemoryDescriptor {
    try MemoryDescriptor(values[value].shape, values[value].layout, values[value].form.numbers)
  }

  /// Where in its input's memory the result of a unit lies as it is, in bytes; nil where there is
  /// work to do.
  func view(_ unit: Unit) throws(ComputeError) -> Int? {
    let input = values[unit.inputs[0]], output = values[unit.output]
    switch unit.work {
    case .relayout:
      return input.form.numbers == output.form.numbers
        && input.layout.coincides(with: output.layout, for: input.shape) ? 0 : nil
    case .other(.reshape): return 0
    case .other(.slice(let operation)) where input.shape[0] == 1:
      // Channels lie one after another, or blocks of them do.
      switch input.layout {
      case .channelsLast: return nil
      case .blocked
      where operation.start % Layout.block != 0 || operation.count % Layout.block != 0: return nil
      case .planar, .blocked:
        return operation.start * input.shape[2...].reduce(1, *) * input.form.numbers.size
      }
    default: return nil
    }
  }

  /// The operands over which a unit may write its result, if nobody else needs them.
  func overwritable(_ unit: Unit) -> [Int] {
    switch unit.work {
    case .transposedConvolution where unit.mode.algorithm != .planes: return []
    case .convolution, .transposedConvolution:
      return [unit.epilogue.residual].compactMap { $0 }
    case .affine: return [unit.inputs[0]]
    case .other(let op): return op.kernelOperation?.overwritable(unit, self) ?? []
    case .gradient(.other(let any)): return any.kernel.mayOverwrite ? [unit.inputs[0]] : []
    case .relayout, .gradient: return []
    }
  }
}
