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

  /// - Parameter isSelfContained: whether inputs and outputs lie in the arena like everything else,
  ///   as they do in training: between the way forward and the way back the caller may do what it
  ///   likes with its tensors.
  /// - Throws: `ComputeError.library` where oneDNN refuses a shape.
  init(_ program: Program, isSelfContained: Bool = false) throws(ComputeError) {
    places = Array(repeating: nil, count: program.values.count)
    let lastUses = program.lastUses
    for (position, value) in program.inputs.enumerated() {
      let bytes = try program.descriptor(value).byteCount
      let owner = isSelfContained ? Owner.arena : .input(position)
      add(Root(byteCount: bytes, lifetime: 0...lastUses[value], owner: owner), value)
    }
    if let value = program.dropoutSeed {
      let bytes = try program.descriptor(value).byteCount
      add(Root(byteCount: bytes, lifetime: 0...lastUses[value], owner: .arena), value)
    }
    let turn = program.units.firstIndex(where: \.isBackward) ?? program.units.count
    for value in program.seeds {
      let bytes = try program.descriptor(value).byteCount
      let lifetime = turn...max(turn, lastUses[value])
      add(Root(byteCount: bytes, lifetime: lifetime, owner: .arena), value)
    }
    for (position, unit) in program.units.enumerated() {
      if let view = try program.view(unit), let place = places[unit.inputs[0]] {
        settle(unit.output, Place(root: place.root, offset: place.offset + view), lastUses)
      } else if let shared = sharedPlace(program, unit, at: position, lastUses) {
        settle(unit.output, shared, lastUses)
      } else {
        let bytes = try program.descriptor(unit.output).byteCount
        let lifetime = position...max(position, lastUses[unit.output])
        add(Root(byteCount: bytes, lifetime: lifetime, owner: .arena), unit.output)
      }
      for value in unit.extraOutputs {
        let bytes = try program.descriptor(value).byteCount
        let lifetime = position...max(position, lastUses[value])
        add(Root(byteCount: bytes, lifetime: lifetime, owner: .arena), value)
      }
    }
    if isSelfContained { return }
    for (position, output) in program.outputs.enumerated() {
      let bytes = try program.descriptor(output.value).byteCount
      guard let place = places[output.value], place.offset == 0,
        roots[place.root].owner == .arena, roots[place.root].byteCount == bytes
      else {
        copiedOutputs.append(position)
        continue
      }
      roots[place.root].owner = .output(position)
    }
  }

  private mutating func add(_ root: Root, _ value: Int) {
    places[value] = Place(root: roots.count, offset: 0)
    roots.append(root)
  }

  private mutating func settle(_ value: Int, _ place: Place, _ lastUses: [Int]) {
    places[value] = place
    let lifetime = roots[place.root].lifetime
    roots[place.root].lifetime =
      lifetime.lowerBound...max(lifetime.upperBound, lastUses[value])
  }

  /// The place of an operand that a unit may write its result over.
  private func sharedPlace(
    _ program: Program, _ unit: Unit, at position: Int, _ lastUses: [Int]
  ) -> Place? {
    for value in program.overwritable(unit) {
      guard let place = places[value], roots[place.root].owner == .arena,
        // Nobody else needs it, nor anything that lies in the same memory.
        roots[place.root].lifetime.upperBound == position
      else { continue }
      // What else is read in this memory must be read at the same place at the same time: a
      // convolution reads all of its input for every output, an operand that repeats is read again.
      let isDisturbed = unit.inputs.contains { other in
        places[other]?.root == place.root
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
    case .other(.slice(let start, let count)) where input.shape[0] == 1:
      // Channels lie one after another, or blocks of them do.
      switch input.layout {
      case .channelsLast: return nil
      case .blocked where start % Layout.block != 0 || count % Layout.block != 0: return nil
      case .planar, .blocked:
        return start * input.shape[2...].reduce(1, *) * input.form.numbers.size
      }
    default: return nil
    }
  }

  /// The operands over which a unit may write its result, if nobody else needs them.
  fileprivate func overwritable(_ unit: Unit) -> [Int] {
    switch unit.work {
    case .transposedConvolution where unit.mode.algorithm != .expanded: return []
    case .convolution, .transposedConvolution:
      return [unit.epilogue.residual].compactMap { $0 }
    case .affine, .other(.activation), .other(.prelu), .other(.dropout), .gradient(.activation):
      return [unit.inputs[0]]
    case .other(.add), .other(.multiply):
      return unit.inputs.filter { values[$0].shape == values[unit.output].shape }
    case .other(.subtract):
      return unit.inputs.prefix(1).filter { values[$0].shape == values[unit.output].shape }
    case .relayout, .gradient, .other: return []
    }
  }
}
